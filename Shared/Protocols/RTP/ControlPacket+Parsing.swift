extension ControlPacket {
    /// The packets of a compound. RFC 3550 §6.1 wants a report first; reduced-size ones (RFC 5506) are taken as well.
    public static func parse(_ compound: Span<UInt8>) throws(ParseError) -> [ControlPacket] {
        guard compound.count >= 8 else { throw .truncated }
        var packets: [ControlPacket] = []
        var start = 0
        while start < compound.count {
            guard compound.count - start >= 4 else { throw .truncated }
            guard compound[start] >> 6 == 2 else { throw .version }
            let end = start + 4 * (Int(compound.bigEndian16(at: start + 2)) + 1)
            guard end <= compound.count else { throw .truncated }
            var bodyEnd = end
            if compound[start] & 0x20 != 0 {
                let padding = Int(compound[end - 1])
                guard padding > 0, padding % 4 == 0, end - padding >= start + 4 else { throw .inconsistent }
                bodyEnd -= padding
            }
            packets.append(
                try parse(
                    type: compound[start + 1], count: Int(compound[start] & 31), body: compound.extracting(start + 4..<bodyEnd)))
            start = end
        }
        return packets
    }

    private static func parse(type: UInt8, count: Int, body: Span<UInt8>) throws(ParseError) -> ControlPacket {
        switch type {
        case 200:
            guard body.count >= 24 else { throw .inconsistent }
            return .senderReport(
                SenderReport(
                    ssrc: SSRC(body.bigEndian32(at: 0)),
                    ntpTime: UInt64(body.bigEndian32(at: 4)) << 32 | UInt64(body.bigEndian32(at: 8)),
                    timestamp: Timestamp(body.bigEndian32(at: 12)), packetCount: body.bigEndian32(at: 16),
                    octetCount: body.bigEndian32(at: 20), blocks: try blocks(count, in: body, from: 24)))
        case 201:
            guard body.count >= 4 else { throw .inconsistent }
            return .receiverReport(ReceiverReport(ssrc: SSRC(body.bigEndian32(at: 0)), blocks: try blocks(count, in: body, from: 4)))
        case 202:
            return .sourceDescription(try chunks(count, in: body))
        case 203:
            guard body.count >= 4 * count else { throw .inconsistent }
            let sources = (0..<count).map { SSRC(body.bigEndian32(at: 4 * $0)) }
            return .goodbye(sources: sources, reason: text(in: body, at: 4 * count))
        case ExtendedReport.packetType:
            return .extendedReport(try ExtendedReport(parsing: body))
        default:
            return .other(type: type)
        }
    }

    private static func blocks(_ count: Int, in body: Span<UInt8>, from start: Int) throws(ParseError) -> [ReportBlock] {
        guard body.count >= start + 24 * count else { throw .inconsistent }
        return (0..<count).map { index in
            let at = start + 24 * index
            let lost = body.bigEndian32(at: at + 4)
            return ReportBlock(
                ssrc: SSRC(body.bigEndian32(at: at)), fractionLost: UInt8(lost >> 24),
                cumulativeLost: Int32(bitPattern: lost << 8) >> 8, highestSequence: body.bigEndian32(at: at + 8),
                jitter: body.bigEndian32(at: at + 12), lastSenderReport: body.bigEndian32(at: at + 16),
                delaySinceLast: body.bigEndian32(at: at + 20))
        }
    }

    /// RFC 3550 §6.5: items until a zero octet, then up to the next word.
    private static func chunks(_ count: Int, in body: Span<UInt8>) throws(ParseError) -> [SourceDescription] {
        var chunks: [SourceDescription] = []
        var at = 0
        for _ in 0..<count {
            guard body.count >= at + 4 else { throw .inconsistent }
            var chunk = SourceDescription(ssrc: SSRC(body.bigEndian32(at: at)), canonicalName: nil)
            at += 4
            while at < body.count, body[at] != 0 {
                guard body.count >= at + 2, body.count >= at + 2 + Int(body[at + 1]) else { throw .inconsistent }
                if body[at] == 1 { chunk.canonicalName = text(in: body, at: at + 1) }
                at += 2 + Int(body[at + 1])
            }
            at = (at / 4 + 1) * 4
            chunks.append(chunk)
        }
        return chunks
    }

    /// A length octet and that much text; nil when it is not there.
    private static func text(in body: Span<UInt8>, at: Int) -> String? {
        guard body.count > at, body.count >= at + 1 + Int(body[at]) else { return nil }
        return String(decoding: (at + 1..<at + 1 + Int(body[at])).map { body[$0] }, as: UTF8.self)
    }
}
