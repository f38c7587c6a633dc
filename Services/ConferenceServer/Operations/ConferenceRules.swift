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
        problems += Self.problems(of: conference.policy)
        guard problems.isEmpty else { throw RPCError(.invalid, "the conference has mistakes", problems: problems) }
    }

    private static func problems(of policy: ConferencePolicy) -> [Problem] {
        var problems: [Problem] = []
        if let language = policy.language, !isLanguage(language) {
            problems.append(Problem(pointer: "/language", code: "format", detail: "a language is a tag like en or de-AT (BCP 47)"))
        }
        let prompts = policy.prompts ?? ConferencePrompts()
        for (name, sound) in [("pin", prompts.pin), ("wrong_pin", prompts.wrongPIN), ("waiting", prompts.waiting)] {
            guard let sound, !isSound(sound) else { continue }
            problems.append(
                Problem(
                    pointer: "/prompts/\(name)", code: "format",
                    detail: "a sound is an http(s) address, recording:ID or the name of a sound of the server"))
        }
        return problems
    }

    private static func isLanguage(_ tag: String) -> Bool {
        let parts = tag.split(separator: "-", omittingEmptySubsequences: false)
        guard tag.utf8.count <= 35, let first = parts.first, (2...3).contains(first.utf8.count) else { return false }
        return parts.allSatisfy { (1...8).contains($0.utf8.count) && $0.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) } }
    }

    /// Whether it is there, and whether it may be fetched, is seen when it is heard.
    private static func isSound(_ name: String) -> Bool {
        if name.hasPrefix("recording:") { return (11...80).contains(name.utf8.count) }
        if name.hasPrefix("http://") || name.hasPrefix("https://") { return name.utf8.count <= 2048 }
        return SoundFolder.relativePath(name) != nil && !SoundFolder.isMusic(name)
    }

    private static func isPIN(_ pin: String) -> Bool { (1...16).contains(pin.utf8.count) && pin.utf8.allSatisfy(ASCII.isDigit) }

    private static func isDialable(_ number: String) -> Bool {
        let digits = number.hasPrefix("+") ? number.dropFirst() : number[...]
        return (1...20).contains(digits.utf8.count) && digits.utf8.allSatisfy { ASCII.isDigit($0) || $0 == 35 || $0 == 42 }
    }
}
