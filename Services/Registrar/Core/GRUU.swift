import Bytes
import Cryptography
import SIP

/// The Globally Routable UA URIs of RFC 5627 §3.1: the public one spells the instance, a temporary one hides whose it is.
enum GRUU {
    /// `sip:NUMBER@DOMAIN;gr=INSTANCE`; nil when the phone gave no instance.
    static func publicURI(number: String, domain: String, instanceID: String) -> String {
        "sip:\(URI.escapedUser(number))@\(domain);gr=\(gr(of: instanceID))"
    }

    static func temporaryURI(token: String, domain: String) -> String { "sip:\(token)@\(domain);gr" }

    /// The value of `gr` for a `+sip.instance`: the URN without its brackets, escaped as a URI parameter (RFC 3261 §25.1 `pvalue`).
    static func gr(of instanceID: String) -> String {
        var text: [UInt8] = []
        for byte in instanceID.utf8.drop(while: { $0 == UInt8(ascii: "<") }) where byte != UInt8(ascii: ">") {
            if ASCII.isLetter(byte) || ASCII.isDigit(byte) || "-_.!~*'()[]/:&+$".utf8.contains(byte) {
                text.append(byte)
            } else {
                text += Array("%\(Hexadecimal.encode([byte]).uppercased())".utf8)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a dialled `gr` names this instance: URNs of UUIDs have no case (RFC 4122 §3).
    static func matches(_ gr: String, _ instanceID: String) -> Bool {
        ASCII.equalsIgnoringCase(URI.unescaping(gr), URI.unescaping(self.gr(of: instanceID)))
    }
}

/// The token of a temporary GRUU (RFC 5627 §3.1.2, Appendix A.2): which extension, instance and registration it was given for,
/// encrypted, so that nothing has to be kept and two of one phone cannot be told to be one's.
///
/// It names the generation of the registration: a REGISTER with another Call-ID begins a new one, and with the last binding of a
/// generation all its tokens end (§5.1).
struct TemporaryGRUU: Sendable {
    static let purpose = "registrar.temporary-gruu"
    private static let context = Array("tgruu".utf8)
    private static let markLength = 8

    /// 32 bytes, for this purpose alone.
    let key: [UInt8]

    struct Opened: Sendable, Equatable {
        let extensionID: String
        fileprivate let mark: [UInt8]

        /// Whether it was given for this binding's generation.
        func names(_ binding: Binding) -> Bool {
            guard let instanceID = binding.instanceID, let generation = binding.generation else { return false }
            return mark == TemporaryGRUU.mark(instanceID, generation)
        }
    }

    /// `nonce` must never come twice: the caller draws it.
    func token(extensionID: String, instanceID: String, generation: Int64, nonce: [UInt8]) throws(SealError) -> String {
        let plain = Self.mark(instanceID, generation) + Array(extensionID.utf8)
        return Base64.encode(try SealedBox.seal(plain, key: key, nonce: nonce, context: Self.context), .urlSafe)
    }

    /// Nil for whatever we did not make.
    func open(_ token: String) -> Opened? {
        guard token.utf8.count <= 256, let box = Base64.decode(token.utf8, .urlSafe),
            let plain = try? SealedBox.open(box, key: key, context: Self.context), plain.count > Self.markLength
        else { return nil }
        return Opened(
            extensionID: String(decoding: plain.dropFirst(Self.markLength), as: UTF8.self), mark: Array(plain.prefix(Self.markLength)))
    }

    private static func mark(_ instanceID: String, _ generation: Int64) -> [UInt8] {
        Array(DigestAlgorithm.sha256.hash("\(generation) \(instanceID)").prefix(markLength))
    }
}
