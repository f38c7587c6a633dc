public import Addresses
internal import Bytes
public import Cryptography

/// What a proxy without transactions needs (RFC 3261 §16.11).
public enum StatelessForwarding {
    /// The branch of a request that passes: what names its transaction, and what a loop would leave unchanged (§16.6 step 8).
    public struct Branch: Sendable, Hashable {
        public let transaction: SipHash.Code
        public let loop: UInt64
        /// Cookie, 22 characters for the transaction, 11 for the loop.
        public static let length = 7 + 22 + 11

        public func write(into output: inout OutputSpan<UInt8>) {
            output.write("z9hG4bK")
            StatelessForwarding.write(transaction, into: &output)
            var bytes = InlineArray<8, UInt8>(repeating: 0)
            for place in 0..<8 { bytes[place] = UInt8(truncatingIfNeeded: loop &>> UInt64(8 &* place)) }
            Base64.writeURLSafe(bytes.span, into: &output)
        }

        /// Whether the text of a branch says that the same request has passed before.
        public func isLoop(of text: Span<UInt8>) -> Bool {
            guard text.count == Self.length else { return false }
            var bytes = InlineArray<64, UInt8>(repeating: 0)
            var count = 0
            guard Base64.readURLSafe(text.extracting(29..<40), into: &bytes, count: &count), count == 8 else { return false }
            var value: UInt64 = 0
            for place in 0..<8 { value |= UInt64(bytes[place]) &<< UInt64(8 &* place) }
            return value == loop
        }

        /// The transaction that the text of one of our branches names; nil when it is none of ours.
        public static func transaction(of text: Span<UInt8>) -> SipHash.Code? {
            guard text.count == length else { return nil }
            var bytes = InlineArray<64, UInt8>(repeating: 0)
            var count = 0
            guard Base64.readURLSafe(text.extracting(7..<29), into: &bytes, count: &count), count == 16 else { return nil }
            var (low, high): (UInt64, UInt64) = (0, 0)
            for place in 0..<8 {
                low |= UInt64(bytes[place]) &<< UInt64(8 &* place)
                high |= UInt64(bytes[place &+ 8]) &<< UInt64(8 &* place)
            }
            return SipHash.Code(low: low, high: high)
        }

        public var text: String { StatelessForwarding.text(Self.length) { write(into: &$0) } }
    }

    /// The same whenever the same request passes, and the same for an INVITE, its CANCEL and the ACK of its failure: a code over
    /// the branch and sent-by received, or, from an RFC 2543 client, over everything that names its transaction.
    public static func branch(for message: borrowing MessageView, _ head: RequestHead, key: SipHash) -> Branch {
        let bytes = message.bytes
        // An ACK of a failure has a To tag that its INVITE had not, so that tag has no part in it.
        var loop = key.lightChain()
        loop.absorb(bytes.extracting(head.callID))
        if let uri = message.requestURIRange { loop.absorb(bytes.extracting(uri)) }
        loop.absorb(bytes.extracting(head.from.tag ?? 0..<0))
        if let route = head.topmostRoute { loop.absorb(bytes.extracting(route.uriRange)) }
        loop.absorb(UInt64(head.cseq))
        return Branch(transaction: transaction(for: message, head, key: key), loop: loop.code().low)
    }

    /// Of a message that passes, the part that names its transaction.
    public static func transaction(for message: borrowing MessageView, _ head: RequestHead, key: SipHash) -> SipHash.Code {
        let bytes = message.bytes
        var code = key.chain()
        code.absorb(bytes.extracting(head.via.branch ?? 0..<0))
        code.absorb(bytes.extracting(head.via.sentBy))
        guard !head.via.hasUniqueBranch(in: bytes) else { return code.code() }
        code.absorb(bytes.extracting(head.callID))
        code.absorb(bytes.extracting(head.from.tag ?? 0..<0))
        if let uri = message.requestURIRange { code.absorb(bytes.extracting(uri)) }
        code.absorb(UInt64(head.cseq))
        return code.code()
    }

    /// 16 bytes as 22 characters of a token.
    public static func write(_ code: SipHash.Code, into output: inout OutputSpan<UInt8>) {
        var bytes = InlineArray<16, UInt8>(repeating: 0)
        for place in 0..<8 {
            bytes[place] = UInt8(truncatingIfNeeded: code.low &>> UInt64(8 &* place))
            bytes[place &+ 8] = UInt8(truncatingIfNeeded: code.high &>> UInt64(8 &* place))
        }
        Base64.writeURLSafe(bytes.span, into: &output)
    }

    public static func text(_ code: SipHash.Code) -> String { text(22) { write(code, into: &$0) } }

    private static func text(_ length: Int, _ write: (inout OutputSpan<UInt8>) -> Void) -> String {
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
            write(&output)
            count = unsafe output.finalize(for: buffer)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Via {
    /// This Via with what its sender cannot know: where the request really came from (§18.2.1, RFC 3581 §4). Nil when nothing
    /// has to be added.
    public func stamped(source: SocketAddress) -> Via? {
        var stamped = self
        if wantsSourcePort {
            stamped.parameters.set("rport", String(source.port))
            stamped.parameters.set("received", source.address.description)
        } else if IPAddress(host) != source.address {
            stamped.parameters.set("received", source.address.description)
        } else {
            stamped.parameters.remove("received")
        }
        return stamped == self ? nil : stamped
    }
}

extension Message {
    /// The message with `received` and `rport` in its topmost Via; itself when they have nothing to say.
    public func stamped(source: SocketAddress) -> Message {
        guard let element = firstElement(of: .via), let via = topmostVia?.stamped(source: source) else { return self }
        let stamped = bytes[..<element.range.lowerBound] + Array(via.description.utf8) + bytes[element.range.upperBound...]
        // A few bytes longer than what was accepted: the limits have been applied already.
        return
            (try? Message.parse(Array(stamped), limits: Limits(messageLength: .max, headerCount: .max, lineLength: .max >> 1)))
            ?? self
    }
}
