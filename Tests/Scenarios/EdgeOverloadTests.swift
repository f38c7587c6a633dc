import Addresses
import SIP
import Suite
import Testing

/// An edge of a suite whose only call server is played by the test, on a bus without anybody else; calls come from a trunk, whose
/// rate is its customer's alone.
@Suite("A call server that is late (RELIABILITY O1, O2)", .timeLimit(.minutes(3)))
struct EdgeOverloadTests {
    private static let domain = "demo.localhost"
    private let place = Neighbourhood()

    /// What became of the calls of a trunk, by their Call-IDs.
    private final class Caller {
        let agent: InsideAgent
        private let edge: LoneEdge
        private let server: FarmServer
        private let host: IPAddress
        private var seen = 0
        private(set) var sent: [String: [UInt8]] = [:]
        private(set) var arrivals: [String: Int] = [:]
        private(set) var answers: [String: [Message]] = [:]

        init(at host: IPAddress, _ edge: LoneEdge, _ server: FarmServer) throws {
            (agent, self.edge, self.server, self.host) = (try InsideAgent(at: host), edge, server, host)
        }

        func request(_ method: String, _ callID: String, uri: String = "sip:1002@demo.localhost", more: [String] = []) -> [UInt8] {
            let lines =
                [
                    "\(method) \(uri) SIP/2.0", "Via: SIP/2.0/UDP \(host):\(agent.port);rport;branch=z9hG4bK\(method)\(callID)",
                    "From: <sip:caller@example.org>;tag=a", "To: <\(uri)>" + (method == "INVITE" ? "" : ";tag=agent"),
                    "Call-ID: \(callID)", "CSeq: \(method == "INVITE" ? 1 : 2) \(method)", "Max-Forwards: 70",
                    "Contact: <sip:caller@\(host):\(agent.port)>",
                ] + more + ["Content-Length: 0", "", ""]
            return Array(lines.joined(separator: "\r\n").utf8)
        }

        /// Sends requests and waits until each has arrived at the server, or was answered; datagrams that are lost are repeated.
        func send(_ requests: [(callID: String, bytes: [UInt8])], method: SIP.Method = .invite) async throws {
            var waiting: [String: (arrivals: Int, answers: Int)] = [:]
            collect()
            for (callID, bytes) in requests {
                waiting[callID] = (arrivals[callID, default: 0], answers[callID, default: []].count)
                if method == .invite { sent[callID] = bytes }
            }
            for _ in 0..<10 where !waiting.isEmpty {
                for (callID, bytes) in requests where waiting[callID] != nil { try agent.send(bytes, to: edge.port) }
                for _ in 0..<250 where !waiting.isEmpty {
                    try await Task.sleep(for: .milliseconds(2))
                    collect()
                    waiting = waiting.filter { arrivals[$0.key, default: 0] == $0.value.arrivals && answers[$0.key, default: []].count == $0.value.answers }
                }
            }
            guard waiting.isEmpty else { throw InsideAgent.Trouble.silence("what became of \(waiting.keys)") }
        }

        func collect() {
            let requests = server.requests()
            for request in requests[seen...] { arrivals[request.callID ?? "", default: 0] += 1 }
            seen = requests.count
            while let bytes = agent.nextDatagram(within: 0) {
                guard let message = try? Message.parse(bytes), let callID = message.callID else { continue }
                answers[callID, default: []].append(message)
            }
        }

        func statuses(_ callID: String) -> [Int] { answers[callID, default: []].compactMap(\.status) }
    }

    @Test("of many new calls some go on and the others get 503 with a Retry-After of their own; dialogs, emergencies and repeated INVITEs all go on, and later everything")
    func late() async throws {
        let server = try FarmServer()
        let announced = try await AnnouncedServer.announce(server.address)
        defer { announced.stop() }
        let trunk = #"[{"name":"west","customer":"cust_test","addresses":["127.0.0.0/8"]}]"#
        let edge = try await LoneEdge(
            servers: [],
            environment: ["TANDEM_TRUSTED": "", "TANDEM_AMQP_URL": announced.bus, "TANDEM_TRUNKS": trunk, "TANDEM_RATE_CUSTOMER": "0"])
        try await edge.eventually("hear of the server") { try await edge.metric("tandem_edge_servers_alive", "call") == 1 }
        let caller = try Caller(at: place.address(1), edge, server)

        // Calls that are answered before anything happens.
        let established = (0..<20).map { "established-\($0)" }
        try await caller.send(established.map { ($0, caller.request("INVITE", $0)) })
        try await edge.eventually("bring the answers") {
            caller.collect()
            return established.allSatisfy { caller.statuses($0) == [200] }
        }

        // The server hears and says nothing, until the edge has refused enough.
        server.behave(.silent)
        var (number, calls): (Int, [String]) = (0, [])
        func refused() -> [String] { calls.filter { caller.statuses($0).contains(503) } }
        while refused().count < 150, number < 20_000 {
            let batch = (number..<number + 10).map { "new-\($0)" }
            number += 10
            calls += batch
            try await caller.send(batch.map { ($0, caller.request("INVITE", $0)) })
        }
        let (turnedAway, letIn) = (refused(), calls.filter { caller.arrivals[$0] != nil })
        #expect(turnedAway.count >= 150 && !letIn.isEmpty)
        #expect(turnedAway.count + letIn.count == calls.count, "each call is refused or goes on, and none both")
        #expect(turnedAway.allSatisfy { Set(caller.statuses($0)) == [503] }, "nothing but 503")
        let waits = turnedAway.flatMap { caller.answers[$0, default: []] }.map { $0.value(.retryAfter).flatMap { Int($0) } ?? 0 }
        #expect(waits.allSatisfy { (5...30).contains($0) })
        #expect(Set(waits).count >= 15, "they do not come back together")
        #expect(try await edge.metric("tandem_edge_refused_total", "overload") >= Double(turnedAway.count))

        // RFC 3261 §17.1.1.2: what has been let in is let in whenever it comes, answered or not.
        let repeated = established + letIn.prefix(20)
        let before = repeated.map { caller.arrivals[$0, default: 0] }
        try await caller.send(repeated.compactMap { call in caller.sent[call].map { (call, $0) } })
        #expect(zip(repeated, before).allSatisfy { caller.arrivals[$0, default: 0] > $1 })
        #expect(repeated.allSatisfy { !caller.statuses($0).contains(503) })

        let emergencies = (0..<20).map { "emergency-\($0)" }
        try await caller.send(emergencies.map { ($0, caller.request("INVITE", $0, uri: "sip:112@\(Self.domain)")) })
        #expect(emergencies.allSatisfy { caller.arrivals[$0] != nil && caller.statuses($0).isEmpty })

        let invites = server.requests(.invite)
        let goodbyes = try established.map { call in
            let invite = try #require(invites.first { $0.callID == call })
            let routes = (invite.recordRoutes ?? []).reversed().map { "Route: <\($0.uri)>" }
            return (call, caller.request("BYE", call, more: routes))
        }
        try await caller.send(goodbyes, method: .bye)
        #expect(Set(server.requests(.bye).compactMap(\.callID)) == Set(established))

        // The server is well again: those let in come through as their clients repeat them, and new calls too.
        server.behave(.answering)
        let waiting = letIn + emergencies
        for start in stride(from: 0, to: waiting.count, by: 20) {
            try await caller.send(waiting[start..<min(start + 20, waiting.count)].compactMap { call in caller.sent[call].map { (call, $0) } })
        }
        try await edge.eventually("bring the answers of those it let in") {
            caller.collect()
            return waiting.allSatisfy { caller.statuses($0).contains(200) }
        }
        #expect(waiting.allSatisfy { Set(caller.statuses($0)) == [200] })
        try await edge.eventually("take all new calls again") {
            number += 1
            try await caller.send([("new-\(number)", caller.request("INVITE", "new-\(number)"))])
            return try await edge.metric("tandem_edge_shed_ratio") == 0
        }
    }
}
