import Foundation
import Phone
import SIP
import Suite
import Testing

@Suite("What an edge counts (docs/metrics.md)", .timeLimit(.minutes(1)))
struct EdgeMetricsTests {
    @Test("requests and responses are counted by side, transport, method and class, with the lengths of the messages", arguments: [
        Transport.udp, .tcp,
    ])
    func messages(over transport: Transport) async throws {
        let farm = try FarmServer()
        let edge = try await LoneEdge(servers: [farm.address.port])
        var settings = PhoneSettings(number: "1001", domain: "farm.example", password: "", proxy: edge.sip)
        settings.transport = transport
        let phone = PhoneLine(settings)
        for _ in 0..<3 { try await phone.register() }
        func lines(_ name: String, _ labels: String) async throws -> Double { try await edge.metric("\(name){\(labels)}") }
        let common = "transport=\"\(transport.name.lowercased())\",method=\"REGISTER\""
        #expect(try await lines("tandem_edge_requests_total", "from=\"outside\",\(common),outcome=\"forwarded\"") == 3)
        #expect(try await lines("tandem_edge_responses_total", "from=\"inside\",\(common),class=\"2xx\"") == 3)
        let length = farm.requests(.register).map(\.bytes.count).reduce(0, +)
        let outside = try await lines("tandem_edge_message_bytes_sum", "from=\"outside\"")
        #expect(outside > 0 && outside < Double(length), "the edge adds its own lines")
        #expect(try await lines("tandem_edge_message_bytes_count", "from=\"outside\"") == 3)
        if transport == .udp { #expect(try await lines("tandem_edge_batch_messages_count", "from=\"outside\"") == 3) }
        await phone.close()
    }

    @Test("the edge's own answers are counted as its own")
    func ownAnswers() async throws {
        let farm = try FarmServer()
        let edge = try await LoneEdge(servers: [farm.address.port])
        let agent = try InsideAgent()
        try agent.send(
            [
                "OPTIONS sip:\(edge.sip) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(agent.port);branch=z9hG4bK1", "From: <sip:a@b>;tag=1",
                "To: <sip:\(edge.sip)>", "Call-ID: asks", "CSeq: 1 OPTIONS", "Max-Forwards: 70",
            ], to: edge.port)
        _ = try await agent.receive("the answer") { $0.status == 200 }
        let common = "transport=\"udp\",method=\"OPTIONS\""
        #expect(try await edge.metric("tandem_edge_responses_total{from=\"edge\",\(common),class=\"2xx\"}") == 1)
        #expect(try await edge.metric("tandem_edge_requests_total{from=\"outside\",\(common),outcome=\"answered\"}") == 1)
    }

    @Test("the table names every metric of the edge, and none that there is not")
    func table() async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/metrics.md")
        let table = names(try String(contentsOf: file, encoding: .utf8), after: "| `")
        let farm = try FarmServer()
        let edge = try await LoneEdge(servers: [farm.address.port])
        let shown = names(try await edge.page("metrics"), after: "# TYPE ")
        #expect(table.count > 10)
        #expect(shown.symmetricDifference(table).isEmpty)
    }

    /// The metrics of the edge that lines with this beginning name.
    private func names(_ text: String, after beginning: String) -> Set<String> {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix(beginning + "tandem_edge_") }
        return Set(lines.map { line in String(line.dropFirst(beginning.count).prefix { $0.isLetter || $0 == "_" }) })
    }
}
