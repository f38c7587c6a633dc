import Cryptography
import Testing

@Suite("Files that are sealed as they grow")
struct SealedStreamTests {
    private let key = [UInt8](0..<32)
    private let salt = [UInt8](repeating: 3, count: 16)
    private let note = [UInt8](repeating: 0, count: 8)

    private func sealed(_ bytes: [UInt8], by step: Int) throws -> [UInt8] {
        var number: UInt8 = 0
        func nonce() -> [UInt8] {
            number &+= 1
            return [UInt8](repeating: number, count: 12)
        }
        var writer = SealedStreamWriter(try SealedStream(key: key, salt: salt, note: note))
        var file = writer.stream.head
        for start in stride(from: 0, to: bytes.count, by: step) {
            file += try writer.append(Array(bytes[start..<min(start + step, bytes.count)]), nonce: nonce)
        }
        return file + (try writer.finish(nonce: nonce))
    }

    @Test("what is opened is what was sealed, however it came; the layout follows from the length", arguments: [0, 1, 4095, 4096, 4097, 20_000])
    func roundTrip(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let file = try sealed(bytes, by: 1000)
        #expect(file == (try sealed(bytes, by: 17)))
        let extent = SealedStream.extent(ofFile: file.count)
        #expect(extent.plaintext == count && extent.hasEnd && extent.wholePieces == count / 4096)
        let stream = try SealedStream(head: file, keys: [[UInt8](repeating: 1, count: 32), key])
        var opened: [UInt8] = []
        for number in 0...extent.wholePieces {
            let place = SealedStream.place(of: number)
            opened += try stream.open(Array(file[place..<min(place + SealedStream.sealedPiece, file.count)]), number: number)
        }
        #expect(opened == bytes)
    }

    @Test("a piece at another place, a changed head, another key, and a last piece that is called whole are refused")
    func hostile() throws {
        let file = try sealed([UInt8](repeating: 5, count: 9000), by: 9000)
        let stream = try SealedStream(head: file, keys: [key])
        let first = Array(file[40..<(40 + SealedStream.sealedPiece)])
        #expect(throws: SealError.self) { try stream.open(first, number: 1) }
        #expect(throws: SealError.self) { try stream.open(Array(first.dropLast()), number: 0) }
        #expect(throws: SealError.self) { try stream.open([], number: 0) }
        var head = Array(file.prefix(40))
        head[35] ^= 1
        #expect(throws: SealError.self) { try SealedStream(head: head, keys: [key]).open(first, number: 0) }
        #expect(throws: SealError.self) { try SealedStream(head: file, keys: []) }
        #expect(throws: SealError.self) { try SealedStream(head: Array(file.prefix(39)), keys: [key]) }
        #expect(!SealedStream.isOne(Array("RIFF".utf8)))
    }

    @Test("a digest of pieces is that of the whole")
    func digest() {
        let digest = RunningDigest()
        for _ in 0..<1000 { digest.update(Array("abc".utf8)) }
        let whole = (0..<1000).flatMap { _ in Array("abc".utf8) }
        #expect(digest.finish() == DigestAlgorithm.sha256.hash(whole))
    }
}
