import Codecs
import SDP

/// What the payload types of a phone mean to whoever records what it says, in numbers that fit the ring between the threads.
struct SoundFormats: Sendable {
    /// No coding that can be recorded.
    static let none: UInt8 = 0
    /// By their numbers, from one on.
    private static let codings: [Coding] = [.pcmu, .pcma, .g722, .opus, .g729, .gsm, .linear(rate: 8000), .linear(rate: 16_000)]

    private var numbers = InlineArray<128, UInt8>(repeating: none)

    init(_ formats: [AgreedFormat]) {
        for format in formats where format.receivingPayloadType < 128 {
            let codec = format.codec
            guard let coding = Coding(name: codec.name, clockRate: Int(codec.clockRate), channels: codec.channels),
                let place = Self.codings.firstIndex(of: coding)
            else { continue }
            numbers[Int(format.receivingPayloadType)] = UInt8(place + 1)
        }
    }

    /// Of an RTP packet, by the octet that names its payload type.
    func number(of packet: Span<UInt8>) -> UInt8 { packet.count < 2 ? Self.none : numbers[Int(packet[1] & 0x7f)] }

    static func coding(_ number: UInt8) -> Coding? {
        number > 0 && Int(number) <= codings.count ? codings[Int(number) - 1] : nil
    }
}
