import Deadlines
import SIP
import Suite
import Testing

@Suite("A server of a farm dies behind an edge alone", .serialized, .timeLimit(.minutes(2)))
struct AloneEdgeTests {
    private let servers: [FarmServer]
    private let edge: LoneEdge
    private let caller: InsideAgent

    init() async throws {
        servers = [try FarmServer(), try FarmServer()]
        edge = try await LoneEdge(servers: servers.map(\.address.port))
        caller = try InsideAgent()
    }

    @Test("killed: one INVITE at most is lost, its repetition and all others go to the server that lives")
    func killed() async throws {
        for number in 0..<20 { #expect(try await invite("before-\(number)") == 1) }
        #expect(servers.allSatisfy { !$0.requests(.invite).isEmpty })
        try await servers[0].die()
        var sent = 0
        for number in 0..<20 { sent += try await invite("after-\(number)") }
        #expect(sent <= 21, "the first may have told the edge of the death")
        #expect(callIDs(servers[1], "after").count == 20)
    }

    @Test("hung: after the third question without an answer, the last new call has been sent there")
    func hung() async throws {
        _ = try await invite("before")
        let asked = servers[0].requests(.options).count
        servers[0].behave(.silent)
        var (number, inARow) = (0, 0)
        // Both have their share of the Call-IDs: thirty in a row to one is no chance.
        while inARow < 30 {
            let before = callIDs(servers[1], "after").count
            try send("INVITE", "after-\(number)")
            number += 1
            try await Task.sleep(for: .milliseconds(10))
            inARow = callIDs(servers[1], "after").count > before ? inARow + 1 : 0
            try #require(number < 1_000)
        }
        #expect(try #require(questionsBeforeLastCall) - asked <= 4)
    }

    @Test("back again: it gets its share of new calls, and repeated INVITEs stay where they went meanwhile")
    func back() async throws {
        servers[0].behave(.silent)
        while try await alive() > 1 { try await Task.sleep(for: .milliseconds(50)) }
        for number in 0..<20 { #expect(try await invite("call-\(number)") == 1) }
        #expect(servers[0].requests(.invite).isEmpty)
        servers[0].behave(.answering)
        while try await alive() < 2 { try await Task.sleep(for: .milliseconds(50)) }
        for number in 0..<20 { #expect(try await invite("call-\(number)") == 1) }
        #expect(servers[0].requests(.invite).isEmpty)
        for number in 0..<20 { #expect(try await invite("new-\(number)") == 1) }
        #expect(!servers[0].requests(.invite).isEmpty)
    }

    /// How many questions the first server had heard when the last call came to it.
    private var questionsBeforeLastCall: Int? {
        let heard = servers[0].requests()
        return heard.lastIndex { $0.method == .invite }.map { last in heard[...last].count { $0.method == .options } }
    }

    private func alive() async throws -> Double { try await edge.metric("tandem_edge_servers_alive", "kind=\"call\"") }

    private func callIDs(_ server: FarmServer, _ prefix: String) -> [String] {
        server.requests(.invite).compactMap(\.callID).filter { $0.hasPrefix(prefix) }
    }

    /// Sends an INVITE until it is answered, every half second as RFC 3261 §17.1.1.2 has it; how often that was.
    private func invite(_ callID: String) async throws -> Int {
        for count in 1...8 {
            try send("INVITE", callID)
            let answer = try? await caller.receive("the answer to \(callID)", within: .milliseconds(500)) {
                $0.status == 200 && $0.callID == callID
            }
            if answer != nil { return count }
        }
        throw InsideAgent.Trouble.silence("the answer to \(callID)")
    }

    private func send(_ method: String, _ callID: String) throws {
        try caller.send(
            [
                "\(method) sip:bob@farm.example SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(caller.port);branch=z9hG4bK\(callID)",
                "From: <sip:alice@farm.example>;tag=a", "To: <sip:bob@farm.example>", "Call-ID: \(callID)", "CSeq: 1 \(method)",
                "Contact: <sip:alice@127.0.0.1:\(caller.port)>", "Max-Forwards: 70",
            ], to: edge.port)
    }
}
