import Deadlines
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: credentials are used once (RFC 7616 §5.12)")
struct NonceMemoryTests {
    private let bench = EdgeBench()
    private let memory = NonceMemory(capacity: 64, seed: (1, 2))
    private let now = Instant(nanoseconds: 1_000_000_000)

    private func pending(_ challenge: DigestChallenge, count: UInt32, branch: String) throws -> PendingAuthentication {
        let credentials = challenge.answer(
            user: "1001", password: EdgeBench.password, method: .invite, uri: "sip:1002@demo.localhost", clientNonce: "c", count: count)
        let request = try EdgeBench.request("INVITE", branch: branch, more: ["Proxy-Authorization: \(credentials.headerValue)"])
        guard case .authenticate(let pending) = bench.outside(request) else { throw EdgeBench.Unexpected(what: "not authenticated") }
        return pending
    }

    private func challenge() throws -> DigestChallenge {
        try #require(try EdgeBench.answer(bench.outside(try EdgeBench.request("INVITE"))).challenges.first)
    }

    @Test("The same message again is a retransmission; another with the same count is a replay; the next count is fresh")
    func counts() throws {
        let challenge = try challenge()
        let first = try pending(challenge, count: 1, branch: "z9hG4bKone")
        #expect(memory.use(first, now: now) == .fresh)
        #expect(memory.use(first, now: now + .milliseconds(500)) == .retransmission)
        #expect(memory.use(try pending(challenge, count: 1, branch: "z9hG4bKtwo"), now: now) == .replayed)
        #expect(memory.use(try pending(challenge, count: 2, branch: "z9hG4bKtwo"), now: now) == .fresh)
    }

    @Test("RFC 2617: a client that does not count has each nonce once")
    func withoutQuality() throws {
        var challenge = try challenge()
        challenge.qualities = []
        #expect(memory.use(try pending(challenge, count: 1, branch: "z9hG4bKone"), now: now) == .fresh)
        #expect(memory.use(try pending(challenge, count: 2, branch: "z9hG4bKtwo"), now: now) == .replayed)
    }

    @Test("A replay is challenged again with stale=true, so that its owner's phone answers by itself")
    func again() throws {
        let replayed = try pending(try challenge(), count: 1, branch: "z9hG4bKone")
        let decision = bench.core.challengeAgain(replayed, now: EdgeBench.now)
        let answer = try EdgeBench.answer(Judgement(decision, replayed.message.view, bench.core))
        #expect(answer.status == 407)
        #expect(answer.challenges.count == 2 && answer.challenges.allSatisfy(\.isStale))
    }
}
