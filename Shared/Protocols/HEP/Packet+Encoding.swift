internal import Addresses

/// The packet does not fit into its 16-bit length or into the room that is left.
public enum EncodeError: Error, Hashable, Sendable {
    case tooLong
}

extension Packet {
    /// How many bytes the packet takes; it stands in front, so it is known before anything is written.
    public func encodedCount(node: Int, password: Int = 0, correlation: Int, payload: Int) -> Int {
        let addresses = 2 * (Self.chunkHeadLength + (isIPv4 ? 4 : 16))
        let numbers = 8 * Self.chunkHeadLength + 3 * 1 + 2 * 2 + 3 * 4
        let texts = [node, password, correlation].reduce(0) { $0 + ($1 > 0 ? Self.chunkHeadLength + $1 : 0) }
        return Self.headLength + addresses + numbers + texts + Self.chunkHeadLength + payload
    }

    /// Appends the packet. `node` names who captured it, `password` is what the server knows it by, `correlation` is the Call-ID,
    /// by which one call's messages are found; each may be empty. Nothing is allocated, and nothing is written when it throws.
    public func encode(
        node: Span<UInt8>, password: Span<UInt8>, correlation: Span<UInt8>, payload: Span<UInt8>, into output: inout OutputSpan<UInt8>
    ) throws(EncodeError) {
        let count = encodedCount(
            node: node.count, password: password.count, correlation: correlation.count, payload: payload.count)
        guard count <= UInt16.max, count <= output.freeCapacity else { throw .tooLong }
        for index in Self.magic.indices { output.append(Self.magic[index]) }
        output.append(big: UInt16(count))
        output.append(.family, (isIPv4 ? Family.v4 : .v6).rawValue)
        output.append(.carrier, carrier.rawValue)
        appendAddresses(to: &output)
        output.append(.sourcePort, source.port)
        output.append(.destinationPort, destination.port)
        output.append(.seconds, UInt32(truncatingIfNeeded: microseconds / 1_000_000))
        output.append(.microseconds, UInt32(truncatingIfNeeded: microseconds % 1_000_000))
        output.append(.content, content.rawValue)
        output.append(.captureID, captureID)
        if !node.isEmpty { output.append(.node, node) }
        if !password.isEmpty { output.append(.password, password) }
        if !correlation.isEmpty { output.append(.correlation, correlation) }
        output.append(.payload, payload)
    }

    /// There is one family for both ends: where they differ, IPv4 is written in its mapped form.
    private var isIPv4: Bool { source.address.isIPv4 && destination.address.isIPv4 }

    private func appendAddresses(to output: inout OutputSpan<UInt8>) {
        if let from = source.address.v4, let to = destination.address.v4 {
            output.append(.sourceV4, from)
            output.append(.destinationV4, to)
        } else {
            output.append(.sourceV6, source.address)
            output.append(.destinationV6, destination.address)
        }
    }
}

extension OutputSpan<UInt8> {
    mutating func append(big value: some FixedWidthInteger) {
        var shift = value.bitWidth - 8
        while shift >= 0 {
            append(UInt8(truncatingIfNeeded: value >> shift))
            shift -= 8
        }
    }

    mutating func append(_ chunk: Chunk, count: Int) {
        append(big: UInt16(0))
        append(big: chunk.rawValue)
        append(big: UInt16(Packet.chunkHeadLength + count))
    }

    mutating func append(_ chunk: Chunk, _ value: some FixedWidthInteger) {
        append(chunk, count: value.bitWidth / 8)
        append(big: value)
    }

    mutating func append(_ chunk: Chunk, _ address: IPAddress) {
        append(chunk, count: 16)
        append(big: address.high)
        append(big: address.low)
    }

    mutating func append(_ chunk: Chunk, _ bytes: Span<UInt8>) {
        append(chunk, count: bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }
}
