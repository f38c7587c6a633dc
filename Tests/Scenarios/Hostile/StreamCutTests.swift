import Addresses
import SIP
import Testing

@Suite("RFC 3261 §18.3: messages on a stream, however it is cut", .timeLimit(.minutes(2)))
struct StreamCutTests {
    private static let kinds = [
        Crafted.request("REGISTER", "sip:example.com", callID: "register", transport: "TCP"),
        Crafted.request("INVITE", "sip:callee@example.com", callID: "invite", transport: "TCP", body: Array("v=0\r\n\r\nm=audio".utf8)),
        Crafted.request("ACK", "sip:callee@example.com", callID: "ack", transport: "TCP"),
        Crafted.request("MESSAGE", "sip:callee@example.com", callID: "message", transport: "TCP", body: Array("BYE sip:x SIP/2.0\r\n\r\n".utf8)),
    ]

    /// What the server has got, without the Via that the edge put on top.
    private func lines(_ bytes: [UInt8]) throws -> (callID: String?, body: [UInt8]) {
        let message = try Message.parse(bytes)
        return (message.callID, message.body)
    }

    private func expect(_ sent: [UInt8], times: Int, at server: AnsweringServer) async throws {
        let message = try Message.parse(sent)
        let received = try await server.take(times).map { bytes in
            do throws(ParseError) { return try Message.parse(bytes) } catch {
                Issue.record("\(error): \(String(decoding: bytes, as: UTF8.self))")
                throw error
            }
        }
        #expect(received.count == times, "\(message)")
        #expect(received.allSatisfy { $0.callID == message.callID && $0.description == message.description && $0.body == message.body })
    }

    @Test("a request of each kind, cut into two at every byte, is each time the same request", arguments: kinds)
    func everyCut(request: [UInt8]) async throws {
        let edge = try await TrustingEdge()
        let stream = try HostileStream(to: edge.address)
        for cut in 1..<request.count {
            try stream.send(Array(request[..<cut]))
            // Nothing depends on the edge reading in between; but it mostly will.
            try await Task.sleep(for: .microseconds(300))
            try stream.send(Array(request[cut...]))
            stream.discard()
        }
        try await expect(request, times: request.count - 1, at: edge.server)
        #expect(try await stream.isAlive())
    }

    @Test("a response, cut at every byte, goes each time to the server that asked")
    func response() async throws {
        let edge = try await TrustingEdge()
        let stream = try HostileStream(to: edge.address)
        try stream.send(Self.kinds[0])
        _ = try await stream.next()
        let registration = try Message.parse(try #require(try await edge.server.take(1).first))
        let path = try #require(registration.paths?.first)
        let inside = try #require(path.uri.socketAddress)
        let question = Crafted.request("OPTIONS", "sip:stranger@example.net", callID: "asked", more: ["Route: \(path)"])
        let via = "Via: SIP/2.0/UDP \(edge.server.address);branch=z9hG4bKasked\r\n"
        let head = Array(String(decoding: question, as: UTF8.self).replacing(/Via:.*?\r\n/, with: via).utf8)
        try edge.server.send(head, to: inside)
        guard case .message(let asked) = try await stream.next() else { throw Loopback.Trouble.silence("the server's question") }
        let answer = ResponseBuilder(asked, 200, toTag: "phone").serialised()
        for cut in 1..<answer.count {
            try stream.send(Array(answer[..<cut]))
            try await Task.sleep(for: .microseconds(300))
            try stream.send(Array(answer[cut...]))
        }
        let received = try await edge.server.take(answer.count - 1).map { try Message.parse($0) }
        #expect(received.count == answer.count - 1)
        #expect(received.allSatisfy { $0.status == 200 && $0.callID == "asked" && $0.vias?.count == 1 })
    }

    @Test("many in one write, with keep-alives between them, are as many requests in their order")
    func coalesced() async throws {
        let edge = try await TrustingEdge()
        let stream = try HostileStream(to: edge.address)
        let pings = Array("\r\n\r\n".utf8)
        let burst = (0..<5).flatMap { _ in Self.kinds.flatMap { pings + $0 } }
        try stream.send(burst)
        let received = try await edge.server.take(20).map { try Message.parse($0).callID }
        #expect(received == (0..<5).flatMap { _ in ["register", "invite", "ack", "message"] })
    }
}
