public import RTP

// Where an incoming packet lies in time, and what becomes of the time before it.
extension Transcoder {
    /// The next packet of sound, after `lost` packets that never came; false when its payload is none of the coding's.
    @discardableResult
    public mutating func sound(
        _ payload: Span<UInt8>, timestamp: Timestamp, lost: Int = 0, into packets: inout TranscodedPackets
    ) -> Bool {
        guard let samples = decoder.samples(in: payload) else {
            damaged += 1
            return false
        }
        let isAlone = pause == .coded && (wasFilled || timestamp != expected)
        align(timestamp, lost: lost, payload, into: &packets)
        if add(.packet, samples: samples, payload, into: &packets) == 0 {
            damaged += 1
            conceal(samples, into: &packets)
        }
        expected = timestamp.advanced(by: ticks(samples))
        if pause == .described { noise.fade() }
        // A single packet within a pause refreshes its noise (RFC 6716 §2.1.9); two in a row are sound again.
        pause = isAlone || decoder.endsInPause(payload) ? .coded : .none
        wasFilled = false
        return true
    }

    /// A description of silence (RFC 3389): the sound has ended, and noise is what `fill` makes from here on.
    public mutating func comfortNoise(
        _ payload: Span<UInt8>, timestamp: Timestamp, lost: Int = 0, into packets: inout TranscodedPackets
    ) {
        guard noise.describe(payload) else {
            damaged += 1
            return
        }
        align(timestamp, lost: lost, Span(), into: &packets)
        expected = timestamp
        pause = .described
    }

    /// Whether the source has said that it pauses, so that `fill` makes sense.
    public var isPausing: Bool { pause != .none }

    /// One packet of what a pause sounds like, in place of a packet that will not come: noise as it was described, or what the
    /// codec makes of it.
    public mutating func fill(into packets: inout TranscodedPackets) {
        guard pause != .none, let last = expected else { return }
        let samples = samplesPerPacket
        add(pause == .described ? .noise : .loss, samples: samples, Span(), into: &packets)
        expected = last.advanced(by: ticks(samples))
        wasFilled = true
    }

    /// The source is replaced, or starts anew: `elapsed` has passed since its last packet (RFC 3550 §8).
    public mutating func interrupt(afterMilliseconds elapsed: Int, into packets: inout TranscodedPackets) {
        finish(into: &packets)
        skip(max(0, min(elapsed, 3_600_000)) * decoder.rate / 1000)
        (expected, pause, surplus) = (nil, .none, 0)
    }

    // MARK: The time before a packet

    private mutating func align(
        _ timestamp: Timestamp, lost: Int, _ payload: Span<UInt8>, into packets: inout TranscodedPackets
    ) {
        guard let expected else { return }
        var gap = timestamp.distance(from: expected)
        let second = decoder.coding.clockRate
        if gap < 0 {
            // A pause that was filled too far, or a source that set its clock anew: sound goes on where it is.
            if pause != .none, gap > -second { surplus -= gap }
            if gap <= -second { isAfterPause = true }
            return
        }
        if gap > 120 * second {
            isAfterPause = true
            return
        }
        let owed = min(gap, surplus)
        (gap, surplus) = (gap - owed, surplus - owed)
        guard gap > 0 else { return }
        let missing = samples(gap)
        let longest = decoder.rate * settings.longestConcealment / 1000
        if lost > 0 || pause != .none, missing <= longest {
            concealBefore(payload, missing, isLost: lost > 0, into: &packets)
        } else {
            leavePause(missing, into: &packets)
        }
    }

    /// Fills a gap up to the packet whose payload this is.
    private mutating func concealBefore(
        _ payload: Span<UInt8>, _ missing: Int, isLost: Bool, into packets: inout TranscodedPackets
    ) {
        if pause == .described {
            add(.noise, samples: missing, Span(), into: &packets)
        } else if isLost, !payload.isEmpty {
            concealed += ticks(missing)
            add(.redundancy, samples: missing, payload, into: &packets)
        } else {
            conceal(missing, into: &packets)
        }
    }

    private mutating func conceal(_ samples: Int, into packets: inout TranscodedPackets) {
        concealed += ticks(samples)
        add(.loss, samples: samples, Span(), into: &packets)
    }

    /// A gap that is no loss, or too long to hide: the packet that has begun is ended softly, and time goes on.
    private mutating func leavePause(_ missing: Int, into packets: inout TranscodedPackets) {
        var rest = missing
        if pendingCount > 0 {
            let tail = min(rest, samplesPerPacket - min(samplesPerPacket, pendingInDecoderSamples))
            if tail > 0 { add(.loss, samples: tail, Span(), into: &packets) }
            rest -= tail
        }
        guard rest > 0 else { return }
        finish(into: &packets)
        skip(rest)
    }
}
