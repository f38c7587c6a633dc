import Addresses
import Contracts
import DTLS
import Deadlines
import Hostile
import MediaSession
import SDP
import Synchronization
import Testing

@testable import MediaRelay

/// One media thread alone, on loopback, with ears for what it tells.
private final class Rig: Sendable {
    let loop: MediaLoop
    let records: Records

    final class Records: Sendable {
        let changed = Mutex<[SessionRecord]>([])
        let ended = Mutex<[String]>([])
    }

    init(sessionLimit: Int = 10, ports: ClosedRange<UInt16> = 44000...44199, advertised: IPAddress = .loopbackIPv4) throws {
        let records = Records()
        var settings = RelaySettings(
            inside: .loopbackIPv4, media: .loopbackIPv4, ports: ports, threads: 1, sessionLimit: sessionLimit, timeout: .seconds(60))
        settings.media = advertised
        let events = SessionEvents(
            began: { record in records.changed.withLock { $0.append(record) } },
            changed: { record in records.changed.withLock { $0.append(record) } },
            ended: { record, _ in records.ended.withLock { $0.append(record.id) } }, silent: { _, _ in })
        loop = try MediaLoop(
            index: 0, settings: settings, security: Security(Endpoint(.make(now: 1_700_000_000))), occupancy: Occupancy(limit: sessionLimit) { _ in }, events: events)
        self.records = records
        loop.start()
    }

    deinit { loop.loop.stop() }

    func create(_ id: String = "s", epoch: UInt64 = 1, offer: String?) async throws -> CreateMediaSession.Reply {
        try await loop.create(
            CreateMediaSession(sessionID: id, customerID: "customer", callID: "call", owner: "CallServer-1", epoch: epoch, offer: offer))
    }

    func update(_ kind: UpdateMediaSession.Kind, _ remote: String, epoch: UInt64 = 1) async throws -> UpdateMediaSession.Reply {
        try await loop.update(UpdateMediaSession(sessionID: "s", epoch: epoch, kind: kind, remote: remote))
    }
}

private func offer(version: Int = 1, formats: String = "0 8", _ attributes: String...) -> String {
    (["v=0", "o=- 1 \(version) IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP \(formats)"] + attributes)
        .map { $0 + "\r\n" }.joined()
}

private func code(_ body: () async throws -> some Sendable) async -> RPCError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? RPCError)?.code
    }
}

@Suite("MediaRelay: commands")
struct SessionOperationsTests {
    @Test("create answers the phone's offer from a port of the range; created again, it answers the same")
    func create() async throws {
        let rig = try Rig()
        let first = try await rig.create(offer: offer())
        let answer = try SessionDescription.parse(first.description)
        #expect((44000...44199).contains(answer.media[0].port) && answer.media[0].port % 2 == 0)
        #expect(answer.media[0].formats == ["0", "8"] && answer.connection?.ipAddress == .loopbackIPv4)
        #expect(SocketAddress(first.inside.address) == rig.loop.insideAddress)
        let again = try await rig.create(offer: offer())
        #expect(again == first)
        let different = await code { try await rig.create(offer: offer(formats: "8")) }
        #expect(different == .conflict)
        let other = try await rig.create("t", offer: offer())
        #expect(other.inside.ssrc != first.inside.ssrc)
    }

    @Test("Without an offer, create makes one, and update takes the answer")
    func weOffer() async throws {
        let rig = try Rig()
        let created = try await rig.create(offer: nil)
        #expect(try SessionDescription.parse(created.description).media[0].formats == ["0", "8", "101"])
        let early = await code { try await rig.update(.answer, offer(formats: "4")) }
        #expect(early == .notAcceptable)
        let reply = try await rig.update(.answer, offer(formats: "8"))
        #expect(reply == UpdateMediaSession.Reply(description: nil, held: false))
        let codec = try await rig.loop.query(QueryMediaSession(sessionID: "s")).codec
        #expect(codec == "PCMA")
        let repeated = await code { try await rig.update(.answer, offer(formats: "8")) }
        #expect(repeated == nil)
        _ = try await rig.update(.offer, offer(version: 2))
        let unexpected = await code { try await rig.update(.answer, offer()) }
        #expect(unexpected == .conflict)
    }

    @Test("SIP 488: no codec, no audio, no address, no SDP; nothing is left behind")
    func notAcceptable() async throws {
        let rig = try Rig(sessionLimit: 1)
        let bad = [
            offer(formats: "4"), "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n", "no description", "",
            offer().replacing("c=IN IP4 127.0.0.1", with: "c=IN IP4 phone.example"),
            offer().replacing("c=IN IP4 127.0.0.1", with: "c=IN IP6 ::1"), offer().replacing("RTP/AVP", with: "RTP/SAVP"),
        ]
        for description in bad {
            let refusal = await code { try await rig.create(offer: description) }
            #expect(refusal == .notAcceptable)
        }
        _ = try await rig.create(offer: offer())
        let full = await code { try await rig.create("t", offer: offer()) }
        #expect(full == .exhausted)
    }

    @Test("RELIABILITY V6, V7: whatever is offered that is no description or cannot be followed is refused, and keeps no port and no session")
    func badDescriptions() async throws {
        // One pair of ports, which would have to rest if a phone had heard of it; below those that the kernel gives to anybody.
        let rig = try Rig(sessionLimit: 1, ports: 27450...27451)
        for bad in BadDescription.all {
            let refusal = await code { try await rig.create(offer: bad.text) }
            #expect(refusal == .notAcceptable, "\(bad.name)")
        }
        #expect(rig.records.changed.withLock { $0.isEmpty } && rig.records.ended.withLock { $0.isEmpty })
        _ = try await rig.create(offer: offer())
        for bad in BadDescription.all {
            let refusal = await code { try await rig.update(.offer, bad.text) }
            #expect(refusal == .notAcceptable, "\(bad.name)")
        }
        let kept = try await rig.update(.offer, offer(version: 2))
        #expect(!kept.held)
    }

    @Test("RELIABILITY V18: a relay that is reached from elsewhere sends nothing to what only its machine can reach; its descriptions have the advertised address")
    func egress() async throws {
        let rig = try Rig(advertised: try #require(IPAddress("192.0.2.1")))
        #expect(await code { try await rig.create(offer: offer()) } == .notAcceptable)
        let elsewhere = offer().replacing("127.0.0.1", with: "198.51.100.7")
        #expect(try await rig.create(offer: elsewhere).description.contains("c=IN IP4 192.0.2.1"))
        #expect(await code { try await rig.update(.offer, offer(version: 2).replacing("127.0.0.1", with: "169.254.169.254")) } == .notAcceptable)
    }

    @Test("Hold and resume by re-INVITE; a refused one changes nothing")
    func hold() async throws {
        let rig = try Rig()
        _ = try await rig.create(offer: offer())
        let held = try await rig.update(.offer, offer(version: 2, "a=sendonly"))
        #expect(held.held && held.description?.contains("a=recvonly") == true)
        let refused = await code { try await rig.update(.offer, offer(version: 3, formats: "4")) }
        #expect(refused == .notAcceptable)
        let ours = try await rig.update(.makeOffer, "")
        #expect(ours.held && ours.description?.contains("a=sendrecv") == true)
        let resumed = try await rig.update(.answer, offer(version: 4))
        #expect(!resumed.held)
    }

    @Test("RELIABILITY §4.2: a lower epoch is refused by every command, a higher one is kept")
    func fencing() async throws {
        let rig = try Rig()
        _ = try await rig.create(epoch: 5, offer: offer())
        _ = try await rig.loop.link(LinkMediaSession(sessionID: "s", epoch: 6, inside: InsideEndpoint(address: "127.0.0.1:9", ssrc: 1)))
        let refusals = [
            await code { try await rig.create(epoch: 5, offer: offer()) }, await code { try await rig.update(.offer, offer(), epoch: 5) },
            await code { try await rig.loop.link(LinkMediaSession(sessionID: "s", epoch: 5, inside: nil)) },
            await code { try await rig.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 5)) },
        ]
        #expect(refusals == [.fenced, .fenced, .fenced, .fenced])
        _ = try await rig.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 6))
        let late = await code { try await rig.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 5)) }
        #expect(late == .fenced)
    }

    @Test("delete ends a session once, answers again, and no late create brings it back")
    func delete() async throws {
        let rig = try Rig()
        _ = try await rig.create(offer: offer())
        let first = try await rig.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 1))
        let again = try await rig.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 1))
        #expect(first == again && first.codec == "PCMU" && rig.records.ended.withLock { $0 } == ["s"])
        let refusals = [
            await code { try await rig.create(offer: offer()) }, await code { try await rig.update(.offer, offer()) },
            await code { try await rig.loop.delete(DeleteMediaSession(sessionID: "never", epoch: 1)) },
            await code { try await rig.loop.query(QueryMediaSession(sessionID: "never")) },
        ]
        #expect(refusals == [.conflict, .notFound, .notFound, .notFound])
    }

    @Test("A session whose call nobody owns ends with its ports and a tombstone, unless it was taken over meanwhile")
    func abandoned() async throws {
        let rig = try Rig(sessionLimit: 1)
        _ = try await rig.create(epoch: 2, offer: nil)
        await rig.loop.abandon("s", epoch: 1)
        await rig.loop.abandon("never", epoch: 1)
        #expect(rig.records.ended.withLock { $0 } == [])
        await rig.loop.abandon("s", epoch: 2)
        #expect(rig.records.ended.withLock { $0 } == ["s"])
        let late = await code { try await rig.create(epoch: 2, offer: nil) }
        #expect(late == .conflict)
        _ = try await rig.create("t", offer: offer())
    }

    @Test("A relay that leaves takes no more sessions, and answers as before for those it has")
    func leaving() async throws {
        let rig = try Rig()
        let first = try await rig.create(offer: offer())
        await rig.loop.occupancy.close()
        #expect(try await rig.create(offer: offer()) == first)
        #expect(await code { try await rig.create("other", offer: offer()) } == .exhausted)
        #expect(await rig.loop.occupancy.count == 1)
    }

    @Test("A room's address that is none is invalid, with a pointer to it")
    func link() async throws {
        let rig = try Rig()
        _ = try await rig.create(offer: offer())
        let command = LinkMediaSession(sessionID: "s", epoch: 1, inside: InsideEndpoint(address: "nowhere", ssrc: 1))
        await #expect(throws: RPCError(.invalid, "the room's address cannot be read", problems: [
            Problem(pointer: "/inside/address", detail: "not ADDRESS:PORT")
        ])) { _ = try await rig.loop.link(command) }
    }

    @Test("Every change is recorded, and the record tells everything a successor needs")
    func records() async throws {
        let rig = try Rig()
        let reply = try await rig.create(epoch: 3, offer: offer())
        _ = try await rig.loop.link(LinkMediaSession(sessionID: "s", epoch: 3, inside: InsideEndpoint(address: "127.0.0.1:9", ssrc: 1)))
        let record = try #require(rig.records.changed.withLock { $0.last })
        #expect(record.epoch == 3 && record.owner == "CallServer-1" && record.insideSSRC == reply.inside.ssrc)
        #expect(record.streams.room == SocketAddress("127.0.0.1:9") && record.exchange.agreement?.remote.port == 4000)
        #expect(record.exchange.localDescription?.description == reply.description)
    }

    @Test("A range in use elsewhere is an error in words, and the place is free again")
    func portsTaken() async throws {
        let first = try Rig(ports: 27452...27453)
        _ = try await first.create(offer: offer())
        let second = try Rig(sessionLimit: 1, ports: 27452...27453)
        let taken = await code { try await second.create(offer: offer()) }
        let count = await second.loop.occupancy.count
        #expect(taken == .exhausted && count == 0)
    }
}
