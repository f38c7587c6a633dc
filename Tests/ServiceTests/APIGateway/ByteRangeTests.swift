import Testing

@testable import APIGateway

@Suite("Ranges of bytes, RFC 9110 §14")
struct ByteRangeTests {
    @Test(
        "§14.1.2: what a field means of 1000 bytes; one that is not understood means all",
        arguments: [
            ("bytes=0-499", ByteRange.part(0...499)), ("bytes=500-", .part(500...999)), ("bytes=-1", .part(999...999)),
            ("bytes=-5000", .part(0...999)), ("bytes=990-5000", .part(990...999)), ("BYTES=1-1", .part(1...1)),
            ("bytes=1000-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=2000-3000", .unsatisfiable),
            ("bytes=5-4", .all), ("bytes=0-1,5-6", .all), ("bytes=a-b", .all), ("bytes=", .all), ("bytes=-", .all), ("items=0-1", .all),
            ("bytes=99999999999999999999-", .all), ("bytes=1-99999999999999999999", .all), ("", .all),
        ])
    func ranges(field: String, range: ByteRange) { #expect(ByteRange(field, length: 1000) == range) }

    @Test("of nothing no part can be given")
    func empty() {
        #expect(ByteRange("bytes=0-", length: 0) == .unsatisfiable && ByteRange("bytes=-1", length: 0) == .unsatisfiable)
        #expect(ByteRange(nil, length: 0) == .all)
    }
}
