import Addresses
import Contracts
import DTLS
import Deadlines
import MediaSession
import SDP
import Testing

@testable import MediaRelay

/// A relay with addresses of both families, or of IPv4 only.
private func relay(ports: ClosedRange<UInt16>, six: Bool = true) throws -> MediaLoop {
    var settings = RelaySettings(
        inside: .loopbackIPv4, media: .loopbackIPv4, ports: ports, threads: 1, sessionLimit: 10, timeout: .seconds(60))
    if six { settings.place6 = Place(media: .loopbackIPv6, listen: .loopbackIPv6) }
    let events = SessionEvents(began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in })
    let security = Security(Endpoint(.make(now: 1_700_000_000)), second: settings.place6?.media)
    let loop = try MediaLoop(
        index: 0, settings: settings, security: security, occupancy: Occupancy(limit: 10) { _ in }, events: events)
    loop.start()
    return loop
}

private func offer(_ connection: String, version: Int = 1, _ attributes: String...) -> String {
    (["v=0", "o=- 1 \(version) IN IP4 127.0.0.1", "s=-", "c=IN \(connection)", "t=0 0", "m=audio 4000 RTP/AVP 0 8"] + attributes)
        .map { $0 + "\r\n" }.joined()
}

private func create(_ offer: String?, _ id: String = "s", continuing: String? = nil) -> CreateMediaSession {
    CreateMediaSession(
        sessionID: id, customerID: "customer", callID: "call", owner: "CallServer-1", epoch: 1, offer: offer, continuing: continuing)
}

@Suite("MediaRelay: families of addresses (RFC 6157)")
struct FamilyTests {
    @Test("an offer is answered in its family; a re-INVITE may change it")
    func answers() async throws {
        let loop = try relay(ports: 44400...44419)
        defer { loop.loop.stop() }
        let six = try SessionDescription.parse(try await loop.create(create(offer("IP6 ::1"))).description)
        #expect(six.connection?.ipAddress == .loopbackIPv6 && six.origin.addressType == "IP6")
        let four = try await loop.create(create(offer("IP4 127.0.0.1"), "t"))
        #expect(try SessionDescription.parse(four.description).connection?.ipAddress == .loopbackIPv4)
        let moved = try await loop.update(
            UpdateMediaSession(sessionID: "t", epoch: 1, kind: .offer, remote: offer("IP6 ::1", version: 2)))
        let answer = try SessionDescription.parse(try #require(moved.description))
        #expect(answer.connection?.ipAddress == .loopbackIPv6)
        #expect(try answer.media[0].port == SessionDescription.parse(four.description).media[0].port)
    }

    @Test("a first offer of ours is in the family asked for; a session taken over stays in its own")
    func offers() async throws {
        let loop = try relay(ports: 44420...44439)
        defer { loop.loop.stop() }
        _ = try await loop.create(create(nil))
        let made = try await loop.update(
            UpdateMediaSession(sessionID: "s", epoch: 1, kind: .makeOffer, remote: "", profile: .plain, family: .ipv6))
        #expect(try SessionDescription.parse(try #require(made.description)).connection?.ipAddress == .loopbackIPv6)
        _ = try await loop.update(UpdateMediaSession(sessionID: "s", epoch: 1, kind: .answer, remote: offer("IP6 ::1")))
        let taken = try await loop.create(create(nil, "t", continuing: made.description))
        #expect(try SessionDescription.parse(taken.description).connection?.ipAddress == .loopbackIPv6)
    }

    @Test("SIP 488: without an address of the family offered")
    func refused() async throws {
        let loop = try relay(ports: 44440...44459, six: false)
        defer { loop.loop.stop() }
        await #expect(throws: RPCError.self) { _ = try await loop.create(create(offer("IP6 ::1"))) }
    }

    @Test("RFC 8421 §4: where checks find the way, both families are candidates at one port")
    func candidates() async throws {
        let loop = try relay(ports: 44460...44479)
        defer { loop.loop.stop() }
        _ = try await loop.create(create(nil))
        let made = try await loop.update(
            UpdateMediaSession(sessionID: "s", epoch: 1, kind: .makeOffer, remote: "", profile: .browser))
        let description = try SessionDescription.parse(try #require(made.description))
        let candidates = try #require(description.connectivity(ofMedia: 0)).candidates
        let port = description.media[0].port
        #expect(candidates.count == 2 && candidates.contains { $0.contains(" 127.0.0.1 \(port) ") } && candidates.contains { $0.contains(" ::1 \(port) ") })
    }
}
