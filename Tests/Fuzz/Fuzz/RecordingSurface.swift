import Codecs
import Cryptography

enum RecordingSurface {
    /// Pages are the same however they come, and are no more than there are.
    static func pages(_ bytes: [UInt8]) {
        var whole = OggScan()
        whole.read(bytes)
        precondition((0...bytes.count).contains(whole.length) && whole.samples >= 0)
        let step = 1 + Int(bytes.first ?? 0)
        var pieces = OggScan()
        for start in stride(from: 0, to: bytes.count, by: step) { pieces.read(Array(bytes[start..<min(start + step, bytes.count)])) }
        precondition(pieces.length == whole.length && pieces.samples == whole.samples, "pieces of \(step) differ")
        var again = OggScan()
        again.read(Array(bytes.prefix(whole.length)))
        precondition(again.length == whole.length && again.isComplete == whole.isComplete)
    }

    /// What is no sealed file is refused; what is sealed is opened to what it was; one byte that differs is noticed.
    static func sealed(_ bytes: [UInt8]) {
        let key = [UInt8](repeating: 7, count: 32)
        if let stream = try? SealedStream(head: bytes, keys: [key]) {
            let extent = SealedStream.extent(ofFile: bytes.count)
            for number in 0...extent.wholePieces {
                let place = SealedStream.place(of: number)
                guard place <= bytes.count else { break }
                precondition((try? stream.open(Array(bytes[place...].prefix(SealedStream.sealedPiece)), number: number)) == nil, "believed")
            }
        }
        var count: UInt8 = 0
        func nonce() -> [UInt8] {
            count &+= 1
            return [UInt8](repeating: count, count: 12)
        }
        let salt = Array((bytes + [UInt8](repeating: 0, count: 16)).prefix(16))
        guard let stream = try? SealedStream(key: key, salt: salt, note: Array(salt.prefix(8))) else { preconditionFailure("lengths are right") }
        var writer = SealedStreamWriter(stream)
        guard let pieces = try? writer.append(bytes, nonce: nonce), let last = try? writer.finish(nonce: nonce) else { preconditionFailure("sealed") }
        let body = pieces + last
        let extent = SealedStream.extent(ofFile: SealedStream.headLength + body.count)
        precondition(extent.plaintext == bytes.count && extent.hasEnd)
        guard let reader = try? SealedStream(head: stream.head, keys: [key]) else { preconditionFailure("its own head") }
        precondition((try? reader.open(last, number: extent.wholePieces)) == Array(bytes.suffix(bytes.count % SealedStream.piece)))
        var changed = last
        changed[Int(bytes.last ?? 0) % changed.count] ^= 1
        precondition((try? reader.open(changed, number: extent.wholePieces)) == nil, "a changed byte")
    }
}
