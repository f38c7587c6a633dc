import Contracts
import Testing

@Suite("RFC 3339: the times of messages and snapshots") struct TimestampTests {
    @Test(
        "Written with all its digits and read again",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (1_800_000_000_123, "2027-01-15T08:00:00.123Z"),
            (951_782_400_007, "2000-02-29T00:00:00.007Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func text(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(text) == Timestamp(milliseconds: milliseconds))
    }

    @Test("Years that RFC 3339 does not know have a text too", arguments: [Int64.min, .max, -62_167_219_200_001, 253_402_300_800_000])
    func anyYear(_ milliseconds: Int64) { #expect(Timestamp(milliseconds: milliseconds).description.hasSuffix("Z")) }
}
