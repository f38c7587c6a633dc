import Audio
import Codecs
import Contracts
import Deadlines
import MediaSession
import RTP

/// Turns the packets of one session, both directions, into the bytes of a WAV file: a pure value, to be written by whoever has it.
struct Recording {
    enum Side: UInt64 { case said, heard }

    struct Terms: Sendable {
        var isStereo = true
        var encoding = WAVWriter.Encoding.linear
        var keepsDigits = true
        /// Samples of each side, and bytes of the file.
        var longest = 3600 * 8000
        var largest = 1 << 30

        var width: Int { (isStereo ? 2 : 1) * (isLinear ? 2 : 1) }
        private var isLinear: Bool { if case .linear = encoding { true } else { false } }
    }

    /// A packet may come so late and still find its place.
    static let patience = Interval.milliseconds(500)

    let terms: Terms
    private let began: Instant
    private var said = SoundTimeline()
    private var heard = SoundTimeline()
    private let saidSilencer: KeySilencer?
    private let heardSilencer: KeySilencer?
    private let saidDecoder = SoundDecoder()
    private let heardDecoder = SoundDecoder()
    private var left: [Int16] = []
    private var right: [Int16] = []
    /// Samples of each side that have been given out.
    private(set) var length = 0

    static let headerLength = 44

    init(_ terms: Terms, now: Instant) throws(CodecError) {
        (self.terms, began) = (terms, now)
        (saidSilencer, heardSilencer) = terms.keepsDigits ? (nil, nil) : (try KeySilencer(), try KeySilencer())
    }

    /// How many samples it may hold.
    private var limit: Int { max(0, min(terms.longest, (terms.largest - Self.headerLength) / terms.width)) }
    var isFull: Bool { length >= limit }
    var milliseconds: Int { length / 8 }
    var dataBytes: Int { length * terms.width }

    /// The file's beginning as it is to be for what was given out.
    var header: [UInt8] {
        WAVWriter.header(dataBytes: UInt32(clamping: dataBytes), terms.encoding, channels: terms.isStereo ? 2 : 1)
    }

    /// A packet of the inside: PCMU or an event.
    mutating func packet(_ packet: Span<UInt8>, _ side: Side, arrived: Instant) {
        guard let header = try? Header(parsing: packet) else { return }
        let payload = packet.extracting(header.payloadRange)
        let arrival = position(arrived)
        switch header.payloadType {
        case .pcmu:
            if side == .said { said.place(payload, of: header, arrival: arrival) } else { heard.place(payload, of: header, arrival: arrival) }
        case Session.insideEventPayloadType where !terms.keepsDigits:
            guard let event = try? TelephoneEvent(parsing: payload) else { return }
            let duration = Int(event.duration)
            if side == .said {
                said.mute(header, duration: duration, arrival: arrival)
            } else {
                heard.mute(header, duration: duration, arrival: arrival)
            }
        default: break
        }
    }

    /// A packet as a phone sent it, in this coding.
    mutating func packet(_ packet: Span<UInt8>, _ side: Side, as coding: Coding, arrived: Instant) {
        guard let header = try? Header(parsing: packet) else { return }
        let payload = packet.extracting(header.payloadRange)
        let arrival = position(arrived)
        if side == .said {
            said.place(saidDecoder.decode(payload, coding), of: header, clockRate: coding.clockRate, arrival: arrival)
        } else {
            heard.place(heardDecoder.decode(payload, coding), of: header, clockRate: coding.clockRate, arrival: arrival)
        }
    }

    /// Appends what is certain by now to the bytes of the file; at the end, all up to now.
    mutating func advance(to now: Instant, isLast: Bool = false, into bytes: inout [UInt8]) {
        let end = position(isLast ? now : now + Interval(nanoseconds: -Self.patience.nanoseconds))
        let before = said.start
        guard end > before || isLast else { return }
        said.take(until: end, into: &left)
        heard.take(until: end, into: &right)
        saidSilencer?.pass(&left)
        heardSilencer?.pass(&right)
        if isLast {
            saidSilencer?.finish(into: &left)
            heardSilencer?.finish(into: &right)
        }
        write(into: &bytes)
    }

    private mutating func write(into bytes: inout [UInt8]) {
        let count = min(left.count, right.count, limit - length)
        for index in 0..<max(0, count) {
            if terms.isStereo {
                append(left[index], to: &bytes)
                append(right[index], to: &bytes)
            } else {
                append(Int16(clamping: Int(left[index]) + Int(right[index])), to: &bytes)
            }
        }
        length += max(0, count)
        left.removeAll(keepingCapacity: true)
        right.removeAll(keepingCapacity: true)
    }

    private func append(_ sample: Int16, to bytes: inout [UInt8]) {
        switch terms.encoding {
        case .linear:
            bytes.append(UInt8(truncatingIfNeeded: sample))
            bytes.append(UInt8(truncatingIfNeeded: sample >> 8))
        case .g711(let law): bytes.append(G711.encode(sample, law))
        }
    }

    private func position(_ instant: Instant) -> Int { Int(clamping: (instant - began).nanoseconds / 125_000) }
}
