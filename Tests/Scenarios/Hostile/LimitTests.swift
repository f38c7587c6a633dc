import Addresses
import Hostile
import SIP
import Suite
import Testing

/// RELIABILITY O7: what is as large as may be passes, what is larger by one is refused, and costs no memory.
@Suite("O7: limits on the wire", .timeLimit(.minutes(2)))
struct LimitTests {
    private static let limits = Limits.outside

    /// An OPTIONS to the edge, which it answers itself.
    private func question(to edge: TrustingEdge, transport: String = "UDP", vias: Int = 1, more: [String] = [], body: [UInt8] = []) -> [UInt8] {
        Crafted.request("OPTIONS", "sip:\(edge.address)", callID: "limit", transport: transport, vias: vias, more: more, body: body)
    }

    private func status(_ bytes: [UInt8], _ edge: TrustingEdge) async throws -> Int? {
        let sender = try HostileSender(to: edge.address)
        return try await sender.answer(to: bytes)?.status
    }

    @Test("256 header fields, a line of 8 KiB and 70 hops are answered; one more is 513")
    func parts() async throws {
        let edge = try await TrustingEdge()
        let fields = try Message.parse(question(to: edge)).fields.count
        func padded(to count: Int) -> [UInt8] { question(to: edge, more: (0..<count - fields).map { "X-\($0): 1" }) }
        #expect(try await status(padded(to: Self.limits.headerCount), edge) == 200)
        #expect(try await status(padded(to: Self.limits.headerCount + 1), edge) == 513)
        func line(_ length: Int) -> [UInt8] { question(to: edge, more: ["X: " + String(repeating: "a", count: length - 3)]) }
        #expect(try await status(line(Self.limits.lineLength), edge) == 200)
        #expect(try await status(line(Self.limits.lineLength + 1), edge) == 513)
        #expect(try await status(question(to: edge, vias: Self.limits.viaCount), edge) == 200)
        #expect(try await status(question(to: edge, vias: Self.limits.viaCount + 1), edge) == 513)
    }

    @Test("RFC 3261 §18.2.1, RFC 3581 §4: who sent what cannot be read, or is too much, is told where it came from")
    func stamped() async throws {
        let edge = try await TrustingEdge()
        let sender = try HostileSender(to: edge.address)
        let tooMany = (0..<Self.limits.headerCount).map { "X-\($0): 1" }
        for (more, status) in [(["no header field"], 400), (tooMany, 513)] {
            let text = String(decoding: question(to: edge, more: more), as: UTF8.self).replacing(";branch", with: ";rport;branch")
            let answer = try #require(try await sender.answer(to: Array(text.utf8)))
            #expect(answer.status == status)
            #expect(answer.topmostVia?.responseAddress == SocketAddress(sender.address, port: 5060))
        }
    }

    @Test("a message of 64 KiB is answered; one byte more is 513 and the end of the connection", arguments: [false, true])
    func messageLength(isInBody: Bool) async throws {
        let edge = try await TrustingEdge()
        func message(_ length: Int) -> [UInt8] {
            // Content-Length has five digits where the empty body's has one.
            let head = question(to: edge, transport: "TCP").count + 4
            return question(to: edge, transport: "TCP", body: [UInt8](repeating: 120, count: length - head))
        }
        let stream = try HostileStream(to: edge.address)
        #expect(message(Self.limits.messageLength).count == Self.limits.messageLength)
        try stream.send(message(Self.limits.messageLength))
        guard case .message(let answer) = try await stream.next() else { throw Loopback.Trouble.silence("no answer to 64 KiB") }
        #expect(answer.status == 200)
        if isInBody {
            try stream.send(message(Self.limits.messageLength + 1))
        } else {
            // Headers that never end.
            let head = question(to: edge, transport: "TCP").dropLast(4)
            try stream.send(Array(head) + Array("\r\n".utf8) + Array(repeating: Array("X: 1\r\n".utf8), count: 11_000).flatMap(\.self))
        }
        guard case .message(let refusal) = try await stream.next() else { throw Loopback.Trouble.silence("no refusal") }
        #expect(refusal.status == 513)
        guard case .closed = try await stream.next() else { throw Loopback.Trouble.silence("the connection goes on") }
    }

    @Test("Max-Forwards: 0 is 483, 256 is 400, and nothing leaves with more than 70 (RFC 3261 §16.6)")
    func hops() async throws {
        let edge = try await TrustingEdge()
        func invite(_ hops: Int) -> [UInt8] { Crafted.request("INVITE", "sip:callee@example.com", callID: "hops", maxForwards: hops) }
        #expect(try await status(invite(0), edge) == 483)
        #expect(try await status(invite(256), edge) == 400)
        for (hops, left) in [(1, 0), (70, 69), (255, 70)] {
            try HostileSender(to: edge.address).send(invite(hops))
            let received = try Message.parse(try #require(try await edge.server.take(1).first))
            #expect(received.maxForwards == left)
        }
    }

    @Test("an extension has ten contacts; the eleventh is refused")
    func contacts() async throws {
        let phone = try await WatchedExtension(RunningSuite())
        func register(_ ports: Range<Int>) async throws -> Int? {
            let contacts = ports.map { "<sip:\($0)@127.0.0.1:\($0)>" }.joined(separator: ", ")
            return try await phone.request(
                "REGISTER", callID: "contacts", ["Contact: \(contacts)", "Path: <sip:flow@127.0.0.1:\(phone.agent.port);lr>"]).status
        }
        #expect(try await register(1..<12) == 403)
        #expect(try await register(1..<11) == 200)
        #expect(try await register(11..<12) == 403)
    }

    @Test("what is too large costs the edge no memory")
    func memory() async throws {
        let edge = try await TrustingEdge()
        let large = question(to: edge, more: (0..<300).map { "X-\($0): \(String(repeating: "a", count: 150))" })
        func flood(_ count: Int) async throws {
            let sender = try HostileSender(to: edge.address)
            for _ in 0..<count { #expect(try await sender.answer(to: large)?.status == 513) }
        }
        try await flood(50)
        let before = try edge.memory()
        try await flood(300)
        #expect(try edge.memory() - before <= 1_024)
    }

    @Test("V9, V10: 3,000 messages with a smuggler's changes: what arrives is strict SIP, and the edge is there afterwards")
    func smuggling() async throws {
        let edge = try await TrustingEdge()
        let sender = try HostileSender(to: edge.address)
        let seed = Crafted.request("INVITE", "sip:callee@example.com", callID: "smuggled", more: ["X-Kept: \"a\\\"b\""], body: Array("body".utf8))
        var arrived = 0
        for (number, bytes) in Mutations(of: [seed], seed: 7).prefix(3_000).enumerated() {
            try sender.send(bytes)
            guard number % 50 == 49 else { continue }
            _ = try await sender.answer(to: [])
            for message in edge.server.takeAll() {
                arrived += 1
                let strict: StrictMessage
                do throws(StrictMessage.Flaw) { strict = try StrictMessage(message) } catch {
                    Issue.record("\(error), before number \(number): \(String(reflecting: String(decoding: message, as: UTF8.self)))")
                    continue
                }
                #expect(strict.fields.allSatisfy { !$0.name.hasPrefix("x-tandem-") })
                #expect(strict.fields.filter { $0.name == "content-length" }.count == 1)
            }
        }
        #expect((100..<2_900).contains(arrived), "some pass and some do not: \(arrived)")
        #expect(edge.isRunning)
    }
}
