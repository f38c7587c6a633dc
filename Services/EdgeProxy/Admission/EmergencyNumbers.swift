/// The numbers of the country that are called when life is at stake; `EmergencyService` has the names that are the same everywhere.
struct EmergencyNumbers: Sendable {
    private let numbers: [[UInt8]]

    init(_ numbers: [String]) { self.numbers = numbers.map { Array($0.utf8) } }

    /// `user` is the user part of a SIP URI, or what a tel URI names.
    func contains(user: Span<UInt8>) -> Bool {
        for number in numbers where number.count == user.count {
            if user.indices.allSatisfy({ user[$0] == number[$0] }) { return true }
        }
        return false
    }
}
