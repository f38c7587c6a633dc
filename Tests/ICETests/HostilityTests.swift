import Addresses
import Cryptography
import Deadlines
import ICE
import STUN
import Testing

private let left = address("192.0.2.1:1000")
private let right = address("192.0.2.2:2000")
private let stranger = address("198.51.100.66:666")

/// A message read with its bytes, whose spans must not appear in an expectation.
private func errorCode(_ bytes: [UInt8]) throws -> Int? { try Message(parsing: bytes.span).errorCode(in: bytes.span) }

private func unknownAttributes(_ bytes: [UInt8]) throws -> [UInt8]? {
    try Message(parsing: bytes.span).value(.unknownAttributes, in: bytes.span)
}

private func isAuthentic(_ bytes: [UInt8], _ password: String) throws -> Bool {
    try Message(parsing: bytes.span).isAuthentic(bytes.span, key: Array(password.utf8))
}

@Suite("ICE: what strangers send (RELIABILITY V4, V6, V17)")
struct HostilityTests {
    private let simulation = Simulation()

    init() {
        _ = simulation.add(.full, .controlling, at: [left])
        _ = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(0, 1)
        #expect(simulation.runUntilConnected(limit: .seconds(5)))
        simulation.events = [[], []]
    }

    /// A check of agent 0 to agent 1, with one thing different.
    private func check(
        name: String? = nil, password: String? = nil, priority: UInt32? = 1, role: AttributeType? = .iceControlling,
        _ change: (inout MessageWriter) -> Void = { _ in }
    ) -> [UInt8] {
        let (ours, theirs) = (simulation.agents[1].localCredentials, simulation.agents[0].localCredentials)
        var writer = MessageWriter(.request, transaction: TransactionID(high: 1, low: 2))
        writer.text(.username, Array((name ?? "\(ours.fragment):\(theirs.fragment)").utf8))
        if let priority { writer.priority(priority) }
        if let role { writer.tieBreaker(role, 1) }
        writer.useCandidate()
        change(&writer)
        return writer.sealed(key: Array((password ?? ours.password).utf8))
    }

    private func answer(_ bytes: [UInt8], from source: SocketAddress = stranger) -> [UInt8]? {
        let outbox = simulation.inject(bytes, into: 1, from: source, on: right)
        #expect(outbox.datagrams.count <= 1 && outbox.datagrams.allSatisfy { $0.to == source && $0.base == right })
        return outbox.datagrams.first?.bytes
    }

    @Test("RFC 8445 §7.3: who knows the credentials is believed where it is, and nominates")
    func authentic() throws {
        let bytes = try #require(answer(check()))
        #expect(bytes.starts(with: [1, 1]))
        #expect(try isAuthentic(bytes, simulation.agents[1].localCredentials.password))
        #expect(simulation.agents[1].isValidated(stranger, on: right) && simulation.agents[1].path()?.remote == stranger)
        #expect(simulation.agents[1].isValidated(left, on: right), "what was validated before stays so")
    }

    @Test("RFC 8489 §9.1.3: without the password nothing changes but a counter")
    func wrongPassword() throws {
        let before = simulation.agents[1].snapshot
        let fragment = simulation.agents[1].localCredentials.fragment
        var requests = [
            check(password: "wrong"), check(name: "\(fragment)"), check(name: "\(fragment):"), check(name: "\(fragment):other"),
            check(name: "other:\(fragment)"), check(name: ":"), check(name: ""), check(name: String(repeating: "x", count: 600)),
        ]
        var bare = MessageWriter(.request, transaction: TransactionID(high: 1, low: 2))
        bare.useCandidate()
        requests.append(bare.fingerprinted())
        for (count, request) in requests.enumerated() {
            let refusal = try #require(answer(request))
            let code = try errorCode(refusal)
            #expect(code == 401 || code == 400)
            #expect(2 * (refusal.count + 28) <= 3 * (request.count + 28))
            #expect(simulation.agents[1].counters.unauthentic == count + 1)
        }
        #expect(simulation.agents[1].snapshot == before && simulation.events[1].isEmpty)
        #expect(!simulation.agents[1].isValidated(stranger, on: right))
    }

    @Test("a flood of them is answered ten times a second")
    func flood() {
        let request = check(password: "wrong")
        let answered = (0..<10_000).count { _ in answer(request) != nil }
        #expect(answered == 10)
        simulation.now = simulation.now + .seconds(1)
        #expect(answer(request) != nil)
        #expect(answer(check()) != nil, "who knows the password is always answered")
    }

    @Test("every changed bit makes a check a stranger's", arguments: 0..<8)
    func changedBits(bit: Int) {
        let before = simulation.agents[1].snapshot
        let request = check()
        for index in request.indices {
            var changed = request
            changed[index] ^= 1 << UInt8(bit)
            // Neither the type of the checksum, without which it is the same message, nor that of what stands behind the code.
            if request.count - 8 <= index, index < request.count - 6 { continue }
            let answer = answer(changed)
            #expect(answer?.starts(with: [1, 1]) != true, "octet \(index)")
        }
        #expect(simulation.agents[1].snapshot == before)
    }

    @Test("no prefix and no garbage traps or changes anything")
    func garbage() {
        let before = simulation.agents.map(\.snapshot)
        var generator = SeededGenerator(seed: 9)
        let request = check()
        for end in request.indices { _ = answer(Array(request[..<end])) }
        for _ in 0..<20_000 {
            var bytes = request
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 20..<bytes.count - 8, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
            }
            guard bytes != request else { continue }
            // Without a checksum it is read, and the code is all that is between it and the state.
            bytes.removeLast(8)
            bytes[3] &-= 8
            for index in 0...1 { simulation.inject(bytes, into: index, from: stranger, on: index == 0 ? left : right) }
        }
        #expect(simulation.agents.map(\.snapshot) == before && simulation.isQuiet)
    }

    @Test("RFC 8489 §6.3.1, RFC 8445 §7.3: what is authentic and wrong is told what is wrong")
    func refusals() throws {
        func code(_ bytes: [UInt8]) throws -> Int? { try errorCode(#require(answer(bytes))) }
        #expect(try code(check(priority: nil)) == 400)
        #expect(try code(check(role: .iceControlled)) == 487, "a lite agent does not control")
        let before = simulation.agents[1].snapshot
        let refusal = try #require(answer(unknownAttribute()))
        #expect(try errorCode(refusal) == 420 && unknownAttributes(refusal) == [0x7a, 0xbc])
        #expect(simulation.agents[1].snapshot == before && simulation.agents[1].counters.refused == 3)
    }

    /// The same check with an attribute of the future that must be understood, and a code that is right.
    private func unknownAttribute() -> [UInt8] {
        let (ours, theirs) = (simulation.agents[1].localCredentials, simulation.agents[0].localCredentials)
        var writer = MessageWriter(.request, transaction: TransactionID(high: 1, low: 2))
        writer.text(.username, Array("\(ours.fragment):\(theirs.fragment)".utf8))
        writer.priority(1)
        var bytes = writer.finish() + [0x7a, 0xbc, 0, 4, 1, 2, 3, 4]
        bytes[3] += 8 + 24
        let code = DigestAlgorithm.sha1.authenticate(bytes, key: Array(ours.password.utf8))
        return bytes + [0, 8, 0, 20] + code
    }

    @Test("RFC 8445 §7.2.5.2.1: an answer nobody asked for, or from elsewhere, does nothing")
    func forgedAnswers() throws {
        let before = simulation.agents[0].snapshot
        let password = Array(simulation.agents[1].localCredentials.password.utf8)
        for code in [nil, 487, 401, 500] {
            var writer = MessageWriter(code == nil ? .success : .failure, transaction: TransactionID(high: 3, low: 4))
            if let code { writer.errorCode(code) } else { writer.mappedAddress(stranger) }
            simulation.inject(writer.sealed(key: password), into: 0, from: right, on: left)
        }
        #expect(simulation.agents[0].snapshot == before && simulation.agents[0].counters.unmatched == 4)
        // A consent check answered by who does not know the password is not answered.
        simulation.now = simulation.now + .seconds(7)
        var outbox = Outbox()
        simulation.command(0) { agent, _ in agent.expire(now: simulation.now, into: &outbox) }
        let asked = try #require(outbox.datagrams.first).bytes
        let transaction = try Message(parsing: asked.span).transaction(in: asked.span)
        var forged = MessageWriter(.success, transaction: transaction)
        forged.mappedAddress(left)
        simulation.inject(forged.sealed(key: Array("wrong".utf8)), into: 0, from: right, on: left)
        #expect(simulation.agents[0].counters.unauthentic == 1)
    }

    @Test("indications, other methods and foreign bases are passed over")
    func others() {
        let before = simulation.agents[1].snapshot
        let transaction = TransactionID(high: 1, low: 1)
        #expect(answer(MessageWriter(.indication, transaction: transaction).fingerprinted()) == nil)
        #expect(answer(MessageWriter(.request, method: 3, transaction: transaction).fingerprinted()) == nil)
        #expect(simulation.inject(check(), into: 1, from: left, on: stranger).datagrams.isEmpty)
        #expect(simulation.agents[1].counters.foreign == 2 && simulation.agents[1].snapshot == before)
    }

    @Test("everything that grows is bounded, whatever an authentic peer does")
    func bounded() throws {
        for port in 1...5_000 {
            simulation.inject(check(), into: 1, from: SocketAddress(stranger.address, port: UInt16(port)), on: right)
        }
        let first = SocketAddress(stranger.address, port: 1), last = SocketAddress(stranger.address, port: 5_000)
        #expect(simulation.agents[1].isValidated(last, on: right) && !simulation.agents[1].isValidated(first, on: right))
        #expect(simulation.agents[1].counters.overflowed > 4_000)

        let full = Simulation()
        _ = full.add(.full, .controlling, at: (1...20).map { SocketAddress(left.address, port: $0) })
        _ = full.add(.lite, .controlled, at: [right])
        full.exchange(0, 1, candidates: false)
        for port in 1...1_000 {
            let candidate = try Candidate(parsing: "\(port) 1 udp \(port) 198.51.100.1 \(port) typ host")
            _ = full.hear(0, of: candidate)
        }
        #expect(full.agents[0].remoteCandidates.count == 64 && full.agents[0].localCandidates.count == 16)
        full.run(for: .seconds(900))
        // Nobody is asked more often than the checklist allows: 100 pairs, seven times each.
        #expect(full.sent <= 700 && full.agents[0].deadline == nil)
    }
}
