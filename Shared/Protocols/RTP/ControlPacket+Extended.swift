// Extended reports as packets: type 207 (RFC 3611 §2).
extension ExtendedReport {
    static let packetType: UInt8 = 207
    private enum BlockType {
        static let referenceTime: UInt8 = 4
        static let delays: UInt8 = 5
        static let voice: UInt8 = 7
    }
    private static let voiceLength = 32

    /// What follows the header of the packet.
    init(parsing body: Span<UInt8>) throws(ParseError) {
        guard body.count >= 4 else { throw .inconsistent }
        ssrc = SSRC(body.bigEndian32(at: 0))
        blocks = []
        var start = 4
        while start < body.count {
            guard body.count - start >= 4 else { throw .inconsistent }
            let end = start + 4 + 4 * Int(body.bigEndian16(at: start + 2))
            guard end <= body.count else { throw .inconsistent }
            blocks.append(Self.block(body[start], octet: body[start + 1], body.extracting(start + 4..<end)))
            start = end
        }
    }

    /// A block of the wrong length is passed over, as one of an unknown type is (§3).
    private static func block(_ type: UInt8, octet: UInt8, _ content: Span<UInt8>) -> Block {
        switch type {
        case BlockType.referenceTime where content.count == 8:
            return .referenceTime(ntpTime: UInt64(content.bigEndian32(at: 0)) << 32 | UInt64(content.bigEndian32(at: 4)))
        case BlockType.delays where content.count % 12 == 0:
            return .delaysSinceReference(
                stride(from: 0, to: content.count, by: 12).map { at in
                    Delay(
                        ssrc: SSRC(content.bigEndian32(at: at)), lastReference: content.bigEndian32(at: at + 4),
                        delay: content.bigEndian32(at: at + 8))
                })
        case BlockType.voice where content.count == voiceLength: return .voice(VoiceMetrics(parsing: content))
        default: return .other(type: type)
        }
    }

    /// Everything after the four octets of the packet's header.
    func appendBody(to packet: inout [UInt8]) {
        packet.appendBigEndian(ssrc.value)
        for block in blocks {
            switch block {
            case .referenceTime(let time):
                packet += [BlockType.referenceTime, 0, 0, 2]
                packet.appendBigEndian(UInt32(truncatingIfNeeded: time >> 32))
                packet.appendBigEndian(UInt32(truncatingIfNeeded: time))
            case .delaysSinceReference(let delays):
                packet += [BlockType.delays, 0]
                packet.appendBigEndian(UInt16(3 * min(delays.count, 31)))
                for delay in delays.prefix(31) {
                    packet.appendBigEndian(delay.ssrc.value)
                    packet.appendBigEndian(delay.lastReference)
                    packet.appendBigEndian(delay.delay)
                }
            case .voice(let metrics):
                packet += [BlockType.voice, 0, 0, 8]
                metrics.append(to: &packet)
            case .other(let type): packet += [type, 0, 0, 0]
            }
        }
    }
}

extension VoiceMetrics {
    /// The 32 octets after the block's header, whose places are those of the figure in §4.7.
    fileprivate init(parsing content: Span<UInt8>) {
        self.init(ssrc: SSRC(content.bigEndian32(at: 0)))
        (lossRate, discardRate, burstDensity, gapDensity) = (content[4], content[5], content[6], content[7])
        (burstDuration, gapDuration) = (content.bigEndian16(at: 8), content.bigEndian16(at: 10))
        (roundTripDelay, endSystemDelay) = (content.bigEndian16(at: 12), content.bigEndian16(at: 14))
        (signalLevel, noiseLevel, residualEchoReturnLoss, gapMinimum) = (content[16], content[17], content[18], content[19])
        (rating, externalRating, listeningScore, conversationalScore) = (content[20], content[21], content[22], content[23])
        concealment = Concealment(rawValue: content[24] >> 6) ?? .unspecified
        isJitterBufferAdaptive = content[24] >> 4 & 3 == 3
        (jitterBufferNominal, jitterBufferMaximum) = (content.bigEndian16(at: 26), content.bigEndian16(at: 28))
        jitterBufferLimit = content.bigEndian16(at: 30)
    }

    fileprivate func append(to packet: inout [UInt8]) {
        packet.appendBigEndian(ssrc.value)
        packet += [lossRate, discardRate, burstDensity, gapDensity]
        for value in [burstDuration, gapDuration, roundTripDelay, endSystemDelay] { packet.appendBigEndian(value) }
        packet += [signalLevel, noiseLevel, residualEchoReturnLoss, gapMinimum]
        packet += [rating, externalRating, listeningScore, conversationalScore]
        packet += [concealment.rawValue << 6 | (isJitterBufferAdaptive ? 3 : 2) << 4, 0]
        for value in [jitterBufferNominal, jitterBufferMaximum, jitterBufferLimit] { packet.appendBigEndian(value) }
    }
}
