import Addresses
import Contracts
import DTLS
import Deadlines
import MediaSession
import SDP
import Testing

@testable import MediaRelay

extension RelaySettings {
    /// One media thread on loopback, patient with phones that stand still.
    static func patient(_ ports: ClosedRange<UInt16>) -> RelaySettings {
        RelaySettings(inside: .loopbackIPv4, media: .loopbackIPv4, ports: ports, threads: 1, sessionLimit: 10, timeout: .seconds(600))
    }
}

/// A media thread alone, whose sessions carry sound between phones and rooms of the test.
final class SoundRelay {
    let loop: MediaLoop

    init(_ settings: RelaySettings) throws {
        let security = Security(Endpoint(.make(now: 1_700_000_000)), second: settings.place6?.media)
        let events = SessionEvents(began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in })
        loop = try MediaLoop(
            index: 0, settings: settings, security: security, occupancy: Occupancy(limit: settings.sessionLimit) { _ in }, events: events)
        loop.start()
    }

    deinit { loop.loop.stop() }

    /// A session for a phone that offers these formats alone, each as `a=rtpmap` names it.
    func open(_ id: String, for phone: Ear, _ formats: [String]) async throws -> (answer: SessionDescription, inside: InsideEndpoint) {
        let connection = "IN \(phone.address.isIPv4 ? "IP4" : "IP6") \(phone.address)"
        let numbers = formats.map { format in String(format.prefix { $0 != " " }) }.joined(separator: " ")
        let head: [String] = ["v=0", "o=- 1 1 \(connection)", "s=-", "c=\(connection)", "t=0 0", "m=audio \(phone.port) RTP/AVP \(numbers)"]
        let offer = (head + formats.map { "a=rtpmap:\($0)" }).map { $0 + "\r\n" }.joined()
        let reply = try await loop.create(
            CreateMediaSession(sessionID: id, customerID: "customer", callID: "call", owner: "CallServer-1", epoch: 1, offer: offer))
        return (try SessionDescription.parse(reply.description), reply.inside)
    }

    /// A session for that phone, with that room inside; the port where it takes what the room says.
    func join(_ phone: ToneSide, with room: ToneSide) async throws -> (answer: SessionDescription, inside: UInt16) {
        let (answer, inside) = try await open("s", for: phone.ear, [phone.codec.format])
        room.ssrc = inside.ssrc
        try await link("s", to: room.ear, ssrc: 71)
        return (answer, try #require(SocketAddress(inside.address)?.port))
    }

    /// The inside is that room from now on.
    func link(_ id: String, to room: Ear, ssrc: UInt32) async throws {
        let inside = InsideEndpoint(address: SocketAddress(room.address, port: room.port).description, ssrc: ssrc)
        _ = try await loop.link(LinkMediaSession(sessionID: id, epoch: 1, inside: inside))
    }

    /// The inside is that session from now on.
    func link(_ id: String, with other: String) async throws {
        _ = try await loop.link(LinkMediaSession(sessionID: id, epoch: 1, inside: nil, session: other))
    }
}
