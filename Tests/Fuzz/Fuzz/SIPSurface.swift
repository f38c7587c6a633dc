import SIP

/// What is read of SIP, printed and read again, is the same.
enum SIPSurface {
    /// Every decoder of a header runs.
    static func message(_ bytes: [UInt8]) {
        guard let message = try? SIP.Message.parse(bytes) else { return }
        decode(message)
        guard let again = try? SIP.Message.parse(message.bytes) else { preconditionFailure("a message is not one without what follows it") }
        precondition(again.bytes == message.bytes && again.fields.count == message.fields.count, "its own bytes are another message")
    }

    private static func decode(_ message: SIP.Message) {
        _ = (message.callIDHash, message.cseq, message.from, message.to, message.vias, message.routes, message.recordRoutes)
        _ = (message.contacts, message.contact, message.maxForwards, message.expires, message.contentType, message.challenges)
        _ = (message.required, message.supported, message.allowed, message.requestDefect, message.requestURI, message.paths)
        _ = (message.credentials(.authorization, realm: "demo.localhost"), message.isUsableResponse, message.sessionBody)
        _ = (TransactionKey(request: message), TransactionKey(response: message))
        for name in HeaderName.allCases { _ = (message.values(name), message.addresses(name)) }
    }

    private static let names = HeaderName.allCases.filter { $0 != .other && $0 != .contentLength }

    /// The input as the value of the header that its first byte chooses.
    static func header(_ bytes: [UInt8]) {
        guard let choice = bytes.first else { return }
        let name = names[Int(choice) % names.count].text
        guard let message = try? SIP.Message.parse(Array("OPTIONS sip:x SIP/2.0\r\n\(name):".utf8) + bytes.dropFirst() + Array("\r\n\r\n".utf8)) else {
            return
        }
        decode(message)
    }

    static func uri(_ bytes: [UInt8]) {
        guard let uri = URI(parsing: bytes[...]) else { return }
        _ = (uri.decodedUser, uri.socketAddress, uri.isLooseRouter)
        precondition(uri.isEquivalent(to: uri) || uri.scheme != "sip", "a URI differs from itself: \(uri)")
        guard let again = URI(uri.description) else { preconditionFailure("its own text is no URI: \(uri)") }
        precondition(again == uri && again.description == uri.description, "read again it differs: \(uri)")
    }

    static func via(_ bytes: [UInt8]) {
        guard let via = Via(String(decoding: bytes, as: UTF8.self)) else { return }
        guard let again = Via(via.description) else { preconditionFailure("its own text is no Via: \(via)") }
        precondition(again == via, "read again it differs: \(via)")
    }

    static func address(_ bytes: [UInt8]) {
        guard let address = NameAddress(String(decoding: bytes, as: UTF8.self)) else { return }
        guard let again = NameAddress(address.description) else { preconditionFailure("its own text is no address: \(address)") }
        precondition(again.uri == address.uri && again.tag == address.tag, "read again it differs: \(address)")
    }

    /// What answers a challenge is credentials. Control bytes, which no line has outside of quoted pairs, we do not write.
    static func digest(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let credentials = DigestCredentials(text) { _ = credentials.isAuthentic(ha1: "0", method: .register) }
        guard bytes.allSatisfy({ $0 >= 32 && $0 != 127 }), let challenge = DigestChallenge(text) else { return }
        let answer = challenge.answer(user: "1001", password: "x", method: .register, uri: "sip:demo.localhost", clientNonce: "c")
        guard let credentials = DigestCredentials(answer.headerValue) else { preconditionFailure("the answer to \(text) is none") }
        precondition(credentials.user == "1001" && credentials.nonce == challenge.nonce, "the answer to \(text) says something else")
    }

    /// A stream cut anywhere gives the same messages.
    static func framer(_ bytes: [UInt8]) {
        let whole = framed(bytes, pieces: 1)
        precondition(whole == framed(bytes, pieces: 7), "framing depends on how the bytes arrived")
        if bytes.count < 600 { precondition(whole == framed(bytes, pieces: bytes.count), "framing depends on how the bytes arrived") }
    }

    private static func framed(_ bytes: [UInt8], pieces: Int) -> [[UInt8]] {
        var framer = MessageFramer()
        var seen: [[UInt8]] = []
        let size = max(1, bytes.count / max(pieces, 1))
        for start in stride(from: 0, to: bytes.count, by: size) {
            framer.append(Array(bytes[start..<min(start + size, bytes.count)]))
            do {
                while let output = try framer.next() {
                    // Whether a line end is a ping or a pong may depend on when it came; a message may not.
                    if case .message(let message) = output { seen.append(message.bytes) }
                }
            } catch {
                return seen
            }
        }
        return seen
    }
}
