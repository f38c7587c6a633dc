import Audio
import RTP

/// The steps of a tick over the mixer's scratch arrays: each takes just the arrays it reads and the one it writes, so that
/// spans over two of them can be open at once.
enum Sound {
    static func decode(_ codes: [UInt8], at offset: Int, into linear: inout [Int16]) {
        var samples = linear.mutableSpan
        G711.decode(codes.span.extracting(offset..<(offset + Samples.frame)), .ulaw, into: &samples, at: offset)
    }

    static func add(_ linear: [Int16], at offset: Int, to mix: inout Mix) {
        mix.add(linear.span.extracting(offset..<(offset + Samples.frame)))
    }

    static func subtract(_ linear: [Int16], at offset: Int, from mix: inout Mix) {
        mix.subtract(linear.span.extracting(offset..<(offset + Samples.frame)))
    }

    /// Changes how loud a frame of codes is.
    static func amplify(_ codes: inout [UInt8], at offset: Int, by gain: inout Gain, over frame: inout [Int16]) {
        decode(codes, at: offset, intoStart: &frame)
        gain.apply(to: &frame)
        var bytes = codes.mutableSpan
        G711.encode(frame.span, .ulaw, into: &bytes, at: offset)
    }

    private static func decode(_ codes: [UInt8], at offset: Int, intoStart linear: inout [Int16]) {
        var samples = linear.mutableSpan
        G711.decode(codes.span.extracting(offset..<(offset + Samples.frame)), .ulaw, into: &samples)
    }

    /// The payload of a packet from one frame.
    static func encode(_ samples: [Int16], into packet: inout [UInt8]) {
        var bytes = packet.mutableSpan
        G711.encode(samples.span, .ulaw, into: &bytes, at: Header.length)
    }

    /// The payload of a packet from the mix: less the frame of `linear` at `own`, and with `extra`.
    static func encode(_ mix: Mix, minus linear: [Int16], at own: Int?, plus extra: [Int16]?, into packet: inout [UInt8]) {
        var bytes = packet.mutableSpan
        switch (own, extra) {
        case (let own?, let extra?):
            mix.encode(
                minus: linear.span.extracting(own..<(own + Samples.frame)), plus: extra.span, into: &bytes, at: Header.length)
        case (let own?, nil):
            mix.encode(minus: linear.span.extracting(own..<(own + Samples.frame)), into: &bytes, at: Header.length)
        case (nil, let extra?):
            mix.encode(plus: extra.span, into: &bytes, at: Header.length)
        case (nil, nil):
            mix.encode(into: &bytes, at: Header.length)
        }
    }

    /// The payload of a packet from a frame of codes as it is.
    static func copy(_ codes: [UInt8], at offset: Int, into packet: inout [UInt8]) {
        let frame = codes.span.extracting(offset..<(offset + Samples.frame))
        var bytes = packet.mutableSpan
        for index in frame.indices { bytes[Header.length + index] = frame[index] }
    }

    /// Whether a frame is nothing but the two zeros of its law.
    static func isSilence(_ codes: [UInt8], at offset: Int) -> Bool {
        let frame = codes.span.extracting(offset..<(offset + Samples.frame))
        for index in frame.indices where frame[index] | 0x80 != G711.Law.ulaw.silence { return false }
        return true
    }

    static func silence(_ packet: inout [UInt8]) {
        var bytes = packet.mutableSpan
        for index in Header.length..<bytes.count { bytes[index] = G711.Law.ulaw.silence }
    }

    static func write(_ header: Header, into packet: inout [UInt8]) {
        var bytes = packet.mutableSpan
        header.write(into: &bytes)
    }
}
