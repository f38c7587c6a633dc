public import Audio

/// Turns the sound of a stream into the µ-law frames of a room, and back; one stream's, both ways.
public struct Coder: ~Copyable {
    private let format: Format
    private var inward: RateConverter
    private var outward: RateConverter
    /// A sample whose second byte has not come.
    private var half: UInt8?
    private var samples: [Int16] = []
    private var made: [Int16] = []

    public init(_ format: Format) throws(SoundError) {
        let inward = try RateConverter(from: format.rate, to: Samples.rate)
        let outward = try RateConverter(from: Samples.rate, to: format.rate)
        self.format = format
        self.inward = inward
        self.outward = outward
    }

    /// The room's codes of sound that came: any number of bytes, cut anywhere.
    public mutating func decode(_ bytes: [UInt8]) throws(SoundError) -> [UInt8] {
        guard format.encoding == .linear else { return bytes }
        samples.removeAll(keepingCapacity: true)
        var index = 0
        if let low = half, let high = bytes.first {
            samples.append(Int16(bitPattern: UInt16(low) | UInt16(high) << 8))
            (half, index) = (nil, 1)
        }
        while index + 1 < bytes.count {
            samples.append(Int16(bitPattern: UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8))
            index += 2
        }
        if index < bytes.count { half = bytes[index] }
        made.removeAll(keepingCapacity: true)
        try inward.append(samples, to: &made)
        return G711.encode(made, .ulaw)
    }

    /// What the other side gets of one frame of the room's codes; where the rate changes, a little more or less than 20 ms of it.
    public mutating func encode(_ codes: [UInt8]) throws(SoundError) -> [UInt8] {
        guard format.encoding == .linear else { return codes }
        made.removeAll(keepingCapacity: true)
        try outward.append(G711.decode(codes, .ulaw), to: &made)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(made.count * 2)
        for sample in made {
            bytes.append(UInt8(truncatingIfNeeded: sample))
            bytes.append(UInt8(truncatingIfNeeded: sample >> 8))
        }
        return bytes
    }
}
