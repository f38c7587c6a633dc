import SIP
import Testing

@testable import Registrar

@Suite("Asking phones whether they are there")
struct QualifyTests {
    @Test(
        "all bindings are asked once in the interval, spread over its seconds, within the limit",
        arguments: [(0, 60, 1), (1, 60, 1), (60, 60, 1), (61, 60, 2), (6_000, 60, 100), (1_000_000, 60, 200), (10, 1, 10)])
    func share(_ count: Int, _ interval: Int, _ share: Int) {
        #expect(QualifyRound(count: count, interval: interval, limit: 200, now: 0).share == share)
    }

    @Test("a round goes on behind the last page and is over when all were asked and its time has passed")
    func round() {
        var round = QualifyRound(count: 100, interval: 50, limit: 200, now: 1_000)
        let page = ["ext_1", "ext_2"].map { QualifyRound.Position(extensionID: $0, key: "sip:a@h") }
        round.took(page)
        #expect(round.position == page[1] && !round.isComplete)
        round.took([])
        #expect(round.position == page[1] && round.isComplete)
        #expect(!round.isOver(now: 50_999) && round.isOver(now: 51_000))
    }

    @Test(
        "RFC 3261 §11: any answer of the phone's own shows that it is there; silence and a dead flow that it is not",
        arguments: [
            (200, .reachable), (404, .reachable), (405, .reachable), (486, .reachable), (501, .reachable), (603, .reachable),
            (408, .unreachable), (430, .unreachable), (504, .unreachable), (503, .unknown), (500, .unknown),
        ] as [(Int, QualifyVerdict)])
    func verdict(_ status: Int, _ verdict: QualifyVerdict) { #expect(QualifyVerdict(status: status) == verdict) }

    @Test("RFC 3327 §5.2: the OPTIONS goes to the contact over the binding's path")
    func request() throws {
        let binding = Binding(
            contact: "sip:a@10.0.0.1", path: ["sip:flow@127.0.0.1:8800;lr"], q: .highest, expiresAt: 1, callID: "c", cseq: 1,
            instanceID: nil, regID: nil, userAgent: nil, registeredAt: 0, refreshedAt: 0)
        let request = try #require(Qualify.request(to: binding, domain: "demo.localhost", tag: "t"))
        #expect(request.uri.description == "sip:a@10.0.0.1" && request.destination?.description == "127.0.0.1:8800")
        #expect(request.method == .options && request.from.tag == "t")
    }
}
