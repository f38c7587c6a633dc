import Bytes
import Contracts

/// The fields of an extension as they came in, checked: every mistake is named at once.
struct ExtensionDraft {
    private static let longestNumber = 32
    private static let longestName = 128
    private static let longestPassword = 128
    private static let longestRing = 600
    private static let numberMarks = Set("._-+*#".utf8)

    private var problems: [Problem] = []

    /// Nil fields are not checked. Throws `invalid` with the mistakes.
    init(
        number: String? = nil, password: String? = nil, name: String? = nil, flowID: String? = nil, forwarding: CallForwarding.Change? = nil
    ) throws(RPCError) {
        if let number, !Self.isNumber(number) {
            note("/number", "an extension's number is 1 to \(Self.longestNumber) letters, digits, or . _ - + * #")
        }
        if let password, password.isEmpty || password.utf8.count > Self.longestPassword || Self.hasControls(password) {
            note("/password", "a password has 1 to \(Self.longestPassword) bytes and no control characters")
        }
        if let name, name.utf8.count > Self.longestName || Self.hasControls(name) {
            note("/name", "a name has at most \(Self.longestName) bytes and no control characters")
        }
        if let flowID, !flowID.isEmpty, !Identifier.isPlausible(flowID, prefix: "flow") {
            note("/flow_id", "this is no id of a flow")
        }
        if let forwarding { check(forwarding) }
        guard problems.isEmpty else { throw RPCError(.invalid, "the extension has mistakes", problems: problems) }
    }

    private mutating func check(_ forwarding: CallForwarding.Change) {
        let destinations = [
            ("always", forwarding.always), ("busy", forwarding.busy), ("no_answer", forwarding.noAnswer), ("unreachable", forwarding.unreachable),
        ]
        for (name, destination) in destinations {
            guard let destination, !destination.isEmpty, !Self.isNumber(destination) else { continue }
            note("/forwarding/\(name)", "give a number of yours, or \(CallForwarding.voicemail)")
        }
        if let seconds = forwarding.ringSeconds, !(0...Self.longestRing).contains(seconds) {
            note("/forwarding/ring_seconds", "phones ring for up to \(Self.longestRing) seconds")
        }
    }

    /// A host name in lower case, or nil when it is none.
    static func domain(_ text: String) -> String? {
        let bytes = text.utf8.map(ASCII.lowercased)
        guard (1...253).contains(bytes.count), bytes.first != UInt8(ascii: "."), bytes.last != UInt8(ascii: "."),
            bytes.allSatisfy({ ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isNumber(_ text: String) -> Bool {
        (1...longestNumber).contains(text.utf8.count)
            && text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || numberMarks.contains($0) }
    }

    private static func hasControls(_ text: String) -> Bool { text.utf8.contains { $0 < 32 || $0 == 127 } }

    private mutating func note(_ pointer: String, _ detail: String) {
        problems.append(Problem(pointer: pointer, code: "invalid", detail: detail))
    }
}
