import Addresses
import Hostile
import Phone
import SIP
import Suite
import Testing

/// Issue: every message of RFC 4475 and RFC 5118 gets the outcome its section asks for, on the wire.
@Suite("RFC 4475, RFC 5118: torture on the wire", .timeLimit(.minutes(3)))
struct TortureTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("the table has a row for every message")
    func complete() throws {
        for rfc in [4475, 5118] {
            #expect(try Torture.all(rfc).map(\.name) == TortureRow.all.filter { $0.rfc == rfc }.map(\.name).sorted())
        }
    }

    @Test("over UDP to an edge alone: refused, ignored, or forwarded as it is and its answer brought back")
    func aloneOverUDP() async throws {
        let edge = try await TrustingEdge()
        let sender = try HostileSender(to: edge.address, ports: TortureRow.ports)
        for row in TortureRow.all {
            let bytes = try Torture.message(row.rfc, row.name)
            let answer = try await sender.answer(to: bytes)
            switch row.alone {
            case .answered(let status): #expect(answer?.status == status, "\(row.title)")
            case .ignored: #expect(answer == nil, "\(row.title)")
            case .forwarded:
                // The server's answer may come behind that to the question the sender asks the edge.
                let last = if let answer { answer } else { try await sender.next("the server's answer to \(row.name)") }
                #expect(last.status == 200, "\(row.title)")
                try expectSame(bytes, try await edge.server.take(1), row)
            }
            #expect(edge.server.takeAll().isEmpty, "\(row.title) reached the server")
        }
        #expect(edge.isRunning)
    }

    @Test("over TCP to an edge alone")
    func aloneOverTCP() async throws {
        let edge = try await TrustingEdge()
        for row in TortureRow.all {
            let stream = try HostileStream(to: edge.address)
            let bytes = try Torture.message(row.rfc, row.name)
            try stream.send(bytes)
            try await expect(row.alone, row.overTCP, of: stream, row)
            if row.overTCP == .same || row.overTCP == .spoils, row.alone == .forwarded {
                try expectSame(bytes, try await edge.server.take(row.overTCP == .spoils ? 2 : 1), row)
            }
            #expect(edge.server.takeAll().isEmpty, "\(row.title) reached the server")
        }
        #expect(edge.isRunning)
    }

    @Test("over UDP and TCP to the suite, while phones talk and call each other")
    func suiteBesideCalls() async throws {
        try await withPhones(4, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            async let calls = placeCalls(phones[2], phones[3], count: 6)
            for row in TortureRow.all {
                let bytes = try Torture.message(row.rfc, row.name)
                // Nobody here is of the RFC's domains (RELIABILITY V16); what such a message is, is seen where they are ours.
                try await torment(with: bytes, row, expecting: row.isChallenged ? .ignored : row.suite)
                if row.isChallenged { try await torment(with: TortureRow.moved(bytes, to: suite.domain), row, expecting: row.suite) }
            }
            #expect(try await calls == 6, "calls beside it succeed")
            await caller.forgetWhatWasHeard()
            await callee.forgetWhatWasHeard()
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            try await caller.hangup()
            #expect(try await callee.ended() == .hungUpThere)
        }
    }

    private func torment(with bytes: [UInt8], _ row: TortureRow, expecting outcome: TortureRow.Outcome) async throws {
        // Each from an address of its own: what one does is not held against the next.
        let sender = try HostileSender(to: suite.sip, ports: TortureRow.ports)
        var answer = try await sender.answer(to: bytes)
        // V17: no answer is longer than one and a half times a stranger's datagram, and no challenge shorter than so much.
        let isTooShort = row.isChallenged && bytes.count < 340
        if answer == nil, outcome != .ignored, !isTooShort { answer = try await sender.next("the answer to \(row.name)") }
        if answer != nil || !isTooShort { expect(outcome, answer, row) }
        let stream = try HostileStream(to: suite.sip)
        try stream.send(bytes)
        try await expect(outcome, row.overTCP, of: stream, row)
    }

    // MARK: What is expected

    private func expect(_ outcome: TortureRow.Outcome, _ answer: Message?, _ row: TortureRow) {
        switch outcome {
        case .answered(let status): #expect(answer?.status == status, "\(row.title)")
        case .forwarded: #expect(answer?.status == 200, "\(row.title)")
        case .ignored: #expect(answer == nil, "\(row.title)")
        }
    }

    private func expect(_ outcome: TortureRow.Outcome, _ overTCP: TortureRow.OverTCP, of stream: HostileStream, _ row: TortureRow) async throws {
        switch overTCP {
        case .same where outcome == .ignored:
            #expect(try await stream.isAlive(), "\(row.title): the connection goes on")
        case .spoils where outcome == .ignored: break
        case .same, .spoils:
            expect(outcome, message(try await stream.next()), row)
        case .closes(let outcome):
            if outcome != .ignored { expect(outcome, message(try await stream.next()), row) }
            guard case .closed = try await stream.next() else {
                Issue.record("\(row.title): the connection goes on")
                return
            }
        case .waits:
            #expect(try await stream.next(within: .milliseconds(300)) == nil, "\(row.title)")
        }
    }

    private func message(_ event: HostileStream.Event?) -> Message? {
        if case .message(let message) = event { return message }
        return nil
    }

    /// To another reader the server's message has the same start line, header fields and body; a proxy's own apart.
    private func expectSame(_ sent: [UInt8], _ received: [[UInt8]], _ row: TortureRow) throws {
        let bytes = try #require(received.first, "\(row.title) did not reach the server")
        let (before, after) = (try StrictMessage(datagram: sent), try StrictMessage(bytes))
        let own: Set = ["via", "max-forwards", "record-route", "path", "content-length"]
        #expect(before.startLine == after.startLine, "\(row.title)")
        #expect(before.fields.filter { !own.contains($0.name) } == after.fields.filter { !own.contains($0.name) }, "\(row.title)")
        #expect(before.body == after.body, "\(row.title)")
        #expect(after.fields.filter { $0.name == "via" }.count == before.fields.filter { $0.name == "via" }.count + 1)
    }

    private func placeCalls(_ caller: PhoneLine, _ callee: PhoneLine, count: Int) async throws -> Int {
        var successes = 0
        for _ in 0..<count {
            let (outgoing, incoming) = try await connect(caller, callee)
            guard await outgoing.hears(1_370), await incoming.hears(1_010) else { continue }
            try await outgoing.hangup()
            if try await incoming.ended() == .hungUpThere { successes += 1 }
        }
        return successes
    }
}
