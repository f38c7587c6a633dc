import DTLS
import Deadlines
import SRTP

enum SecureMediaSurface {
    // MARK: SRTP

    /// Behind a byte that chooses the suite: what is no packet of ours changes neither itself nor the context, and what we protect is opened
    /// to what it was.
    static func packets(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let suite = SRTP.Suite.allCases[Int(first) % SRTP.Suite.allCases.count]
        guard let master = MasterKey(suite, keyAndSalt: Array(repeating: 7, count: suite.keyLength + suite.saltLength)) else {
            preconditionFailure("as many bytes as the suite wants")
        }
        let packet = Array(bytes.dropFirst())
        var context = Context(sending: master, receiving: master)
        for isControl in [false, true] {
            expectUntouched(packet, &context, isControl)
            let room = isControl ? suite.controlOverhead : suite.tagLength
            let sealed = change(packet, room: room) { span, count throws(SRTP.Failure) in
                try isControl ? context.protectControl(&span, count: count) : context.protect(&span, count: count)
            }
            guard let sealed else { continue }
            let opened = change(sealed, room: 0) { span, count throws(SRTP.Failure) in
                try isControl ? context.unprotectControl(&span, count: count) : context.unprotect(&span, count: count)
            }
            precondition(opened == packet, "what was protected is opened to something else")
        }
    }

    private static func expectUntouched(_ packet: [UInt8], _ context: inout Context, _ isControl: Bool) {
        let before = context.snapshot
        var buffer = packet
        var span = buffer.mutableSpan
        let opened = try? isControl
            ? context.unprotectControl(&span, count: packet.count) : context.unprotect(&span, count: packet.count)
        precondition(opened == nil, "a tag was guessed")
        precondition(buffer == packet && context.snapshot == before, "something bad has changed something")
    }

    private static func change(
        _ packet: [UInt8], room: Int, _ body: (inout MutableSpan<UInt8>, Int) throws(SRTP.Failure) -> Int
    ) -> [UInt8]? {
        var buffer = packet + [UInt8](repeating: 0, count: room)
        var span = buffer.mutableSpan
        guard let length = try? body(&span, packet.count) else { return nil }
        return Array(buffer.prefix(length))
    }

    /// A line that is understood is printed so that it is understood the same.
    static func crypto(_ bytes: [UInt8]) {
        guard let line = try? CryptoAttribute(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
        precondition((try? CryptoAttribute(parsing: line.description)) == line, "its own text is not understood: \(line)")
    }

    // MARK: DTLS

    private static let (here, there) = (Endpoint(.make(now: 0)), Endpoint(.make(now: 0)))

    /// A byte for the side, then datagrams with two bytes of length: whatever that side is told, it says little, and the handshake with
    /// its peer still comes about.
    static func handshake(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        var now = Instant(nanoseconds: 1)
        var active = Handshake(here, role: .active, fingerprints: [there.certificate.fingerprint])
        var passive = Handshake(there, role: .passive, fingerprints: [here.certificate.fingerprint])
        var (fromActive, fromPassive) = (Outbox(), Outbox())
        var keys: [Keying] = []
        func note(_ outcome: Handshake.Outcome) {
            switch outcome {
            case .none: break
            case .established(let keying): keys.append(keying)
            case .failed(let failure): preconditionFailure("\(failure)")
            case .closed: preconditionFailure("closed by nobody")
            }
        }
        note(passive.start(now: now, into: &fromPassive))
        note(active.start(now: now, into: &fromActive))
        var rest = bytes.dropFirst()
        while rest.count >= 2 {
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            let datagram = Array(rest.dropFirst(2).prefix(length))
            rest = rest.dropFirst(2 + length)
            if first & 1 == 0 {
                note(passive.receive(datagram.span, now: now, into: &fromPassive))
            } else {
                note(active.receive(datagram.span, now: now, into: &fromActive))
            }
        }
        precondition(keys.isEmpty, "keys for nobody")
        while keys.count < 2 {
            let (toPassive, toActive) = (fromActive.datagrams, fromPassive.datagrams)
            (fromActive, fromPassive) = (Outbox(), Outbox())
            precondition((toPassive + toActive).allSatisfy { $0.count <= 1_200 }, "a long datagram")
            for datagram in toPassive { note(passive.receive(datagram.span, now: now, into: &fromPassive)) }
            for datagram in toActive { note(active.receive(datagram.span, now: now, into: &fromActive)) }
            guard fromActive.datagrams.isEmpty, fromPassive.datagrams.isEmpty, keys.count < 2 else { continue }
            guard let next = [active.deadline, passive.deadline].compactMap({ $0 }).min() else { preconditionFailure("nothing is to come") }
            now = next
            note(active.expire(now: now, into: &fromActive))
            note(passive.expire(now: now, into: &fromPassive))
        }
        precondition(keys[0].sending == keys[1].receiving && keys[0].receiving == keys[1].sending, "the keys differ")
    }
}
