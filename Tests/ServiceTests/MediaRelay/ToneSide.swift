import Addresses
import Audio
import Codecs
import RTP
import Testing

/// How a phone or a room codes its sound, under the number its description gives that.
struct SpokenCodec: Sendable, CustomTestStringConvertible {
    let coding: Coding
    let payloadType: UInt8
    /// `G729/8000`.
    let encoding: String

    static let pcmu = SpokenCodec(coding: .pcmu, payloadType: 0, encoding: "PCMU/8000")

    /// The value of `a=rtpmap`.
    var format: String { "\(payloadType) \(encoding)" }

    /// The same as another phone may describe it: dynamic numbers are each describer's own (RFC 3551 §3).
    var renumbered: SpokenCodec { payloadType < 96 ? self : SpokenCodec(coding: coding, payloadType: payloadType + 10, encoding: encoding) }

    var testDescription: String { encoding }
}

/// An end of a session, its phone or its room: says a tone, 20 ms in a packet, and knows the sound of what it heard.
final class ToneSide {
    /// Of every tone, in dBFS.
    private static let level = Level.dBm0(-10)

    let ear: Ear
    let codec: SpokenCodec
    let frequency: Double
    /// What its packets have: of a room, the name of the session they are for.
    var ssrc: UInt32 = 5
    private var encoder: Encoder
    private var decoder: Decoder
    private var sequence = SequenceNumber(7)
    private var timestamp = Timestamp(40_000)
    private var heard: [Int16] = []
    /// How many packets were in no codec that was agreed on.
    private var strange = 0
    private var tone: Tone

    init(_ codec: SpokenCodec, frequency: Double, at address: IPAddress = .loopbackIPv4) throws {
        ear = try Ear(at: address)
        (self.codec, self.frequency) = (codec, frequency)
        encoder = try Encoder(codec.coding)
        decoder = try Decoder(codec.coding)
        // A tone counts in samples at 8 kHz.
        tone = Tone(frequency: frequency * 8000 / Double(encoder.rate), level: Self.level)
    }

    /// What comes next of the tone.
    func packet() -> [UInt8] {
        let sound = tone.next(encoder.rate / 50)
        var payload = [UInt8](repeating: 0, count: 1400)
        var room = payload.mutableSpan
        let length = encoder.encode(sound.span, into: &room, at: 0)
        var packet: [UInt8] = []
        Header(payloadType: PayloadType(codec.payloadType), sequence: sequence, timestamp: timestamp, ssrc: SSRC(ssrc)).append(to: &packet)
        (sequence, timestamp) = (sequence.next, timestamp.advanced(by: codec.coding.clockRate / 50))
        return packet + payload.prefix(length)
    }

    func say(to port: UInt16) { ear.send(packet(), to: port) }

    /// Takes what has come.
    func listen() {
        while let packet = ear.next() {
            guard let header = try? Header(parsing: packet.span), header.payloadType.value == codec.payloadType else {
                strange += 1
                continue
            }
            let payload = Array(packet[header.payloadRange])
            var sound = [Int16](repeating: 0, count: decoder.maximumSamples)
            var room = sound.mutableSpan
            let count = decoder.decode(payload.span, into: &room)
            heard += sound.prefix(count)
        }
    }

    /// A second.
    var hasHeardEnough: Bool { heard.count >= decoder.rate }

    /// Of a tone in the last half of a second, in dBFS.
    func level(of frequency: Double) -> Double {
        let end = Array(heard.suffix(decoder.rate / 2))
        return Level(amplitude: Goertzel.amplitude(of: frequency, in: end.span, rate: decoder.rate)).dBFS
    }

    /// Whether it heard the other's tone for a second, at the end as loud as that was said, and nothing of its own.
    func hears(_ other: ToneSide) -> Bool {
        hasHeardEnough && strange == 0 && abs(level(of: other.frequency) - Self.level.dBFS) < 3 && level(of: frequency) < -45
    }

    /// For whoever reads that it did not.
    func report(on other: ToneSide) -> Comment {
        "\(heard.count) samples, the other at \(level(of: other.frequency)) dBFS, itself at \(level(of: frequency)), \(strange) strange packets"
    }
}

/// Each says a second and a bit of its tone to the port it is given, and hears the other, however long the relay stands still.
func talk(_ first: (side: ToneSide, to: UInt16), _ second: (side: ToneSide, to: UInt16)) async throws {
    for _ in 0..<60 {
        first.side.say(to: first.to)
        second.side.say(to: second.to)
        try await Task.sleep(for: .milliseconds(5))
        first.side.listen()
        second.side.listen()
    }
    for _ in 0..<6_000 where !first.side.hasHeardEnough || !second.side.hasHeardEnough {
        try await Task.sleep(for: .milliseconds(20))
        first.side.listen()
        second.side.listen()
    }
}
