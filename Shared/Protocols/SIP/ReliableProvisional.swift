/// The value of `RAck` (RFC 3262 §7.2): which provisional response a PRACK acknowledges.
public struct ProvisionalAcknowledgement: Hashable, Sendable, Codable {
    public var responseSequence: UInt32
    public var cseq: CSeq

    public init(_ responseSequence: UInt32, of cseq: CSeq) { (self.responseSequence, self.cseq) = (responseSequence, cseq) }

    public init?(_ text: some StringProtocol) {
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard parts.count == 3, let number = UInt32(parts[0]), let sequence = UInt32(parts[1]), sequence < 1 << 31 else { return nil }
        self.init(number, of: CSeq(sequence, Method(String(parts[2]))))
    }
}

extension ProvisionalAcknowledgement: CustomStringConvertible {
    public var description: String { "\(responseSequence) \(cseq)" }
}

extension Message {
    public var provisionalAcknowledgement: ProvisionalAcknowledgement? { value(.rack).flatMap { ProvisionalAcknowledgement($0) } }

    /// The number of a provisional response that wants a PRACK (RFC 3262 §4); nil: it wants none.
    public var reliableSequence: UInt32? {
        guard let status, (101..<200).contains(status), required.contains("100rel") else { return nil }
        return value(.rseq).flatMap { UInt32($0) }
    }
}
