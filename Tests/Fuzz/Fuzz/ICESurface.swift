import Addresses
import Cryptography
import Deadlines
import ICE
import STUN

enum ICESurface {
    /// What is read of a candidate, printed and read again is the same.
    static func candidate(_ bytes: [UInt8]) {
        guard let candidate = try? Candidate(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
        guard let again = try? Candidate(parsing: candidate.description) else {
            preconditionFailure("its own text is no candidate: \(candidate)")
        }
        precondition(again.description == candidate.description && again.address == candidate.address, "read again it differs: \(candidate)")
    }

    private static let base = SocketAddress(IPAddress(v4: 0xc000_0201), port: 1000)
    private static let theirs = SocketAddress(IPAddress(v4: 0xc000_0202), port: 2000)

    /// Datagrams as they are change nothing; the same with the right code, as a peer gone mad would send them, keep all bounds.
    static func agent(_ bytes: [UInt8]) {
        for mode in [Mode.full, .lite] {
            var driver = Driver(mode)
            let before = driver.agent.snapshot
            driver.receive(bytes, from: theirs)
            precondition(driver.agent.snapshot == before, "a stranger's datagram changed something")
            for piece in pieces(of: bytes) { driver.play(piece) }
            driver.finish()
        }
    }

    /// One octet of what to do, one of how many follow.
    private static func pieces(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while rest.count >= 2, pieces.count < 64 {
            let length = Int(rest[rest.startIndex + 1])
            pieces.append(rest.prefix(2 + length))
            rest = rest.dropFirst(2 + length)
        }
        return pieces
    }

    private struct Driver {
        var agent: Agent
        var now = Instant(nanoseconds: 1_000_000_000)
        var outbox = Outbox()
        /// The last request it made, to be answered.
        var asked: [UInt8] = []
        let peer = Credentials(random: (4, 5, 6))

        init(_ mode: Mode) {
            agent = Agent(mode: mode, role: .controlled, local: Credentials(random: (1, 2, 3)), random: (7, 8))
            agent.addLocal(Candidate(ICESurface.base), now: now)
            agent.setRemote(peer, now: now, into: &outbox)
            agent.addRemote(Candidate(ICESurface.theirs), now: now)
            drain()
        }

        mutating func receive(_ bytes: [UInt8], from source: SocketAddress) {
            agent.receive(bytes.span, from: source, on: ICESurface.base, now: now, into: &outbox)
            drain()
        }

        /// The piece's octets as attributes of a request, or of an answer, with the right code.
        mutating func play(_ piece: ArraySlice<UInt8>) {
            guard let action = piece.first else { return }
            let attributes = Array(piece.dropFirst(2))
            let source = SocketAddress(ICESurface.theirs.address, port: 2000 + UInt16(action >> 4))
            switch action & 7 {
            case 0...2: request(attributes, from: source)
            case 3, 4: answer(action & 7 == 3 ? 0x0101 : 0x0111, attributes, from: source)
            case 5:
                now = now + .milliseconds(Int(action) * 20)
                agent.expire(now: now, into: &outbox)
                drain()
            case 6: agent.restart(local: Credentials(random: (UInt64(action), 2, 3)))
            default: agent.setRemote(peer, now: now, into: &outbox)
            }
        }

        private mutating func request(_ attributes: [UInt8], from source: SocketAddress) {
            var name = MessageWriter(.request, transaction: TransactionID(high: 1, low: UInt64(attributes.count)))
            name.text(.username, Array("\(agent.localCredentials.fragment):\(peer.fragment)".utf8))
            receive(Self.sealed(name.finish(), attributes, agent.localCredentials.password), from: source)
        }

        private mutating func answer(_ type: UInt16, _ attributes: [UInt8], from source: SocketAddress) {
            guard asked.count >= 20 else { return }
            let head = [UInt8(type >> 8), UInt8(type & 255)] + asked[2..<20]
            receive(Self.sealed(Array(head), attributes, peer.password), from: source)
        }

        private static func sealed(_ head: [UInt8], _ attributes: [UInt8], _ password: String) -> [UInt8] {
            var bytes = head + attributes
            while bytes.count & 3 != 0 { bytes.append(0) }
            let length = UInt16(bytes.count - 20 + 24)
            (bytes[2], bytes[3]) = (UInt8(length >> 8), UInt8(length & 255))
            return bytes + [0, 8, 0, 20] + DigestAlgorithm.sha1.authenticate(bytes, key: Array(password.utf8))
        }

        private mutating func drain() {
            for datagram in outbox.datagrams {
                let isSTUN = STUN.Message.isMessage(datagram.bytes.span)
                precondition(isSTUN && datagram.base == ICESurface.base, "something else than STUN leaves")
                if datagram.bytes[0] == 0, datagram.bytes[1] == 1 { asked = datagram.bytes }
            }
            outbox.removeAll()
        }

        /// Whatever happened, it comes to rest: it asks for consent, keeps alive, or waits for nothing; a successor is the same.
        mutating func finish() {
            var calls = 0
            let end = now + .seconds(600)
            while let deadline = agent.deadline, deadline <= end {
                now = max(now, deadline)
                agent.expire(now: now, into: &outbox)
                drain()
                calls += 1
                precondition(calls < 20_000, "a deadline that has come is not acted upon")
            }
            let successor = Agent(restoring: agent.snapshot, random: (1, 1), now: now)
            precondition(successor.snapshot == agent.snapshot, "a successor differs")
        }
    }
}
