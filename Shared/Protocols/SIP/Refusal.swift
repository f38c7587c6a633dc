/// Why a request is refused before anybody looks at what it wants.
public struct Refusal: Error, Sendable, Hashable {
    public let status: Int
    public let reason: String

    public init(_ status: Int, _ reason: String? = nil) {
        self.status = status
        self.reason = reason ?? Status.reason(status)
    }
}
