import Audio
import Testing

@Suite("G.711")
struct AudioG711Tests {
    /// Decision and output values of G.711 tables 1 and 2 (A-law scaled by 8 from 13 bits, µ-law by 4 from 14).
    @Test(
        "G.711 tables 1b and 2b: known code words decode to their output values",
        arguments: [
            (G711.Law.ulaw, UInt8(0x80), Int16(32124)), (.ulaw, 0x00, -32124), (.ulaw, 0xff, 0), (.ulaw, 0x7f, 0),
            (.ulaw, 0x8f, 16764), (.ulaw, 0x90, 15996), (.ulaw, 0xfe, 8), (.ulaw, 0xef, 132), (.ulaw, 0xf0, 120),
            (.ulaw, 0x9f, 8316),
            (.alaw, 0xaa, 32256), (.alaw, 0x2a, -32256), (.alaw, 0xd5, 8), (.alaw, 0x55, -8), (.alaw, 0xc5, 264),
            (.alaw, 0xda, 248), (.alaw, 0xa5, 16896), (.alaw, 0xba, 16128), (.alaw, 0xf5, 528),
        ])
    func knownCodes(law: G711.Law, code: UInt8, linear: Int16) {
        #expect(G711.decode(code, law) == linear)
    }

    @Test("Encoding the value of a code gives the code back", arguments: G711.Law.allCases)
    func inverse(law: G711.Law) {
        for code in UInt8.min...UInt8.max where !(law == .ulaw && code == 0x7f) {
            #expect(G711.encode(G711.decode(code, law), law) == code)
        }
        #expect(G711.encode(0, .ulaw) == 0xff)
    }

    @Test("Every sample comes back within half a step of its segment, and order is kept", arguments: G711.Law.allCases)
    func quantisation(law: G711.Law) {
        var previous = Int16.min
        for sample in Int16.min...Int16.max {
            let decoded = G711.decode(G711.encode(sample, law), law)
            // A segment is sixteen steps and starts at its own width, so half a step is at most 1/32 of the (biased) value.
            let bound = (abs(Int(sample)) + 132) / 32 + 8
            if abs(Int(decoded) - Int(sample)) > bound || decoded < previous {
                Issue.record("\(sample) became \(decoded)")
            }
            previous = decoded
        }
    }

    @Test("The laws translate into each other without drifting further at the second tandem")
    func translation() {
        for code in 0...255 {
            let alaw = G711.alawFromUlaw[code]
            #expect(alaw == G711.encode(G711.linearFromUlaw[code], .alaw))
            let back = G711.ulawFromAlaw[Int(alaw)]
            #expect(G711.alawFromUlaw[Int(back)] == alaw)
        }
        #expect(G711.alawFromUlaw[0xff] == 0xd5)
        #expect(G711.ulawFromAlaw[0xaa] == 0x80)
    }

    /// The periodic sequence of G.711 tables 5 and 6: a 1 kHz sine at 0 dBm0.
    @Test(
        "G.711 tables 5 and 6: the digital milliwatt is 0 dBm0",
        arguments: [
            (G711.Law.alaw, [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4] as [UInt8]),
            (.ulaw, [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e]),
        ])
    func digitalMilliwatt(law: G711.Law, period: [UInt8]) {
        var meter = ToneMeter()
        for _ in 0..<200 { meter.append(G711.decode(period, law)) }
        #expect(abs(meter.level - Level.dBm0(0).dBFS) < 0.1)
        #expect(abs(meter.hears(1000) - Level.dBm0(0).dBFS) < 0.1)
    }
}
