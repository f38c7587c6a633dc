internal import Bytes

/// What of a SIP message may be shown: the values of Authorization and its like, the keys in session descriptions, and the keys of the phone that an INFO
/// tells of, which may be a PIN's, become as many asterisks, so that every length in the message still holds.
public enum Secrets {
    /// `application/dtmf-relay` and `application/dtmf`, in the long and the short form of the field's name.
    private static let contentTypes = ["content-type", "c"].map { Array($0.utf8) }
    private static let pressed = Array("application/dtmf".utf8)
    private static let signal = Array("signal".utf8)
    private static let duration = Array("duration".utf8)

    private static let fields = ["authorization:", "proxy-authorization:", "authentication-info:"].map { Array($0.utf8) }
    /// SDES keys (RFC 4568), the obsolete `k=`, and ICE's password (RFC 8839), each with what stands before the secret.
    private static let lines = ["a=crypto:", "k=", "a=ice-pwd:"].map { Array($0.utf8) }

    public static func hidden(in message: [UInt8]) -> [UInt8] {
        var shown = message
        var start = 0
        var hides = false
        var (tellsKey, isBody) = (false, false)
        while start < message.count {
            let end = message[start...].firstIndex(of: UInt8(ascii: "\n")) ?? message.count
            let text = end > start && message[end - 1] == UInt8(ascii: "\r") ? start..<(end - 1) : start..<end
            // A line that begins with a blank goes on with the field before it (RFC 3261 §7.3.1).
            let continues = text.first.map { message[$0] == UInt8(ascii: " ") || message[$0] == UInt8(ascii: "\t") } ?? false
            var secret = continues && hides ? text.lowerBound : nil
            if text.isEmpty { isBody = true }
            if isBody, tellsKey {
                secret = begins(message[text], with: duration) ? nil : value(of: message[text])
            } else if !continues {
                tellsKey = tellsKey || isContentOfKeys(message[text])
                let name = (fields + lines).first { begins(message[text], with: $0) }
                secret = name.map { text.lowerBound + $0.count }
                hides = name != nil
            }
            if let secret {
                for index in secret..<max(secret, text.upperBound) where message[index] != UInt8(ascii: " ") { shown[index] = UInt8(ascii: "*") }
            }
            start = end + 1
        }
        return shown
    }

    private static func isContentOfKeys(_ line: ArraySlice<UInt8>) -> Bool {
        guard let name = contentTypes.first(where: { begins(line, with: $0) }) else { return false }
        let rest = line.dropFirst(name.count).drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard rest.first == UInt8(ascii: ":") else { return false }
        return begins(rest.dropFirst().drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }, with: pressed)
    }

    /// Where the key stands in a line: behind `Signal=`, or by itself.
    private static func value(of line: ArraySlice<UInt8>) -> Int {
        guard begins(line, with: signal), let sign = line.firstIndex(of: UInt8(ascii: "=")) else { return line.startIndex }
        return sign + 1
    }

    private static func begins(_ line: ArraySlice<UInt8>, with name: [UInt8]) -> Bool {
        line.count >= name.count && zip(line, name).allSatisfy { ASCII.lowercased($0) == $1 }
    }
}
