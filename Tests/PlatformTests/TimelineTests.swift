import Contracts
import Foundation
import Testing

@testable import ServiceKit

@Suite("Timelines of calls")
struct TimelineTests {
    @Test("an entry is JSON that says what it said, whatever stands in it")
    func json() throws {
        let all = String(decoding: (1..<128).map { UInt8($0) }, as: UTF8.self) + "äß€𝄞"
        let full = TimelineEntry(
            microseconds: 1_800_000_000_123_456, sequence: 7, writer: "CallServer-1", callID: "call_1", kind: .sip, from: all, to: "\"\\", via: "\r\n\t",
            summary: "INVITE", outcome: "", duration: 0, body: all + all)
        let bare = TimelineEntry(
            microseconds: -1, sequence: 0, writer: "", callID: "", kind: .flow, from: "", to: "", summary: "")
        for entry in [full, bare] {
            #expect(try JSONDecoder().decode(TimelineEntry.self, from: Data(Timeline.json(entry))) == entry)
        }
    }
}
