internal import RTP

// What the two directions of a leg were like: ours by what came, the phone's by what it reports.
extension Session {
    /// What we heard of the phone.
    var received: StreamQuality {
        var quality = StreamQuality()
        quality.packets = counts.outsideIn
        quality.lost = lostBefore + max(0, receiver.lost)
        quality.jitterMilliseconds = receiver.jitter * 1000 / Double(receiver.clockRate)
        quality.burstRatio = receiver.pattern.burstRatio
        guard quality.packets > 0, let plan else { return quality }
        // The room's buffer waits about as long as packets scatter; it fills a gap with what it had, which is not G.711's appendix I.
        let model = EModel(
            .init(codec: plan.codec, conceals: false), loss: quality.lossShare, burstRatio: quality.burstRatio,
            delay: delay(buffer: max(20, 2 * quality.jitterMilliseconds)))
        quality.meanOpinionScore = model.meanOpinionScore
        return quality
    }

    /// What the phone heard of us; nil when it has not said.
    var sent: StreamQuality? {
        guard let block = control.block else { return nil }
        var quality = StreamQuality()
        quality.lost = max(0, Int(block.cumulativeLost))
        quality.packets = max(0, control.sentAtBlock - quality.lost)
        quality.jitterMilliseconds = Double(block.jitter) * 1000 / Double(max(1, outside.clockRate))
        guard let plan else { return quality }
        var share = quality.lossShare
        var (buffer, conceals) = (max(20, 2 * quality.jitterMilliseconds), true)
        if let voice = control.voice {
            // What came too late to be played is lost to the ear (RFC 3611 §4.7.1).
            share = max(share, Double(Int(voice.lossRate) + Int(voice.discardRate)) / 256)
            if voice.jitterBufferNominal > 0 { buffer = Double(voice.jitterBufferNominal) }
            conceals = voice.concealment != .disabled
        }
        let model = EModel(.init(codec: plan.codec, conceals: conceals), loss: share, delay: delay(buffer: buffer))
        quality.meanOpinionScore = control.voice?.meanOpinionScore ?? model.meanOpinionScore
        return quality
    }

    /// From mouth to ear of this leg: half the way there and back, a packet, and a jitter buffer.
    private func delay(buffer: Double) -> Double {
        (counts.roundTripMilliseconds ?? 0) / 2 + Double(plan?.packetSamples ?? 160) / 8 + buffer
    }

    public var statistics: SessionStatistics {
        var statistics = counts
        (statistics.received, statistics.sent) = (received, sent)
        return statistics
    }

    /// What we tell the phone of how it sounds here (RFC 3611 §4.7).
    /// Mutating, though nothing is changed: a borrowed session is so large that the compiler takes minutes to follow its parts.
    mutating func voiceMetrics(of phone: SSRC) -> VoiceMetrics {
        var metrics = VoiceMetrics(ssrc: phone)
        let quality = received
        let densities = receiver.pattern.densities
        let milliseconds = Double(plan?.packetSamples ?? 160) / 8
        metrics.lossRate = UInt8(clamping: Int(quality.lossShare * 256))
        metrics.burstDensity = UInt8(clamping: Int(densities.burst * 256))
        metrics.gapDensity = UInt8(clamping: Int(densities.gap * 256))
        metrics.burstDuration = UInt16(clamping: Int(densities.burstLength * milliseconds))
        metrics.gapDuration = UInt16(clamping: Int(densities.gapLength * milliseconds))
        metrics.roundTripDelay = UInt16(clamping: Int(counts.roundTripMilliseconds ?? 0))
        metrics.endSystemDelay = UInt16(clamping: Int(milliseconds + max(20, 2 * quality.jitterMilliseconds)))
        metrics.concealment = .enhanced
        metrics.isJitterBufferAdaptive = true
        metrics.jitterBufferNominal = UInt16(clamping: Int(max(20, 2 * quality.jitterMilliseconds)))
        (metrics.jitterBufferMaximum, metrics.jitterBufferLimit) = (100, 100)
        guard let score = quality.meanOpinionScore, let plan else { return metrics }
        var model = EModel(.init(codec: plan.codec, conceals: false), loss: quality.lossShare, burstRatio: quality.burstRatio)
        metrics.listeningScore = UInt8(clamping: Int((model.meanOpinionScore * 10).rounded()))
        metrics.conversationalScore = UInt8(clamping: Int((score * 10).rounded()))
        model.delay = delay(buffer: Double(metrics.jitterBufferNominal))
        metrics.rating = UInt8(clamping: Int(model.rating.rounded()))
        return metrics
    }
}
