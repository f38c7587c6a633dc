import Addresses
import Contracts
import DTLS
import Deadlines
import SDP
import Synchronization
import Testing

@testable import MediaRelay

@Suite("MediaRelay: keys by command")
struct DigitOperationsTests {
    private final class Told: Sendable {
        let digits = Mutex<[String]>([])
    }

    private func relay(_ told: Told) throws -> MediaLoop {
        let settings = RelaySettings(
            inside: .loopbackIPv4, media: .loopbackIPv4, ports: 44300...44399, threads: 1, sessionLimit: 10, timeout: .seconds(60))
        let events = SessionEvents(
            began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in },
            digit: { command, owner in told.digits.withLock { $0.append("\(owner) \(command.digit) \(command.bypassesRoom == true)") } })
        let loop = try MediaLoop(
            index: 0, settings: settings, security: Security(Endpoint(.make(now: 1_700_000_000))), occupancy: Occupancy(limit: 10) { _ in },
            events: events)
        loop.start()
        return loop
    }

    private func create(_ loop: MediaLoop, digits: DigitTreatment? = nil, codecs: [String]? = nil) async throws -> SessionDescription {
        let offer = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP 0 9 101", "a=rtpmap:101 telephone-event/8000"]
        let reply = try await loop.create(
            CreateMediaSession(
                sessionID: "s", customerID: "c", callID: "call", owner: "CallServer-1", epoch: 2, offer: offer.map { $0 + "\r\n" }.joined(),
                codecs: codecs, digits: digits))
        return try SessionDescription.parse(reply.description)
    }

    private func press(_ loop: MediaLoop, _ id: String, _ digits: String, epoch: UInt64 = 2) async -> RPCError.Code? {
        do {
            _ = try await loop.press(PressInMediaSession(sessionID: "s", epoch: epoch, pressID: id, digits: digits))
            return nil
        } catch {
            return error.code
        }
    }

    @Test("relay.session.press is performed once a name; of blocked keys the owner is told, of others the room")
    func once() async throws {
        let told = Told()
        let loop = try relay(told)
        defer { loop.loop.stop() }
        _ = try await create(loop, digits: .block)
        for id in ["1", "1", "2"] { #expect(await press(loop, id, "5#") == nil) }
        #expect(told.digits.withLock { $0 } == ["5", "#", "5", "#"].map { "CallServer-1 \($0) true" })
        _ = try await loop.set(SetMediaSession(sessionID: "s", epoch: 2, digits: .pass))
        #expect(await press(loop, "3", "7") == nil)
        #expect(told.digits.withLock { $0.count } == 4)
    }

    @Test("What is no key is refused, and a former owner, too")
    func refused() async throws {
        let loop = try relay(Told())
        defer { loop.loop.stop() }
        #expect(await press(loop, "1", "5") == .notFound)
        _ = try await create(loop)
        #expect(await press(loop, "1", "x") == .invalid)
        #expect(await press(loop, "1", "5", epoch: 1) == .fenced)
    }

    @Test("A session is answered with the codecs it was given; an offer answered before may be answered again with others")
    func codecs() async throws {
        let loop = try relay(Told())
        defer { loop.loop.stop() }
        #expect(try await create(loop, codecs: ["G722"]).media[0].formats == ["9", "101"])
        let offer = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP 0 9"].map { $0 + "\r\n" }.joined()
        func answer(_ codecs: [String]?) async throws -> [String] {
            let reply = try await loop.update(UpdateMediaSession(sessionID: "s", epoch: 2, kind: .offer, remote: offer, codecs: codecs))
            return try SessionDescription.parse(reply.description ?? "").media[0].formats
        }
        #expect(try await answer(nil) == ["9"])
        #expect(try await answer(["PCMU", "G722"]) == ["0", "9"])
        await #expect(throws: RPCError.self) { try await answer(["MP3"]) }
        #expect(try await loop.query(QueryMediaSession(sessionID: "s")).codec == "PCMU")
    }
}
