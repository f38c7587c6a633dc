import Bytes
import Contracts

/// What a conference may look like; every mistake is named.
struct ConferenceRules: Sendable {
    static let defaultParticipants = 50
    /// Nobody sets a conference larger than a room may be.
    var largestRoom = Mixer.largestRoom

    func check(_ conference: Conference) throws(RPCError) {
        var problems: [Problem] = []
        if !(1...100).contains(conference.name.count) {
            problems.append(Problem(pointer: "/name", code: "length", detail: "a name has 1 to 100 characters"))
        }
        if let number = conference.number, !Self.isDialable(number) {
            problems.append(
                Problem(
                    pointer: "/number", code: "format",
                    detail: "a number has 1 to 20 of 0-9, * and #, with an optional + first"))
        }
        if let pin = conference.pin, !Self.isPIN(pin) {
            problems.append(Problem(pointer: "/pin", code: "format", detail: "a pin has 1 to 16 digits"))
        }
        if let pin = conference.moderatorPIN {
            if !Self.isPIN(pin) {
                problems.append(Problem(pointer: "/moderator_pin", code: "format", detail: "a pin has 1 to 16 digits"))
            } else if pin == conference.pin {
                problems.append(Problem(pointer: "/moderator_pin", code: "taken", detail: "the members' pin is the same"))
            }
        }
        if !(2...largestRoom).contains(conference.maxParticipants) {
            problems.append(
                Problem(
                    pointer: "/max_participants", code: "range", detail: "a conference has 2 to \(largestRoom) participants"))
        }
        guard problems.isEmpty else { throw RPCError(.invalid, "the conference has mistakes", problems: problems) }
    }

    private static func isPIN(_ pin: String) -> Bool { (1...16).contains(pin.utf8.count) && pin.utf8.allSatisfy(ASCII.isDigit) }

    private static func isDialable(_ number: String) -> Bool {
        let digits = number.hasPrefix("+") ? number.dropFirst() : number[...]
        return (1...20).contains(digits.utf8.count) && digits.utf8.allSatisfy { ASCII.isDigit($0) || $0 == 35 || $0 == 42 }
    }
}
