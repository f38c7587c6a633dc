import Contracts
import Testing

@testable import ConferenceServer

@Suite("Rooms: two who need nothing from the mixer are linked by their relays")
struct LinkingTests {
    private static let tones = [400.0, 600, 900]

    private func bench() throws -> Bench {
        var bench = Bench()
        bench.mixer.linksPairs = true
        for (name, tone) in zip(["a", "b"], Self.tones) { try bench.sitReachable(name, tone: tone) }
        return bench
    }

    private func straight() throws -> Bench {
        var bench = try bench()
        bench.run(ticks: RoomLink.patience + 1)
        let given1 = bench.takeOrder()
        let order = try #require(given1)
        #expect(order.isStraight)
        bench.mixer.linked("room_1", number: order.number, .done, into: &bench.box)
        return bench
    }

    @Test("After a second in which nothing is asked of the mixer, each relay is told of the other's end, under its call's epoch; until it is done the mixer mixes")
    func links() throws {
        var bench = try bench()
        bench.run(ticks: RoomLink.patience)
        #expect(bench.takeOrder() == nil)
        bench.run(ticks: 1)
        let given2 = bench.takeOrder()
        let order = try #require(given2)
        #expect(order.isStraight && order.ends.map(\.session) == ["sess_a", "sess_b"] && order.ends.map(\.epoch) == [1, 1])
        #expect(order.ends[0].other == bench.phones[1].address.description && order.ends[0].otherSSRC == 2000)
        #expect(order.ends.map(\.otherSession) == ["sess_b", "sess_a"], "one relay has both")
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [600])
        bench.mixer.linked("room_1", number: order.number, .done, into: &bench.box)
        for index in bench.phones.indices { bench.phones[index].heard = [] }
        bench.run(ticks: 20)
        let silent = bench.phones.filter { $0.heard.isEmpty }
        #expect(silent.count == 2, "nothing is sent to relays that hear each other")
    }

    @Test("A relay that has not spoken to the room may be pointed there yet: nobody is linked before both have")
    func unheard() throws {
        var bench = try bench()
        bench.run(ticks: 10 * RoomLink.patience) { _, phone in phone == 1 }
        #expect(bench.takeOrder() == nil)
        bench.run(ticks: RoomLink.patience + 1)
        #expect(bench.takeOrder()?.isStraight == true)
    }

    @Test(
        "Whatever needs the mixer brings both back in the tick it comes, and none of a prompt is lost on the way",
        arguments: ["third", "play", "mute", "digits", "echo", "leave"])
    func returns(what: String) throws {
        var bench = try straight()
        bench.run(ticks: 50)
        #expect(bench.takeOrder() == nil)
        switch what {
        case "third": try bench.sitReachable("c", tone: 900)
        case "play":
            try bench.begin(PlayInRoom(roomID: "room_1", participantID: "a", playID: "p", sources: []), [.silence(samples: 480)])
        case "mute": try bench.mixer.set(room: "room_1", participant: "a", muted: true)
        case "digits": try bench.mixer.send(digits: "1", duration: 100, interval: 60, room: "room_1", participant: "a")
        case "echo": try bench.mixer.set(room: "room_1", participant: "a", echo: true)
        default: #expect(try bench.leave("b"))
        }
        bench.run(ticks: 1)
        let given3 = bench.takeOrder()
        let order = try #require(given3)
        #expect(!order.isStraight && order.ends.count == (what == "third" ? 3 : what == "leave" ? 1 : 2))
        #expect(Set(order.ends.map(\.ssrc)) == Set(bench.mixer.rooms[0].seats.map { bench.mixer.seats[$0].ssrc }))
        bench.run(ticks: 5)
        #expect(bench.ends.isEmpty, "a prompt waits for relays that hear it")
        bench.mixer.linked("room_1", number: order.number, .done, into: &bench.box)
        bench.run(ticks: 20)
        switch what {
        case "third": #expect(bench.hears("a", Self.tones) == [600, 900])
        case "play": #expect(bench.ends.map(\.0) == ["p"])
        case "mute": #expect(bench.hears("b", Self.tones) == [])
        case "digits": #expect(bench.phones[0].events.contains { $0.code == 1 && $0.isEnd })
        case "echo": #expect(bench.hears("a", Self.tones) == [400, 600])
        default: #expect(bench.hears("a", Self.tones) == [])
        }
        bench.run(ticks: 1)
        let silences = bench.box.events.filter { if case .unheard = $0 { true } else { false } }
        #expect(silences.isEmpty, "nobody was silent")
    }

    @Test(
        "A transfer that is answered at once: the pair is another within one tick, and whoever is there hears the other again",
        arguments: [true, false])
    func replaced(isLinked: Bool) throws {
        var bench = try bench()
        bench.run(ticks: RoomLink.patience + 1)
        let given = bench.takeOrder()
        let asked = try #require(given)
        if isLinked { bench.mixer.linked("room_1", number: asked.number, .done, into: &bench.box) }
        try bench.sitReachable("c", tone: 900)
        #expect(try bench.leave("b"))
        if !isLinked { bench.mixer.linked("room_1", number: asked.number, .done, into: &bench.box) }
        bench.run(ticks: 1)
        let next = bench.takeOrder()
        let order = try #require(next)
        #expect(!order.isStraight && order.ends.map(\.session) == ["sess_a", "sess_c"])
        bench.mixer.linked("room_1", number: order.number, .done, into: &bench.box)
        for index in bench.phones.indices { bench.phones[index].heard = [] }
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [900])
    }

    @Test("Relays that would not are left in the mixer for a while")
    func refused() throws {
        var bench = try bench()
        bench.run(ticks: RoomLink.patience + 1)
        let given4 = bench.takeOrder()
        let first = try #require(given4)
        bench.mixer.linked("room_1", number: first.number, .refused, into: &bench.box)
        let given5 = bench.takeOrder()
        let back = try #require(given5)
        #expect(!back.isStraight, "one of the two may have done it")
        bench.mixer.linked("room_1", number: back.number, .done, into: &bench.box)
        bench.run(ticks: 1_000)
        #expect(bench.takeOrder() == nil)
        #expect(bench.hears("a", Self.tones) == [600])
        bench.run(ticks: 600)
        #expect(bench.takeOrder()?.isStraight == true)
    }

    @Test("A conference, a play that waits, a mute, and a participant of whose relay nothing is known keep the mixer")
    func stays() throws {
        var muted = try bench()
        try muted.mixer.set(room: "room_1", participant: "b", muted: true)
        var unknown = Bench()
        unknown.mixer.linksPairs = true
        try unknown.sit("a", tone: 400)
        try unknown.sit("b", tone: 600)
        var meeting = Bench()
        meeting.mixer.linksPairs = true
        try meeting.enter("a", tone: 400, MeetingRules())
        try meeting.enter("b", tone: 600, MeetingRules())
        var waiting = try bench()
        try waiting.mixer.play(PlayInRoom(roomID: "room_1", participantID: nil, playID: "p", sources: [.music]), into: &waiting.box)
        for var bench in [muted, unknown, meeting, waiting] {
            bench.run(ticks: 100)
            #expect(bench.takeOrder() == nil)
        }
    }

    @Test("A seat that is taken again, or whose media went to another relay, is brought back first: its relay was told otherwise")
    func disturbed() throws {
        var bench = try straight()
        var settings = bench.mixer.seats[0].settings
        settings.epoch = 2
        _ = try bench.mixer.join(RoomIdentity(id: "room_1", customerID: "cust_1"), settings, relay: bench.phones[0].address, at: Timestamp(milliseconds: 0))
        bench.run(ticks: 1)
        let given6 = bench.takeOrder()
        let order = try #require(given6)
        #expect(!order.isStraight && order.ends.first?.epoch == 2)
    }

    @Test("Whoever takes a call over and tells its relay nothing leaves the pair as it is (RELIABILITY §4.4)")
    func ownership() throws {
        var bench = try straight()
        var settings = bench.mixer.seats[0].settings
        settings.epoch = 2
        let identity = RoomIdentity(id: "room_1", customerID: "cust_1")
        _ = try bench.mixer.join(identity, settings, relay: bench.phones[0].address, at: Timestamp(milliseconds: 0), isOwnershipOnly: true)
        bench.run(ticks: 100)
        #expect(bench.takeOrder() == nil)
        settings.session = "another"
        _ = try bench.mixer.join(identity, settings, relay: bench.phones[0].address, at: Timestamp(milliseconds: 0), isOwnershipOnly: true)
        bench.run(ticks: 1)
        let given = bench.takeOrder()
        #expect(given?.isStraight == false)
    }

    @Test("An order that came under a former owner's epoch is given again under the new one")
    func stale() throws {
        var bench = try straight()
        try bench.mixer.set(room: "room_1", participant: "b", muted: true)
        bench.run(ticks: 1)
        let given = bench.takeOrder()
        let order = try #require(given)
        bench.mixer.seats[0].settings.epoch = 7
        bench.mixer.linked("room_1", number: order.number, .stale, into: &bench.box)
        let again = bench.takeOrder()
        #expect(again?.isStraight == false && again?.ends.contains { $0.epoch == 7 } == true)
        #expect(again?.number == order.number + 1)
    }
}

extension Bench {
    /// The order that was given last; the events are taken.
    fileprivate mutating func takeOrder() -> LinkOrder? {
        let orders = box.events.compactMap { if case .link(let order) = $0 { order } else { nil } }
        box.events = []
        return orders.last
    }

    /// As `sit`, at a relay that can be spoken to.
    fileprivate mutating func sitReachable(_ name: String, tone: Double) throws {
        try sit(name, tone: tone)
        guard let slot = mixer.slot(of: name, in: "room_1") else { return }
        (mixer.seats[slot].settings.relay, mixer.seats[slot].settings.session) = ("MediaRelay-1", "sess_\(name)")
    }
}
