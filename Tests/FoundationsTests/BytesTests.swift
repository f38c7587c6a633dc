import Bytes
import Testing

@Suite("Bytes")
struct BytesTests {
    @Test(
        "RFC 4648 §10: the test vectors of Base 64",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func base64Vectors(_ plain: String, _ coded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == coded)
        #expect(Base64.decode(coded.utf8) == Array(plain.utf8))
    }

    @Test("RFC 4648 §5: the URL-safe alphabet has no padding, and the alphabets are not mixed")
    func base64URL() {
        let bytes: [UInt8] = [0xfb, 0xff, 0xfe, 0x01]
        #expect(Base64.encode(bytes) == "+//+AQ==")
        #expect(Base64.encode(bytes, .urlSafe) == "-__-AQ")
        #expect(Base64.decode("-__-AQ".utf8, .urlSafe) == bytes)
        #expect(Base64.decode("-__-AQ".utf8) == nil)
        #expect(Base64.decode("+//+AQ==".utf8, .urlSafe) == nil)
    }

    @Test("Base 64 that no encoder writes is refused", arguments: ["A", "Zm9v!", "Zm 9v"])
    func base64Refuses(_ text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test("Every length of bytes survives Base 64 and hexadecimal")
    func roundTrips() {
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
            #expect(Base64.decode(Base64.encode(bytes, .urlSafe).utf8, .urlSafe) == bytes)
            #expect(Hexadecimal.decode(Hexadecimal.encode(bytes).utf8) == bytes)
        }
    }

    @Test("URL-safe text is the same written into memory, and read from there in its one spelling only", arguments: 0..<64)
    func base64InPlace(_ length: Int) {
        // Every value of six bits stands at every place of a word.
        for shift in 0..<64 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 67 &+ shift &* 4 &+ $0 >> 3) }
            let text = [UInt8](unsafeUninitializedCapacity: 96) { buffer, count in
                var output = OutputSpan(buffer: buffer, initializedCount: 0)
                Base64.writeURLSafe(bytes.span, into: &output)
                count = output.finalize(for: buffer)
            }
            #expect(text == Array(Base64.encode(bytes, .urlSafe).utf8))
            var read = InlineArray<64, UInt8>(repeating: 0xff)
            var count = 0
            let isRead = Base64.readURLSafe(text.span, into: &read, count: &count)
            #expect(isRead && count == length && read.span.extracting(0..<count).array() == bytes)
            guard !text.isEmpty else { continue }
            for wrong in [UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="), 0, 32, 64, 91, 96, 123, 127, 128, 200, 255] {
                var spoilt = text
                spoilt[(shift &* 5) % text.count] = wrong
                #expect(!Base64.readURLSafe(spoilt.span, into: &read, count: &count), "\(wrong)")
            }
        }
    }

    @Test("Hexadecimal is written in lower case and read in both", arguments: ["00ff7a", "00FF7A", "00fF7a"])
    func hexadecimal(_ text: String) {
        #expect(Hexadecimal.decode(text.utf8) == [0, 255, 0x7a])
        #expect(Hexadecimal.encode([0, 255, 0x7a] as [UInt8]) == "00ff7a")
    }

    @Test("What is no hexadecimal is refused", arguments: ["0", "0g", " 00", "0x00"])
    func hexadecimalRefuses(_ text: String) {
        #expect(Hexadecimal.decode(text.utf8) == nil)
    }

    @Test("Decimal numbers are digits only and never wrap")
    func decimal() {
        let table: [(String, UInt64?)] = [
            ("0", 0), ("007", 7), ("18446744073709551615", .max), ("18446744073709551616", nil), ("", nil), ("-1", nil), ("+1", nil),
            ("1 ", nil), ("12a", nil),
        ]
        for (text, value) in table { #expect(ASCII.decimal(text.utf8) == value, "\(text)") }
    }

    @Test("Letters compare without case; nothing else does")
    func caseFolding() {
        #expect(ASCII.equalsIgnoringCase("Call-ID", "cALL-id"))
        #expect(!ASCII.equalsIgnoringCase("Call-ID", "Call-I"))
        // `@` and the back-quote differ from each other only in the bit that tells a letter's case.
        #expect(!ASCII.equalsIgnoringCase("@", "`"))
        #expect(!ASCII.equalsIgnoringCase("[", "{"))
    }

    @Test("Hashes are the same in every process: they are written into tokens and placements")
    func stableHash() {
        #expect(StableHash.hash("abc".utf8) == StableHash.hash(Array("abc".utf8).span))
        #expect(StableHash.hash("abc".utf8) != StableHash.hash("abd".utf8))
        #expect(StableHash.hash("abc".utf8) != StableHash.hash("abc".utf8, seed: 1))
        #expect(StableHash.avalanche(1) == 0xb456_bcfc_34c2_cb2c)
    }

    @Test("Rendezvous: losing a candidate moves only the keys it had, and the load is even")
    func rendezvous() throws {
        let candidates = (1...5).map { StableHash.hash("instance-\($0)".utf8) }
        var load = [UInt64: Int]()
        for number in UInt64(1)...5000 {
            let key = StableHash.avalanche(number)
            let chosen = candidates[try #require(Rendezvous.pick(key: key, among: candidates))]
            load[chosen, default: 0] += 1
            let fewer = candidates.filter { $0 != candidates[2] }
            let next = fewer[try #require(Rendezvous.pick(key: key, among: fewer))]
            if chosen != candidates[2] { #expect(next == chosen) }
        }
        #expect(load.count == 5)
        #expect(load.values.allSatisfy { (800...1200).contains($0) })
        #expect(Rendezvous.pick(key: 1, among: [UInt64]()) == nil)
    }

    /// What is searched for, and which bytes are meant.
    enum Search: CaseIterable {
        case control, comma, uriDelimiter, valueDelimiter, nonHost

        func isMeant(_ byte: UInt8) -> Bool {
            switch self {
            case .control: byte < 32 || byte == 127
            case .comma: byte == UInt8(ascii: ",")
            case .uriDelimiter: byte < UInt8(ascii: "&") || ":;<=>?@".utf8.contains(byte) || byte > UInt8(ascii: "~")
            case .valueDelimiter: byte < UInt8(ascii: "#") || ",;<=>".utf8.contains(byte)
            case .nonHost: !("0"..."9" ~= Unicode.Scalar(byte) || "a"..."z" ~= Unicode.Scalar(byte | 32) || "-._".utf8.contains(byte))
            }
        }

        func first(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
            switch self {
            case .control: bytes.firstControl(from: start, to: end)
            case .comma: bytes.firstIndex(of: UInt8(ascii: ","), from: start, to: end)
            case .uriDelimiter: bytes.firstURIDelimiter(from: start, to: end)
            case .valueDelimiter: bytes.firstValueDelimiter(from: start, to: end)
            case .nonHost: bytes.firstNonHost(from: start, to: end)
            }
        }
    }

    @Test("Every byte is found or passed over as its kind wants, wherever it stands and wherever the range ends", arguments: Search.allCases)
    func searches(_ search: Search) {
        let filler = UInt8(ascii: "x")
        for byte in UInt8.min ... .max {
            for (length, place) in [(1, 0), (7, 6), (15, 3), (16, 15), (17, 16), (40, 31), (40, 39)] {
                var bytes = [UInt8](repeating: filler, count: length)
                bytes[place] = byte
                #expect(search.first(bytes.span, from: 0, to: length) == (search.isMeant(byte) ? place : length), "\(byte) at \(place)")
                // What stands behind the range, or before it, does not count.
                #expect(search.first(bytes.span, from: 0, to: place) == place)
                #expect(search.first(bytes.span, from: place + 1, to: length) == length)
            }
        }
    }
}
