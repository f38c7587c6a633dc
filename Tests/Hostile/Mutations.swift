/// Messages that are nearly right, by a seed: what a smuggler would try, put where it might pass.
public struct Mutations: Sequence, IteratorProtocol {
    private let seeds: [[UInt8]]
    private var state: UInt64

    public init(of seeds: [[UInt8]], seed: UInt64) { (self.seeds, state) = (seeds, seed | 1) }

    public mutating func next() -> [UInt8]? {
        guard !seeds.isEmpty else { return nil }
        var message = seeds[below(seeds.count)]
        for _ in 0...below(3) { change(&message) }
        return message
    }

    private mutating func change(_ message: inout [UInt8]) {
        switch below(6) {
        case 0: message.insert(contentsOf: line(), at: lineStart(in: message))
        case 1: message.insert(contentsOf: piece(), at: below(message.count + 1))
        case 2:
            guard !message.isEmpty else { return }
            message[below(message.count)] = Self.bytes[below(Self.bytes.count)]
        case 3:
            guard !message.isEmpty else { return }
            message.remove(at: below(message.count))
        case 4: // A line once more.
            let (from, to) = (lineStart(in: message), lineStart(in: message))
            if from < to { message.insert(contentsOf: Array(message[from..<to]), at: from) }
        default: // A blank, a fold or worse before a colon.
            let colons = message.indices.filter { message[$0] == 58 }
            guard !colons.isEmpty else { return }
            message.insert(contentsOf: piece(), at: colons[below(colons.count)])
        }
    }

    private static let bytes: [UInt8] = [0, 1, 7, 8, 9, 10, 11, 13, 27, 32, 34, 44, 58, 59, 60, 62, 64, 92, 127, 128, 160, 194, 226, 255]
    private static let pieces: [[UInt8]] = [
        "\n", "\r", "\r\n", "\r\n\r\n", "\n\n", "\r\n ", "\r\n\t", " \r\n", "\0", "\u{1}", "\t", " ", "\\", "\\\u{0}", "\"", "\"\\\u{7}\"", ":", " :",
        "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "%0d%0a", "<", ">", ",", ";",
    ].map { Array($0.utf8) }
    private static let lines: [[UInt8]] = [
        "Content-Length: 0", "Content-Length: 4", "l: 0", "L : 5", "Content-Length: -1", "Content-Length: +4", "Content-Length: 4, 4", "Content-Length:",
        "Content-Length: 00000000000000000000004", "content-length\t:\t4", "Content-Length: 99999999999999999999", "Content_Length: 3",
        "P-Asserted-Identity: <sip:boss@y>", "P-Asserted-Identity : <sip:boss@y>", "P-Asserted-Identity\r\n : <sip:boss@y>",
        "X-Tandem-Customer: boss", "x-TANDEM-Customer \t: boss", "X-Tandem-Flow: <sip:boss@y>", "To\u{1}: <sip:boss@y>", "T: <sip:boss@y>", "f: <sip:boss@y>;tag=1",
        "Via: SIP/2.0/UDP boss", "v:SIP/2.0/UDP boss,SIP/2.0/UDP boss", "Route: <sip:boss@y;lr>", "Max-Forwards: 1", "Call-ID: boss", "CSeq: 7 BYE", "X: \"a\\\"",
        " folded", "\tfolded: no", "X-Hdr :", ":", "", "X", "Transfer-Encoding: chunked", "INVITE sip:boss@y SIP/2.0", "SIP/2.0 200 OK",
    ].map { Array($0.utf8) }

    private mutating func piece() -> [UInt8] { Self.pieces[below(Self.pieces.count)] }

    private mutating func line() -> [UInt8] {
        let end: [UInt8] = switch below(8) {
        case 0: [10]
        case 1: [13]
        default: [13, 10]
        }
        return Self.lines[below(Self.lines.count)] + end
    }

    private mutating func lineStart(in message: [UInt8]) -> Int {
        let starts = message.indices.filter { $0 > 0 && message[$0 - 1] == 10 }
        return starts.isEmpty ? 0 : starts[below(starts.count)]
    }

    /// SplitMix64: the same everywhere for the same seed.
    private mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(Swift.max(bound, 1)))
    }
}
