import Deadlines
import SIP
import Testing

@testable import CallServer

@Suite("RFC 3911 §4: dialogs that have ended are known for a moment")
struct EndedDialogsTests {
    private static let now = Instant(nanoseconds: 1_000_000_000_000)

    private func dialog(_ callID: String, remote tag: String = "theirs") throws -> Dialog {
        let invite = try Message.parse(Array(
            ("INVITE sip:1002@demo.localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKone\r\nFrom: <sip:1001@demo.localhost>;tag=\(tag)\r\n"
                + "To: <sip:1002@demo.localhost>\r\nCall-ID: \(callID)\r\nCSeq: 1 INVITE\r\nContact: <sip:1001@127.0.0.1:5070>\r\nContent-Length: 0\r\n\r\n").utf8))
        return try #require(Dialog(calleeOf: invite, localTag: "ours"))
    }

    private func named(_ callID: String, from tag: String = "theirs") throws -> DialogReference {
        try #require(DialogReference("\(callID);to-tag=ours;from-tag=\(tag)"))
    }

    @Test("by Call-ID and both tags, to their customer, each fork of one call, for half a minute")
    func known() throws {
        var ended = EndedDialogs()
        ended.note(try dialog("a"), of: "cust_1", at: Self.now)
        ended.note(try dialog("a", remote: "fork"), of: "cust_1", at: Self.now)
        func knows(_ named: DialogReference, of customer: String = "cust_1", after seconds: Int = 0) -> Bool {
            ended.include(named, of: customer, at: Self.now + .seconds(seconds))
        }
        let (first, fork) = (try named("a"), try named("a", from: "fork"))
        let (stranger, nobody) = (try named("a", from: "other"), try named("b"))
        #expect(knows(first) && knows(fork) && !knows(stranger) && !knows(nobody) && !knows(first, of: "cust_2"))
        #expect(knows(first, after: 31) && !knows(first, after: 32))
    }

    @Test("bounded: the oldest are forgotten first")
    func bounded() throws {
        var ended = EndedDialogs()
        for number in 0..<2_100 { ended.note(try dialog("call\(number)"), of: "cust_1", at: Self.now) }
        let (forgotten, oldest, newest) = (try named("call99"), try named("call100"), try named("call2099"))
        #expect(!ended.include(forgotten, of: "cust_1", at: Self.now) && ended.include(oldest, of: "cust_1", at: Self.now))
        let later = Self.now + .seconds(40)
        ended.note(try dialog("late"), of: "cust_1", at: later)
        let late = try named("late")
        #expect(!ended.include(newest, of: "cust_1", at: Self.now) && ended.include(late, of: "cust_1", at: later))
    }
}
