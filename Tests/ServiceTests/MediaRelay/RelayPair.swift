import Addresses
import Contracts
import DTLS
import Datagrams
import Deadlines
import ICE
import MediaSession
import SDP
import Synchronization

@testable import MediaRelay

/// A relay with one session, seen from its room: what another relay is to it is a phone.
final class RelaySide {
    let loop: MediaLoop
    let failures = Failures()
    private let room: DatagramSocket
    private var batch = ReceiveBatch(capacity: 16)
    private var inside: InsideEndpoint?
    private var sequence: UInt8 = 0

    final class Failures: Sendable {
        let told = Mutex<[MediaFailed]>([])
        var reasons: [String] { told.withLock { $0.map(\.reason) } }
    }

    init(ports: ClosedRange<UInt16>, iceMode: ICE.Mode = .lite) throws {
        let settings = RelaySettings(
            inside: .loopbackIPv4, media: .loopbackIPv4, ports: ports, threads: 1, sessionLimit: 10, timeout: .seconds(60))
        let failures = failures
        var preferences = MediaPreferences()
        preferences.iceMode = iceMode
        let events = SessionEvents(
            began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in },
            failed: { failure, _ in failures.told.withLock { $0.append(failure) } })
        loop = try MediaLoop(
            index: 0, settings: settings, security: Security(Endpoint(.make(now: 1_700_000_000)), preferences),
            occupancy: Occupancy(limit: 10) { _ in }, events: events)
        room = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: 0))
        loop.start()
    }

    deinit { loop.loop.stop() }

    /// Our description: an answer, or an offer under that profile.
    func create(_ offer: String?, _ profile: MediaProfile? = nil) async throws -> String {
        let reply = try await loop.create(
            CreateMediaSession(sessionID: "s", customerID: "c", callID: "call", owner: "CallServer-1", epoch: 1, offer: offer))
        inside = reply.inside
        let own = InsideEndpoint(address: room.localAddress.description, ssrc: 7)
        _ = try await loop.link(LinkMediaSession(sessionID: "s", epoch: 1, inside: own))
        guard let profile else { return reply.description }
        return try await update(.makeOffer, "", profile) ?? ""
    }

    func update(_ kind: UpdateMediaSession.Kind, _ remote: String, _ profile: MediaProfile? = nil) async throws -> String? {
        try await loop.update(UpdateMediaSession(sessionID: "s", epoch: 1, kind: kind, remote: remote, profile: profile)).description
    }

    /// A packet of sound from the room to the phone.
    func speak() {
        guard let inside, let address = SocketAddress(inside.address) else { return }
        sequence &+= 1
        var packet: [UInt8] = [0x80, 0, 0, sequence, 0, 0, 0, 0]
        for shift in [24, 16, 8, 0] { packet.append(UInt8(truncatingIfNeeded: inside.ssrc >> UInt32(shift))) }
        room.send(packet + [UInt8](repeating: 0x5a, count: 160), to: address)
    }

    /// How many packets of sound have come to the room since it was asked last.
    func heard() -> Int {
        var count = 0
        while room.receive(into: &batch) > 0 {
            for index in 0..<batch.count {
                let datagram = batch[index]
                if datagram.bytes.count == 172, datagram.bytes[100] == 0x5a { count += 1 }
            }
        }
        return count
    }
}

extension MediaLoop {
    /// Whether the ports of a session have keys: RTP's, and RTCP's where it has its own.
    func keyed(_ id: String = "s") -> (rtp: Bool, rtcp: Bool?) {
        guard let name = names[id], let leg = legs[name] else { return (false, nil) }
        let control: Bool? = leg.session.controlTransport == nil ? nil : leg.session.controlTransport?.isKeyed
        return (leg.session.transport?.isKeyed ?? false, control)
    }

    func controlPath(_ id: String = "s") -> SocketAddress? {
        guard let name = names[id], let leg = legs[name] else { return nil }
        return leg.session.controlTransport?.path
    }
}

/// Both rooms hear each other; each is given so many chances.
func converse(_ left: RelaySide, _ right: RelaySide) async throws -> Bool {
    var (toLeft, toRight) = (0, 0)
    for _ in 0..<500 {
        left.speak()
        right.speak()
        try await Task.sleep(for: .milliseconds(20))
        toLeft += left.heard()
        toRight += right.heard()
        if toLeft > 5, toRight > 5 { return true }
    }
    return false
}

/// Waits until something that cannot be waited for by name has happened.
func eventually(_ condition: () async -> Bool) async throws -> Bool {
    for _ in 0..<500 {
        if await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return false
}
