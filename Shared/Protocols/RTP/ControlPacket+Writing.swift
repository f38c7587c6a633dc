extension ControlPacket {
    /// Appends this packet; those of a compound are appended one after the other, the report first (RFC 3550 §6.1).
    /// What does not fit the format's counts (31 blocks, 255 octets of text) is cut.
    public func append(to compound: inout [UInt8]) {
        let start = compound.count
        switch self {
        case .senderReport(let report):
            compound += [0x80 | Self.count(report.blocks.count), 200, 0, 0]
            compound.appendBigEndian(report.ssrc.value)
            compound.appendBigEndian(UInt32(truncatingIfNeeded: report.ntpTime >> 32))
            compound.appendBigEndian(UInt32(truncatingIfNeeded: report.ntpTime))
            compound.appendBigEndian(report.timestamp.value)
            compound.appendBigEndian(report.packetCount)
            compound.appendBigEndian(report.octetCount)
            Self.append(report.blocks, to: &compound)
        case .receiverReport(let report):
            compound += [0x80 | Self.count(report.blocks.count), 201, 0, 0]
            compound.appendBigEndian(report.ssrc.value)
            Self.append(report.blocks, to: &compound)
        case .sourceDescription(let chunks):
            compound += [0x80 | Self.count(chunks.count), 202, 0, 0]
            for chunk in chunks.prefix(31) {
                compound.appendBigEndian(chunk.ssrc.value)
                if let name = chunk.canonicalName { Self.append(name, type: 1, to: &compound) }
                compound.append(0)
                Self.pad(&compound, from: start)
            }
        case .goodbye(let sources, let reason):
            compound += [0x80 | Self.count(sources.count), 203, 0, 0]
            for source in sources.prefix(31) { compound.appendBigEndian(source.value) }
            if let reason { Self.append(reason, type: nil, to: &compound) }
            Self.pad(&compound, from: start)
        case .extendedReport(let report):
            compound += [0x80, ExtendedReport.packetType, 0, 0]
            report.appendBody(to: &compound)
        case .other(let type):
            compound += [0x80, type, 0, 0]
        }
        let words = (compound.count - start) / 4 - 1
        compound[start + 2] = UInt8(truncatingIfNeeded: words >> 8)
        compound[start + 3] = UInt8(truncatingIfNeeded: words)
    }

    private static func count(_ elements: Int) -> UInt8 { UInt8(min(31, elements)) }

    private static func append(_ blocks: [ReportBlock], to compound: inout [UInt8]) {
        for block in blocks.prefix(31) {
            compound.appendBigEndian(block.ssrc.value)
            compound.appendBigEndian(UInt32(block.fractionLost) << 24 | UInt32(bitPattern: block.cumulativeLost) & 0xff_ffff)
            compound.appendBigEndian(block.highestSequence)
            compound.appendBigEndian(block.jitter)
            compound.appendBigEndian(block.lastSenderReport)
            compound.appendBigEndian(block.delaySinceLast)
        }
    }

    private static func append(_ text: String, type: UInt8?, to compound: inout [UInt8]) {
        let bytes = Array(text.utf8.prefix(255))
        if let type { compound.append(type) }
        compound.append(UInt8(bytes.count))
        compound += bytes
    }

    private static func pad(_ compound: inout [UInt8], from start: Int) {
        while (compound.count - start) % 4 != 0 { compound.append(0) }
    }
}
