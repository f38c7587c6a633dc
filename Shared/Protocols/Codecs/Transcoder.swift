public import RTP

/// Sound in one coding and packet length into another: decoder, change of sampling rate where the two have none in common, encoder.
///
/// The outgoing timestamps follow the incoming ones in their own clock: a loss is concealed, a pause stays a pause, and a source
/// that starts anew is carried on. Packets come in order (`JitterBuffer`); nothing is taken from the heap for one.
public struct Transcoder: ~Copyable {
    public struct Settings: Hashable, Sendable {
        /// Milliseconds in an outgoing packet; the coding takes what comes closest.
        public let packetTime: Int
        public let opus: OpusSettings
        /// A longer gap in milliseconds is not concealed but left as a pause.
        public let longestConcealment: Int
        public let hearsTones: Bool
        /// Tones are heard, and taken out of the sound.
        public let erasesTones: Bool

        public init(
            packetTime: Int = 20, opus: OpusSettings = OpusSettings(), longestConcealment: Int = 100, hearsTones: Bool = false,
            erasesTones: Bool = false
        ) {
            (self.packetTime, self.opus, self.hearsTones, self.erasesTones) = (packetTime, opus, hearsTones, erasesTones)
            self.longestConcealment = max(0, min(Coding.longestPacket, longestConcealment))
        }
    }

    /// What makes the sound between the last packet and the next.
    enum Pause { case none, described, coded }

    /// Milliseconds of outgoing sound in a packet.
    public let packetTime: Int
    /// Payloads that were none of the coding's.
    public internal(set) var damaged = 0
    /// Samples made up in place of lost ones, in the clock of the incoming coding.
    public internal(set) var concealed = 0

    var decoder: Decoder
    private var encoder: Encoder
    private let converter: SampleRateConverter?
    private var detector: ToneDetector?
    private let detectsBeforeConversion: Bool
    let settings: Settings
    var noise = ComfortNoise()
    var pause = Pause.none
    /// Since the last packet.
    var wasFilled = false

    /// Sound at the decoder's rate on its way to the converter.
    private var raw: [Int16]
    /// Sound at the encoder's rate that does not fill a packet yet.
    private var pending: [Int16]
    private(set) var pendingCount = 0
    private let packetSamples: Int

    private let origin: Timestamp
    /// Samples at the encoder's rate from `origin` to the first pending one.
    private var position = 0
    var isAfterPause = true
    /// The timestamp at which the next packet follows without a gap.
    var expected: Timestamp?
    /// By how much pauses were filled too far, in the incoming clock.
    var surplus = 0

    /// `origin` is the timestamp of the first outgoing sound.
    public init(from source: Coding, to target: Coding, origin: Timestamp, settings: Settings = Settings()) throws(CodecError) {
        let rates = Coding.rates(from: source, to: target)
        let tones = settings.hearsTones || settings.erasesTones
        guard !tones || rates.decoder == 8000 || rates.encoder == 8000 else { throw .tonesNeedTelephoneRate }
        let decoder = try Decoder(source, rate: rates.decoder)
        let encoder = try Encoder(target, rate: rates.encoder, opus: settings.opus)
        let converter =
            rates.decoder == rates.encoder ? nil : try SampleRateConverter(from: rates.decoder, to: rates.encoder)
        let detector = tones ? try ToneDetector(erasing: settings.erasesTones) : nil
        raw = Array(repeating: 0, count: converter == nil ? 0 : rates.decoder * Coding.longestPacket / 1000)
        self.decoder = decoder
        self.encoder = encoder
        self.converter = converter
        self.detector = detector
        detectsBeforeConversion = rates.encoder != 8000
        (self.settings, self.origin) = (settings, origin)
        packetTime = target.packetTime(wished: settings.packetTime)
        packetSamples = rates.encoder * packetTime / 1000
        // What is left of the last packet, the longest packet, and what the converter rounds up.
        pending = Array(repeating: 0, count: packetSamples + rates.encoder * Coding.longestPacket / 1000 + 16)
    }

    // MARK: Clocks

    /// Incoming clock ticks of samples at the decoder's rate, and the other way round.
    func ticks(_ samples: Int) -> Int { samples * decoder.coding.clockRate / decoder.rate }
    func samples(_ ticks: Int) -> Int { ticks * decoder.rate / decoder.coding.clockRate }

    /// Samples at the decoder's rate that make an outgoing packet.
    var samplesPerPacket: Int { decoder.rate * packetTime / 1000 }
    var pendingInDecoderSamples: Int { pendingCount * decoder.rate / encoder.rate }

    /// Where an incoming instant lies in the outgoing clock: the timestamp of an event that begins there.
    public func outgoing(_ timestamp: Timestamp) -> Timestamp {
        let ahead = expected.map { timestamp.distance(from: $0) } ?? 0
        return origin.advanced(by: clock(position + pendingCount) + ahead * encoder.coding.clockRate / decoder.coding.clockRate)
    }

    private func clock(_ samples: Int) -> Int { samples * encoder.coding.clockRate / encoder.rate }

    // MARK: Sound

    /// What a stretch of sound is made from.
    enum Piece { case packet, loss, redundancy, noise }

    /// Adds sound of at most the longest packet, and sends what fills packets; the samples added, at the decoder's rate.
    @discardableResult
    mutating func add(_ piece: Piece, samples: Int, _ payload: Span<UInt8>, into packets: inout TranscodedPackets) -> Int {
        let made: Int
        if converter == nil {
            made = Self.make(piece, samples, payload, &decoder, &noise, into: &pending, at: pendingCount)
            if detector != nil { Self.listen(&detector, &pending, pendingCount..<(pendingCount + made), into: &packets) }
            pendingCount += made
        } else {
            made = Self.make(piece, samples, payload, &decoder, &noise, into: &raw, at: 0)
            if detector != nil, detectsBeforeConversion { Self.listen(&detector, &raw, 0..<made, into: &packets) }
            let converted = Self.convert(raw, made, by: converter, into: &pending, at: pendingCount)
            if detector != nil, !detectsBeforeConversion {
                Self.listen(&detector, &pending, pendingCount..<(pendingCount + converted), into: &packets)
            }
            pendingCount += converted
        }
        send(into: &packets)
        return made
    }

    /// Sends whole packets of what is pending, and keeps the rest.
    private mutating func send(into packets: inout TranscodedPackets) {
        var start = 0
        while pendingCount - start >= packetSamples {
            let sent = packets.append(
                pending, start..<(start + packetSamples), by: &encoder,
                timestamp: origin.advanced(by: clock(position)), marker: isAfterPause)
            // What the encoder leaves out is a pause.
            isAfterPause = !sent
            start += packetSamples
            position += packetSamples
        }
        guard start > 0 else { return }
        pendingCount -= start
        for index in 0..<pendingCount { pending[index] = pending[start + index] }
    }

    /// Fills the packet that has begun with silence, if there is one, and sends it.
    mutating func finish(into packets: inout TranscodedPackets) {
        guard pendingCount > 0 else { return }
        while pendingCount < packetSamples {
            pending[pendingCount] = 0
            pendingCount += 1
        }
        send(into: &packets)
    }

    /// Nothing is sent for so many samples at the decoder's rate.
    mutating func skip(_ samples: Int) {
        position += samples * encoder.rate / decoder.rate
        isAfterPause = true
    }

    // Static, so that each of the memories and states is one argument, and none overlaps another.

    private static func make(
        _ piece: Piece, _ samples: Int, _ payload: Span<UInt8>, _ decoder: inout Decoder, _ noise: inout ComfortNoise,
        into memory: inout [Int16], at start: Int
    ) -> Int {
        var all = memory.mutableSpan
        var sound = all._mutatingExtracting(start..<all.count)
        let count = min(samples, sound.count)
        switch piece {
        case .packet: return decoder.decode(payload, into: &sound)
        case .loss: return decoder.conceal(samples: count, into: &sound)
        case .redundancy: return decoder.recover(samples: count, from: payload, into: &sound)
        case .noise:
            noise.fill(&sound, count: count)
            return count
        }
    }

    private static func convert(
        _ sound: [Int16], _ count: Int, by converter: borrowing SampleRateConverter?, into memory: inout [Int16], at start: Int
    ) -> Int {
        var all = memory.mutableSpan
        return converter?.convert(sound.span.extracting(0..<count), into: &all, at: start) ?? 0
    }

    private static func listen(
        _ detector: inout ToneDetector?, _ memory: inout [Int16], _ range: Range<Int>, into packets: inout TranscodedPackets
    ) {
        var all = memory.mutableSpan
        var position = range.lowerBound
        while let event = detector?.pass(&all, from: &position, to: range.upperBound) { packets.append(event) }
    }
}
