import Audio
import MediaStream
import Testing

@Suite("What is said on a media stream")
struct MessageTests {
    private func parse(_ text: String) throws(MessageError) -> Message { try Message(parsing: Array(text.utf8)) }

    @Test("Messages of the other side")
    func messages() throws {
        #expect(try parse(#"{"event":"media","streamSid":"x","media":{"payload":"AQID"}}"#) == .media([1, 2, 3]))
        #expect(try parse(#"{"event":"mark","streamSid":"x","mark":{"name":"end"}}"#) == .mark("end"))
        #expect(try parse(#"{"event":"clear","streamSid":"x"}"#) == .clear)
        #expect(try parse(#"{"event":"stop"}"#) == .stop)
        #expect(try parse(#"{"event":"later"}"#) == .other)
    }

    @Test("What is no message says why", arguments: [
        ("", MessageError.notJSON), ("{", .notJSON), ("[]", .noEvent), (#"{"event":1}"#, .noEvent), (#"{"event":"media"}"#, .noPayload),
        (#"{"event":"media","media":{"payload":"%"}}"#, .badPayload), (#"{"event":"mark","mark":{}}"#, .badName),
        (#"{"a":"# + String(repeating: "[", count: 20), .notJSON),
    ])
    func mistakes(text: String, error: MessageError) {
        #expect(throws: error) { try parse(text) }
    }

    @Test("What we say is counted, and has the stream's id, its format and what was given to be handed through")
    func narrator() throws {
        var narrator = Narrator(
            .init(
                customerID: "cust_1", streamID: "part_1", callID: "call_1", conferenceID: nil, tracks: ["inbound"],
                format: try #require(Format(named: "slin16")), parameters: ["a": "b\"c"]))
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        #expect(text(narrator.connected()) == #"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)
        let start = text(narrator.start())
        for part in [
            #""event":"start""#, #""sequenceNumber":"1""#, #""streamSid":"part_1""#, #""callSid":"call_1""#, #""tracks":["inbound"]"#,
            #""mediaFormat":{"channels":1,"encoding":"audio/l16","sampleRate":16000}"#, #""customParameters":{"a":"b\"c"}"#,
        ] { #expect(start.contains(part), "\(part)") }
        #expect(
            text(narrator.media([1, 2, 3], at: 20))
                == #"{"event":"media","media":{"chunk":"1","payload":"AQID","timestamp":"20","track":"inbound"},"sequenceNumber":"2","streamSid":"part_1"}"#)
        #expect(text(narrator.digit("5")).contains(#""dtmf":{"digit":"5","track":"inbound_track"}"#))
        #expect(text(narrator.mark("m")).contains(#""sequenceNumber":"4""#))
        #expect(text(narrator.stop(reason: "requested")).contains(#""reason":"requested""#))
    }

    @Test("A tone comes through the coder as it was, both ways, whatever the pieces; an odd byte waits for its other half", arguments: Format.all)
    func coder(format: Format) throws {
        var coder = try Coder(format)
        var tone = Tone(frequency: 1000, level: .dBm0(-10))
        var there: [UInt8] = []
        for _ in 0..<50 { there += try coder.encode(G711.encode(tone.next(160), .ulaw)) }
        let expected = 50 * format.frameBytes
        #expect(abs(there.count - expected) <= 2 * format.frameBytes, "\(there.count) of \(expected)")
        var back: [UInt8] = []
        for start in stride(from: 0, to: there.count, by: 333) { back += try coder.decode(Array(there[start..<min(start + 333, there.count)])) }
        var meter = ToneMeter(window: 1600)
        meter.append(G711.decode(back, .ulaw).suffix(3200))
        #expect(abs(meter.hears(1000) - Level.dBm0(-10).dBFS) < 0.5)
        #expect(meter.tones(among: [500, 1000, 2000, 3000]) == [1000])
    }
}
