import Addresses
import DTLS
import Deadlines
import ICE
import MediaSession
import SDP
import SRTP

/// The port of a leg: everything that comes to one socket, in any order, from the phone's address and from others.
enum PortSurface {
    private static let endpoint = Endpoint(.make(now: 0))
    private static let base = SocketAddress(IPAddress(v4: 0xc000_0201), port: 30_000)
    private static let phone = SocketAddress(IPAddress(v4: 0xc633_6401), port: 50_000)
    private static let stranger = SocketAddress(IPAddress(v4: 0xc633_6402), port: 50_000)

    /// A byte for the kind of leg, then datagrams: a byte for where from, two of length. With keys or checks nothing of it is sound, and
    /// nothing but what was agreed moves the path.
    static func datagrams(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        var transport = transport(first)
        let isPlain = first % 4 == 3
        var now = Instant(nanoseconds: 1)
        var rest = bytes.dropFirst()
        while rest.count >= 3 {
            let source = rest[rest.startIndex] & 1 == 0 ? phone : stranger
            let length = Int(rest[rest.startIndex + 1]) << 8 | Int(rest[rest.startIndex + 2])
            var datagram = Array(rest.dropFirst(3).prefix(length))
            rest = rest.dropFirst(3 + length)
            let count = datagram.count
            var span = datagram.mutableSpan
            let received = transport.receive(&span, count: count, from: source, now: now)
            switch received {
            case .sound(let length), .control(let length):
                precondition(isPlain && length == count, "a packet without the right tag is believed")
            case .consumed, .dropped: break
            }
            for sent in transport.takeOutgoing() { precondition(sent.bytes.count <= 1_500, "a long datagram") }
            for event in transport.takeEvents() {
                if case .path = event { preconditionFailure("a path without a check") }
            }
            now = now + .milliseconds(50)
            if let deadline = transport.deadline, deadline <= now { transport.expire(now: now) }
        }
        precondition(isPlain || first % 4 == 0 || !transport.isKeyed, "keys for nobody")
    }

    private static func transport(_ kind: UInt8) -> MediaTransport {
        var transport = MediaTransport(base: base)
        let now = Instant(nanoseconds: 1)
        switch kind % 4 {
        case 0:
            let key = MasterKey(.aes128CounterModeSHA1_80, keyAndSalt: [UInt8](repeating: 7, count: 30))
            transport.key(sending: key, receiving: key)
        case 1:
            var agent = Agent(mode: .lite, role: .controlled, local: Credentials(random: (1, 2, 3)), random: (4, 5))
            agent.addLocal(Candidate(base), now: now)
            transport.use(agent)
            transport.withAgent { agent, outbox in _ = agent.setRemote(Credentials(random: (6, 7, 8)), now: now, into: &outbox) }
            transport.shake(endpoint, .passive, [endpoint.certificate.fingerprint])
        case 2: transport.shake(endpoint, kind & 4 == 0 ? .passive : .active, [endpoint.certificate.fingerprint])
        default: break
        }
        transport.aim(at: phone)
        transport.begin(now: now)
        return transport
    }
}
