import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("Media streams of a leg")
struct StreamLegTests {
    private static func option(_ change: (inout ExternalMediaStart) -> Void = { _ in }) -> ExternalMediaStart {
        var option = ExternalMediaStart()
        option.externalHost = "bot.example.com:8080"
        option.format = .slin16
        change(&option)
        return option
    }

    private func started(_ effects: [LegEffect]) -> [StreamSettings] { effects.compactMap { if case .startStream(let stream) = $0 { stream } else { nil } } }
    private func stopped(_ effects: [LegEffect]) -> [String] { effects.compactMap { if case .stopStream(let id) = $0 { id } else { nil } } }

    @Test("external_media_start begins one stream, and the flow goes on when it is seated; external_media_stop ends it")
    func flow() throws {
        var (fixture, effects) = LegFixture.answered(
            performing: .externalMediaStart(Self.option { ($0.directionListen, $0.directionSpeak, $0.data) = (.both, .in, "x") }))
        let stream = try #require(started(effects).first)
        #expect(stream.url == "ws://bot.example.com:8080" && stream.format == "slin16" && stream.encapsulation == .json)
        #expect(stream.listen == .both && stream.speak == .in && stream.parameters == ["data": "x"])
        #expect(Identifier.isPlausible(stream.id, prefix: "part"))
        #expect(effects.outcomes.isEmpty)
        var kept = stream
        kept.sealedAuthorization = [1, 2, 3]
        #expect(fixture.apply(.streamStarted(kept)).outcomes == [.completed])
        #expect(try JSON.roundTrip(fixture.leg).streams == [kept])
        effects = fixture.step(2, .externalMediaStop)
        #expect(stopped(effects) == [stream.id] && effects.outcomes == [.completed])
        #expect(fixture.leg.streams == nil)
        #expect(fixture.step(3, .externalMediaStop).outcomes == [.completed], "nothing to stop is no failure")
    }

    @Test("One that is refused lets the flow know why")
    func refused() throws {
        var (fixture, effects) = LegFixture.answered(performing: .externalMediaStart(Self.option()))
        let id = try #require(started(effects).first?.id)
        let error = RPCError(.invalid, "", problems: [Problem(pointer: "/url", detail: "")])
        effects = fixture.apply(.streamRefused(id: id, error))
        #expect(effects.outcomes == [.failed("address_refused")])
    }

    @Test("Streams follow the leg to its next room, unless they have ended meanwhile")
    func moving() throws {
        var option = ConferenceJoin()
        option.conferenceID = "conf_1"
        var (fixture, _) = LegFixture.answered(performing: .answer)
        for id in ["part_1", "part_2"] { _ = fixture.apply(.streamStarted(StreamSettings(id: id, url: "ws://x/"))) }
        _ = fixture.apply(.streamEnded(id: "part_2"))
        #expect(started(fixture.apply(.linked(seat: fixture.leg.seat.number))).isEmpty, "it has not moved")
        _ = fixture.step(2, .conferenceJoin(option))
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_conf", instance: "mixer-2", inside: LegFixture.inside))
        #expect(started(fixture.apply(.linked(seat: fixture.leg.seat.number))).map(\.id) == ["part_1"])
        #expect(stopped(fixture.apply(.streamUnwanted(id: "part_1"))) == ["part_1"])
    }
}
