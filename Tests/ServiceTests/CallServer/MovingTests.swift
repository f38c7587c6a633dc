import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

extension [LegEffect] {
    fileprivate var created: [String] {
        compactMap { if case .createElsewhere(let relay, let session, let continuing) = $0 { "\(relay) \(session) \(continuing)" } else { nil } }
    }
    fileprivate var deleted: [String] {
        compactMap { if case .deleteElsewhere(let relay, let session) = $0 { "\(relay) \(session)" } else { nil } }
    }
    fileprivate var reinvites: [String] { compactMap { if case .reinvite(_, let body) = $0 { body } else { nil } } }
    fileprivate var agreed: [String] { compactMap { if case .updateMedia(.answer, let remote, _) = $0 { remote } else { nil } } }
    fileprivate var relinked: [InsideEndpoint] { compactMap { if case .relink(let inside) = $0 { inside } else { nil } } }
    fileprivate var pointed: [InsideEndpoint] { compactMap { if case .pointSeat(let inside) = $0 { inside } else { nil } } }
    fileprivate var reinviteAnswers: [Int] { compactMap { if case .respondToReinvite(let code, _) = $0 { code } else { nil } } }
    fileprivate var joins: Int { count { if case .join = $0 { true } else { false } } }
}

@Suite("A leg goes to another relay")
struct MovingTests {
    private static let inside = InsideEndpoint(address: "127.0.0.1:9100", ssrc: 99)
    private static let session = "sess_01HZZZZZZZAAAAAAAAAAAAAAAA"

    private func talking() -> LegFixture { LegFixture.answered(performing: .answer).0 }

    private func offered(_ fixture: inout LegFixture, session: Int = 1) -> [LegEffect] {
        fixture.apply(.createdElsewhere(session: session, .init(description: "new sdp \(session)", inside: Self.inside)))
    }

    @Test("a session there, a re-INVITE, and with the phone's answer seat and sound go over; the old session goes last")
    func whole() throws {
        var fixture = talking()
        #expect(fixture.apply(.moveWanted(relay: "relay-2")).created == ["relay-2 1 our sdp"])
        #expect(offered(&fixture).reinvites == ["new sdp 1"])
        #expect(fixture.leg.placement.relay == "relay-1" && fixture.leg.sessionID == Self.session)
        let moved = fixture.apply(.moveAccepted(session: 1, answer: "their sdp"))
        #expect(moved.agreed == ["their sdp"] && moved.relinked == [LegFixture.inside] && moved.pointed == [Self.inside])
        #expect(moved.deleted == ["relay-1 \(Self.session)"])
        #expect(fixture.leg.placement.relay == "relay-2" && fixture.leg.sessionID == Self.session + "-1")
        #expect(fixture.leg.media.description == "new sdp 1" && fixture.leg.media.inside == Self.inside)
        #expect(try JSON.roundTrip(fixture.leg).moves == fixture.leg.moves)
        // What both carried is told at the end.
        _ = fixture.apply(.sessionLeft(MediaStatistics(packetsIn: 100, packetsOut: 90, lost: 2)))
        #expect(fixture.apply(.byed).deletesMedia)
        _ = fixture.apply(.mediaDeleted(MediaStatistics(packetsIn: 10, packetsOut: 9, lost: 1)))
        #expect(fixture.leg.record.media?.packetsIn == 110 && fixture.leg.record.media?.packetsOut == 99 && fixture.leg.record.media?.lost == 3)
    }

    @Test("a relay that has lost the session makes another: the phone is offered it, whatever the relay's name")
    func lost() {
        var fixture = talking()
        #expect(fixture.apply(.moveWanted(relay: "relay-1")).isEmpty)
        #expect(fixture.apply(.sessionLost(relay: "relay-1")).created == ["relay-1 1 our sdp"])
        #expect(offered(&fixture).reinvites == ["new sdp 1"])
        let moved = fixture.apply(.moveAccepted(session: 1, answer: "their sdp"))
        #expect(moved.pointed == [Self.inside] && moved.deleted == ["relay-1 \(Self.session)"])
        #expect(fixture.leg.placement.relay == "relay-1" && fixture.leg.sessionID == Self.session + "-1")
    }

    @Test("asked again while it moves, or when it is there already, nothing happens twice; the next move has another session")
    func repeated() {
        var fixture = talking()
        _ = fixture.apply(.moveWanted(relay: "relay-2"))
        #expect(fixture.apply(.moveWanted(relay: "relay-2")).isEmpty)
        _ = offered(&fixture)
        #expect(offered(&fixture).isEmpty)
        _ = fixture.apply(.moveAccepted(session: 1, answer: "a"))
        #expect(fixture.apply(.moveAccepted(session: 1, answer: "a")).isEmpty)
        #expect(fixture.apply(.moveWanted(relay: "relay-2")).isEmpty)
        #expect(fixture.apply(.moveWanted(relay: "relay-3")).created == ["relay-3 2 new sdp 1"])
    }

    @Test("a leg that is not talked through yet stays; so does one that is over")
    func notUp() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        #expect(fixture.apply(.moveWanted(relay: "relay-2")).isEmpty)
        var over = talking()
        _ = over.apply(.byed)
        #expect(over.apply(.moveWanted(relay: "relay-2")).isEmpty)
    }

    @Test("RFC 3261 §14.1: after a 491 the offer is made anew when the wait is over, with a session of its own")
    func glare() {
        var fixture = talking()
        _ = fixture.apply(.moveWanted(relay: "relay-2"))
        _ = offered(&fixture)
        #expect(fixture.apply(.reinvited(offer: "theirs")).reinviteAnswers == [491], "theirs meets ours")
        let refused = fixture.apply(.moveRefused(session: 1, code: 491, wait: .seconds(3)))
        #expect(refused.deleted == ["relay-2 \(Self.session)-1"])
        #expect(fixture.pass(.milliseconds(2900)).isEmpty)
        #expect(fixture.pass(.milliseconds(200)).created == ["relay-2 2 our sdp"])
        #expect(offered(&fixture, session: 2).reinvites == ["new sdp 2"])
    }

    @Test("an exchange that the phone began goes first, and the offer goes on with what it came to")
    func theirExchange() {
        var fixture = talking()
        _ = fixture.apply(.reinvited(offer: "hold"))
        #expect(fixture.apply(.moveWanted(relay: "relay-2")).created.isEmpty)
        _ = fixture.apply(.mediaUpdated(.init(description: "held", held: true), kind: .offer))
        #expect(fixture.pass(.milliseconds(501)).created == ["relay-2 1 held"])
        // One that begins while the session is made.
        _ = fixture.apply(.reinvited(offer: "resume"))
        let met = offered(&fixture)
        #expect(met.reinvites.isEmpty && met.deleted == ["relay-2 \(Self.session)-1"])
        _ = fixture.apply(.mediaUpdated(.init(description: "resumed", held: false), kind: .offer))
        #expect(fixture.pass(.milliseconds(501)).created == ["relay-2 2 resumed"])
    }

    @Test("a phone that refuses keeps its session to the end and is not asked again", arguments: [400, 403, 405, 415, 488, 501, 603])
    func refuses(code: Int) {
        var fixture = talking()
        _ = fixture.apply(.moveWanted(relay: "relay-2"))
        _ = offered(&fixture)
        #expect(fixture.apply(.moveRefused(session: 1, code: code, wait: .zero)).deleted == ["relay-2 \(Self.session)-1"])
        #expect(fixture.leg.phase == .up && fixture.leg.placement.relay == "relay-1" && fixture.leg.sessionID == Self.session)
        #expect(fixture.pass(.seconds(60)).isEmpty)
        #expect(fixture.apply(.moveWanted(relay: "relay-3")).isEmpty)
    }

    @Test("what may pass is tried three times; RFC 3261 §12.2.1.2: 481 ends the call")
    func passing() {
        var fixture = talking()
        _ = fixture.apply(.moveWanted(relay: "relay-2"))
        for session in 1...3 {
            _ = offered(&fixture, session: session)
            _ = fixture.apply(.moveRefused(session: session, code: 408, wait: .zero))
            #expect(fixture.pass(.seconds(5)).created.isEmpty == (session == 3))
        }
        #expect(fixture.leg.phase == .up)
        var gone = talking()
        _ = gone.apply(.moveWanted(relay: "relay-2"))
        _ = offered(&gone)
        #expect(gone.apply(.moveRefused(session: 1, code: 481, wait: .zero)).hasBye)
    }

    @Test("a relay that cannot make the session leaves the leg where it is, to be asked again")
    func noSession() {
        var fixture = talking()
        _ = fixture.apply(.moveWanted(relay: "relay-2"))
        #expect(fixture.apply(.creationElsewhereFailed(session: 1)).deleted == ["relay-2 \(Self.session)-1"])
        #expect(fixture.apply(.moveWanted(relay: "relay-3")).created == ["relay-3 2 our sdp"])
    }

    @Test("a call that ends while it moves leaves no session behind")
    func endsMeanwhile() {
        var fixture = talking()
        _ = fixture.apply(.moveWanted(relay: "relay-2"))
        _ = offered(&fixture)
        let ended = fixture.apply(.byed)
        #expect(ended.deletesMedia && ended.deleted == ["relay-2 \(Self.session)-1"])
        #expect(fixture.apply(.moveAccepted(session: 1, answer: "late")).isEmpty)
    }

    @Test("a seat that is on its way when the phone answers is told of the new session when it is there")
    func seatOnItsWay() {
        var option = ConferenceJoin()
        option.conferenceID = "conf_1"
        var fixture = talking()
        _ = fixture.apply(.moveWanted(relay: "relay-2"))
        _ = offered(&fixture)
        #expect(fixture.step(2, .conferenceJoin(option)).joins == 1)
        let moved = fixture.apply(.moveAccepted(session: 1, answer: "a"))
        #expect(moved.pointed.isEmpty && moved.relinked.isEmpty)
        let joined = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_c", instance: "mixer-2", inside: LegFixture.inside))
        #expect(joined.pointed == [Self.inside])
    }
}
