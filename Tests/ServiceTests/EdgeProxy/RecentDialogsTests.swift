import Addresses
import Deadlines
import Testing

@testable import EdgeProxy

@Suite("RFC 3261 §16.11: what belongs to an INVITE follows it")
struct RecentDialogsTests {
    let start = Instant(nanoseconds: 5_000_000_000)
    let first = SocketAddress(.loopbackIPv4, port: 7821)
    let second = SocketAddress(.loopbackIPv4, port: 7822)

    @Test("a call is found for 64*T1 and not a minute later, and anew when it is noted again")
    func lifetime() {
        var recent = RecentDialogs(capacity: 64, now: start)
        recent.note(77, first, now: start)
        #expect(recent.find(77, now: start + .milliseconds(31_999)) == first)
        #expect(recent.find(78, now: start) == nil)
        #expect(recent.find(77, now: start + .seconds(60)) == nil)
        recent.note(77, second, now: start + .seconds(30))
        #expect(recent.find(77, now: start + .seconds(61)) == second)
    }

    @Test("a full table forgets the oldest call of the row, never the one just noted")
    func bounded() {
        var recent = RecentDialogs(capacity: 4, now: start)
        for call in UInt64(1)...4 { recent.note(call, first, now: start + .seconds(Int(call))) }
        recent.note(5, second, now: start + .seconds(5))
        #expect(recent.find(5, now: start + .seconds(5)) == second)
        #expect(recent.find(1, now: start + .seconds(5)) == nil)
        for call in UInt64(2)...4 { #expect(recent.find(call, now: start + .seconds(5)) == first) }
    }

    @Test("a Call-ID whose hash is zero is a call like others, and an empty table knows nobody")
    func zero() {
        var recent = RecentDialogs(capacity: 16, now: start)
        #expect(recent.find(0, now: start) == nil)
        recent.note(0, first, now: start)
        #expect(recent.find(0, now: start) == first)
    }

    @Test("the calls of a dead server are forgotten, those of others are not")
    func forget() {
        var recent = RecentDialogs(capacity: 64, now: start)
        recent.note(8, first, now: start)
        recent.note(9, second, now: start)
        recent.forget(first, now: start)
        #expect(recent.find(8, now: start) == nil)
        #expect(recent.find(9, now: start) == second)
    }

    @Test("a server that died and came back gets back none of its calls, however often that happens")
    func restarts() {
        var recent = RecentDialogs(capacity: 64, now: start)
        for life in 0..<200 {
            let now = start + .seconds(life)
            recent.note(UInt64(life), first, now: now)
            #expect(recent.find(UInt64(life), now: now) == first)
            recent.forget(first, now: now)
            recent.note(1_000, first, now: now)
            #expect((0...UInt64(life)).allSatisfy { recent.find($0, now: now) == nil })
            #expect(recent.find(1_000, now: now) == first)
        }
    }
}
