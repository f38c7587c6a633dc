/// An extended report (RFC 3611): what is told beyond loss and jitter.
public struct ExtendedReport: Hashable, Sendable {
    public enum Block: Hashable, Sendable {
        /// §4.4: the clock of who sends no sound, and so no sender report that could be answered.
        case referenceTime(ntpTime: UInt64)
        /// §4.5: its answer, to each that sent one.
        case delaysSinceReference([Delay])
        /// §4.7.
        case voice(VoiceMetrics)
        /// One this module gives no meaning to.
        case other(type: UInt8)
    }

    public struct Delay: Hashable, Sendable {
        /// Whose reference time it was.
        public var ssrc: SSRC
        /// Its middle 32 bits; zero when there was none.
        public var lastReference: UInt32
        /// Since it came, in 1/65536 s.
        public var delay: UInt32

        public init(ssrc: SSRC, lastReference: UInt32, delay: UInt32) {
            (self.ssrc, self.lastReference, self.delay) = (ssrc, lastReference, delay)
        }
    }

    /// Who reports.
    public var ssrc: SSRC
    public var blocks: [Block]

    public init(ssrc: SSRC, blocks: [Block]) { (self.ssrc, self.blocks) = (ssrc, blocks) }
}

/// How a call sounds to its receiver (RFC 3611 §4.7).
public struct VoiceMetrics: Hashable, Sendable {
    /// The value of a field nobody measures.
    public static let unavailable: UInt8 = 127

    /// How losses are hidden from the ear (§4.7.6).
    public enum Concealment: UInt8, Hashable, Sendable {
        case unspecified, disabled, enhanced, standard
    }

    /// Whose sound it was.
    public var ssrc: SSRC
    /// Shares in 1/256: lost on the way, and come too late to be played.
    public var lossRate: UInt8 = 0
    public var discardRate: UInt8 = 0
    /// Shares in 1/256 within bursts and gaps, whose mean lengths are in ms.
    public var burstDensity: UInt8 = 0
    public var gapDensity: UInt8 = 0
    public var burstDuration: UInt16 = 0
    public var gapDuration: UInt16 = 0
    /// In ms.
    public var roundTripDelay: UInt16 = 0
    public var endSystemDelay: UInt16 = 0
    public var signalLevel = VoiceMetrics.unavailable
    public var noiseLevel = VoiceMetrics.unavailable
    public var residualEchoReturnLoss = VoiceMetrics.unavailable
    public var gapMinimum = UInt8(LossPattern.gapMinimum)
    /// 0...100 (ITU-T G.107).
    public var rating = VoiceMetrics.unavailable
    public var externalRating = VoiceMetrics.unavailable
    /// Opinion scores in tenths: of listening, and of conversing.
    public var listeningScore = VoiceMetrics.unavailable
    public var conversationalScore = VoiceMetrics.unavailable
    public var concealment = Concealment.unspecified
    public var isJitterBufferAdaptive = false
    /// Delays of the jitter buffer in ms.
    public var jitterBufferNominal: UInt16 = 0
    public var jitterBufferMaximum: UInt16 = 0
    public var jitterBufferLimit: UInt16 = 0

    public init(ssrc: SSRC) { self.ssrc = ssrc }

    /// What it says of the conversation, 1...5; nil when it says nothing.
    public var meanOpinionScore: Double? {
        (10...50).contains(conversationalScore) ? Double(conversationalScore) / 10 : nil
    }
}
