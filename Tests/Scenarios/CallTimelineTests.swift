import Flow
import Foundation
import Phone
import Suite
import Testing

@Suite("The X-ray of a call", .timeLimit(.minutes(2)))
struct CallTimelineTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private struct Packet {
        let microseconds: Int64
        let ports: (UInt16, UInt16)
        let payload: [UInt8]
    }

    /// Reads what `PacketCapture` writes: IPv4 and UDP.
    private func packets(_ bytes: [UInt8]) throws -> [Packet] {
        func little(_ at: Int) -> Int64 { (0..<4).reduce(0) { $0 | Int64(bytes[at + $1]) << ($1 * 8) } }
        func big(_ at: Int) -> UInt16 { UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1]) }
        try #require(bytes.count >= 24 && Array(bytes[..<4]) == [0xd4, 0xc3, 0xb2, 0xa1] && little(20) == 101)
        var packets: [Packet] = []
        var start = 24
        while start < bytes.count {
            try #require(start + 16 <= bytes.count)
            let length = Int(little(start + 8))
            let ip = start + 16
            try #require(length == little(start + 12) && length >= 28 && ip + length <= bytes.count)
            try #require(bytes[ip] == 0x45 && bytes[ip + 9] == 17 && big(ip + 2) == UInt16(length) && big(ip + 24) == UInt16(length - 20))
            packets.append(Packet(
                microseconds: little(start) * 1_000_000 + little(start + 4), ports: (big(ip + 20), big(ip + 22)),
                payload: Array(bytes[(ip + 28)..<(ip + length)])))
            start = ip + length
        }
        return packets
    }

    @Test("a call through a flow that asks a web server and connects: messages, commands, steps, requests and events in order; the same messages as a capture")
    func everything() async throws {
        let application = try await FlowApplication(suite)
        defer { application.stop() }
        try await withPhones(2, in: suite) { phones in
            let number = try await suite.makeNumber(running: [
                ["id": "note", "type": "variable_set", "option": ["key": "a", "value": "b"]],
                ["id": "order", "type": "http_request", "option": ["url": .string(application.address + "/order?token=hidden"), "variable": "order"]],
                ["id": "through", "type": "connect", "option": ["destinations": [["type": "extension", "target": .string(phones[1].number)]]]],
            ])
            let outgoing = try await phones[0].call(number.number)
            try await outgoing.answered()
            let incoming = try await phones[1].incomingCall()
            #expect(await outgoing.hears(620))
            let id = try await suite.callID(from: phones[0].number)
            try await outgoing.hangup()
            _ = try await incoming.ended()

            var entries: [JSONValue] = []
            func all(_ kind: String) -> [JSONValue] { entries.filter { $0["kind"]?.string == kind } }
            func says(_ kind: String, _ summary: String, _ outcome: String? = nil) -> Bool {
                all(kind).contains { $0["summary"]?.string?.contains(summary) == true && (outcome == nil || $0["outcome"]?.string == outcome) }
            }
            try await suite.eventually("the last of both legs is there") {
                entries = try await suite.request("GET", "/v1/calls/\(id)/timeline").body["data"]?.array ?? []
                return all("event").filter { $0["summary"]?.string == "call.ended (completed)" }.count == 2
            }
            let times = entries.compactMap { $0["time"]?.string }
            #expect(times.count == entries.count && times == times.sorted(), "in order")
            #expect(times.allSatisfy { $0.utf8.count == 27 && $0.hasSuffix("Z") })
            let messages = all("sip").compactMap { $0["summary"]?.string }
            #expect(messages.first == "INVITE sip:\(number.number)@\(suite.domain)")
            for message in ["100 Trying (INVITE)", "180 Ringing (INVITE)", "200 OK (INVITE)", "200 OK (BYE)"] { #expect(messages.contains(message), "\(message)") }
            // A message that a busy machine had sent again is the same one.
            func different(_ method: String) -> Int {
                Set(all("sip").filter { $0["summary"]?.string?.hasPrefix(method + " ") == true }.compactMap { $0["body"]?.string }).count
            }
            #expect(different("INVITE") == 2 && different("ACK") == 2 && different("BYE") == 2)
            let first = try #require(all("sip").first)
            let phone = try await phones[0].localAddress()
            #expect(first["from"]?.string == phone.description, "where the phone is, not the edge")
            #expect(first["via"]?.string != first["from"]?.string && first["to"]?.string?.isEmpty == false)
            #expect(first["body"]?.string?.contains("m=audio") == true)
            for command in ["registrar", "relay.session.create", "room.join", "run.start", "run.advance", "relay.session.delete"] {
                let found = command == "registrar" ? says("command", "extension.", "ok") : says("command", command, "ok")
                #expect(found, "\(command) in \(all("command").compactMap { $0["summary"]?.string })")
            }
            #expect(all("command").filter { $0["outcome"]?.string == "ok" }.allSatisfy { ($0["duration_us"]?.integer ?? -1) >= 0 })
            #expect(says("flow", "note variable_set", "completed"))
            #expect(says("flow", "connect begins") && says("flow", "connect ends"))
            #expect(all("flow").contains { $0["summary"]?.string?.hasSuffix("connect ends") == true && ($0["duration_us"]?.integer ?? 0) > 0 })
            let request = try #require(all("request").first)
            #expect(request["outcome"]?.string == "200" && request["to"]?.string == application.address + "/order", "without its query")
            for event in ["call.created", "call.ringing", "call.answered", "call.ended"] { #expect(says("event", event), "\(event)") }

            let capture = try await suite.download("/v1/calls/\(id)/timeline.pcap")
            #expect(capture.status == 200 && capture.headers["content-type"] == "application/vnd.tcpdump.pcap")
            let captured = try packets(capture.bytes)
            #expect(captured.map { String(decoding: $0.payload, as: UTF8.self) } == all("sip").compactMap { $0["body"]?.string })
            #expect(captured.first?.ports.0 == phone.port)
            #expect(captured.map(\.microseconds) == captured.map(\.microseconds).sorted())
            let accepted = try await suite.request("GET", "/v1/calls/\(id)/timeline", headers: ["Accept": "application/vnd.tcpdump.pcap"])
            #expect(accepted.headers["content-type"] == "application/vnd.tcpdump.pcap")

            let child = try #require(entries.compactMap { $0["call_id"]?.string }.first { $0 != id })
            let its = try await suite.request("GET", "/v1/calls/\(child)/timeline").body["data"]?.array ?? []
            #expect(!its.isEmpty && its.allSatisfy { $0["call_id"]?.string == child })

            // Put away, it is there without Redis.
            let customer = try #require(try await suite.request("GET", "/v1/calls/\(id)").body["customer_id"]?.string)
            let key = "tandem:timeline:\(customer):\(id)"
            try await suite.eventually("it is put away") { Int(try suite.redis("PTTL", key).filter(\.isNumber)).map { $0 <= 60_000 } ?? false }
            try suite.redis("DEL", key)
            let later = try await suite.request("GET", "/v1/calls/\(id)/timeline").body["data"]?.array ?? []
            #expect(later.count >= entries.count)
        }
    }

    @Test("a timeline is its customer's alone")
    func tenancy() async throws {
        try await withPhones(1, in: suite) { phones in
            let created = try await suite.create("calls", ["from": "1001", "to": [.string(phones[0].number)], "actions": [["type": "hangup"]]])
            let id = try #require(created["id"]?.string)
            _ = try await phones[0].incomingCall()
            try await suite.eventually("there is something") {
                try await suite.request("GET", "/v1/calls/\(id)/timeline").body["data"]?.array?.isEmpty == false
            }
            let bootstrap = try suite.bootstrapKey()
            let other = try await suite.request(
                "POST", "/v1/customers", ["name": "O", "domain": .string("o-\(UInt32.random(in: 0 ... .max)).example")], key: bootstrap)
            let stranger = try #require(other.body["id"]?.string)
            for path in ["timeline", "timeline.pcap"] {
                #expect(try await suite.request("GET", "/v1/calls/\(id)/\(path)?customer_id=\(stranger)", key: bootstrap).status == 404)
                #expect(try await suite.request("GET", "/v1/calls/\(id)/\(path)", key: "tk_wrong").status == 401)
            }
            _ = try await suite.request("DELETE", "/v1/customers/\(stranger)", key: bootstrap)
        }
    }
}
