import Deadlines
import Testing

@testable import ConferenceServer

@Suite("The entrance of a conference: PINs, tries, silence")
struct EntranceTests {
    static let both = Entrance.PINs(member: "1234", moderator: "987654")
    private let start = Instant(nanoseconds: 0)

    private func at(_ seconds: Int) -> Instant { start + .seconds(seconds) }

    /// What the last of these keys brings; every one before it must bring nothing.
    private func press(_ keys: String, _ entrance: inout Entrance, at seconds: Int = 1) -> Entrance.Step {
        var last = Entrance.Step.wait
        for key in keys {
            #expect(last == .wait)
            last = entrance.press(key, now: at(seconds))
        }
        return last
    }

    @Test("A member's PIN counts with its last digit as no other begins with it; the moderator's longer one gives that role")
    func complete() {
        var member = Entrance(Self.both, .init(), now: start)
        #expect(press("1234", &member) == .admit(.member))
        var moderator = Entrance(Self.both, .init(), now: start)
        #expect(press("987654", &moderator) == .admit(.moderator))
    }

    @Test("Where one PIN begins another, only # or a pause tells which was meant")
    func prefixes() {
        let pins = Entrance.PINs(member: "12", moderator: "1234")
        var hashed = Entrance(pins, .init(), now: start)
        #expect(press("12#", &hashed) == .admit(.member))
        var longer = Entrance(pins, .init(), now: start)
        #expect(press("1234", &longer) == .admit(.moderator))
        var paused = Entrance(pins, .init(), now: start)
        #expect(press("12", &paused) == .wait)
        #expect(paused.expire(now: at(10)) == .wait)
        #expect(paused.expire(now: at(11)) == .admit(.member))
    }

    @Test("Two wrong PINs are asked again for, the third ends it; # alone is one")
    func tries() {
        var entrance = Entrance(Self.both, .init(), now: start)
        #expect(press("0000#", &entrance) == .askAgain)
        #expect(press("#", &entrance) == .askAgain)
        #expect(press("123999", &entrance) == .refuse(.pin))
        var once = Entrance(Self.both, .init(tries: 1), now: start)
        #expect(press("9#", &once) == .refuse(.pin))
    }

    @Test("A star begins anew, letters are no digits, and no try is lost by either")
    func star() {
        var entrance = Entrance(Self.both, .init(), now: start)
        #expect(press("99*12A34", &entrance) == .admit(.member))
    }

    @Test("Ten seconds without a key end it; every key gives ten more")
    func silence() {
        var entrance = Entrance(Self.both, .init(), now: start)
        #expect(entrance.expire(now: at(9)) == .wait)
        #expect(press("*", &entrance, at: 9) == .wait)
        #expect(entrance.deadline == at(19))
        #expect(entrance.expire(now: at(18)) == .wait)
        #expect(entrance.expire(now: at(19)) == .refuse(.silence))
    }

    @Test("With a moderator's PIN alone, # or silence makes a member; a wrong one is still wrong")
    func moderatorOnly() {
        let pins = Entrance.PINs(member: nil, moderator: "77")
        var hash = Entrance(pins, .init(), now: start)
        #expect(press("#", &hash) == .admit(.member))
        var silent = Entrance(pins, .init(), now: start)
        #expect(silent.expire(now: at(10)) == .admit(.member))
        var wrong = Entrance(pins, .init(), now: start)
        #expect(press("78", &wrong) == .askAgain)
        #expect(press("77", &wrong) == .admit(.moderator))
    }

    @Test("A control is a star and its key within three seconds, and nothing in between")
    func controls() {
        var keys = ControlKeys()
        #expect(keys.press("6", now: at(0)) == nil)
        #expect(keys.press("*", now: at(1)) == nil)
        #expect(keys.press("6", now: at(4)) == .mute)
        #expect(keys.press("6", now: at(4)) == nil)
        _ = keys.press("*", now: at(5))
        #expect(keys.press("9", now: at(9)) == nil, "too late")
        _ = keys.press("*", now: at(10))
        #expect(keys.press("1", now: at(10)) == nil)
        #expect(keys.press("5", now: at(10)) == nil)
        _ = keys.press("*", now: at(11))
        _ = keys.press("*", now: at(12))
        #expect(keys.press("7", now: at(14)) == .lock)
    }

    @Test("Guests raise hands and no more, members mute themselves as well, moderators everything")
    func rights() {
        let all: [Control] = [.hand, .mute, .muteAll, .lock]
        #expect(all.filter { Role.guest.may($0) } == [.hand])
        #expect(all.filter { Role.member.may($0) } == [.hand, .mute])
        #expect(all.filter { Role.moderator.may($0) } == all)
        #expect(Role(named: "participant") == .member)
        #expect(Role(named: "king") == nil)
    }

    @Test("Talking begins after 200 ms of it and ends after a second of silence")
    func talkWatch() {
        var watch = TalkWatch()
        let voice = [true, false, true, true, true] + Array(repeating: false, count: 9) + [true] + Array(repeating: false, count: 10)
        let changes = voice.enumerated().filter { watch.look($0.element) }.map(\.offset)
        #expect(changes == [3, 24])
    }
}
