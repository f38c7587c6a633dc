/// The room that a loop has for requests which wait for an account or a domain: strangers can fill it, so it has walls in number
/// and in bytes.
struct Parking: Sendable {
    struct Limits: Sendable {
        var count: Int
        var bytes: Int
    }

    private let limits: Limits
    private(set) var count = 0
    private(set) var bytes = 0

    init(_ limits: Limits) { self.limits = limits }

    /// False when there is no room for a message of that length.
    mutating func enter(_ length: Int) -> Bool {
        guard count < limits.count, length <= limits.bytes - bytes else { return false }
        count += 1
        bytes += length
        return true
    }

    /// Of each that has entered.
    mutating func leave(_ length: Int) {
        count -= 1
        bytes -= length
    }
}
