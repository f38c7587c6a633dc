import SIP
import Testing

@Suite("MessageFramer: messages in a byte stream")
struct MessageFramerTests {
    private let one = wire("OPTIONS sip:x SIP/2.0\nl: 3\n\nabc")
    private let two = wire("SIP/2.0 200 OK\nContent-Length: 0\n\n")

    private func describe(_ output: MessageFramer.Output) -> String {
        switch output {
        case .message(let message): message.description + " " + text(message.body)
        case .ping: "ping"
        case .pong: "pong"
        }
    }

    @Test("§18.3: the stream may be cut anywhere")
    func anyCut() throws {
        let stream = wire("\n\n") + one + two + one
        for size in 1...stream.count {
            var framer = MessageFramer()
            var outputs: [String] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                framer.append(Array(stream[start..<min(start + size, stream.count)]))
                while let output = try framer.next() { outputs.append(describe(output)) }
            }
            let messages = outputs.filter { $0 != "ping" && $0 != "pong" }
            #expect(messages == ["OPTIONS sip:x SIP/2.0 abc", "SIP/2.0 200 OK ", "OPTIONS sip:x SIP/2.0 abc"], "cut by \(size)")
            #expect(framer.bufferedCount == 0)
        }
    }

    @Test("RFC 5626 §3.5.1: two line ends are a ping, one is a pong")
    func keepAlive() throws {
        var framer = MessageFramer()
        framer.append(wire("\n\n"))
        #expect(try framer.next().map(describe) == "ping")
        framer.append(wire("\n"))
        #expect(try framer.next().map(describe) == "pong")
    }

    @Test("Without Content-Length, or with too much, the stream is lost")
    func errors() {
        var framer = MessageFramer()
        framer.append(wire("OPTIONS sip:x SIP/2.0\n\n"))
        #expect(throws: ParseError.missingContentLength) { try framer.next() }
        framer.append(one)
        #expect(framer.bufferedCount == one.count)
        var endless = MessageFramer(limits: Limits(messageLength: 1_000))
        endless.append([UInt8](repeating: 65, count: 1_001))
        #expect(throws: ParseError.tooLong) { try endless.next() }
        var large = MessageFramer(limits: Limits(messageLength: 1_000))
        large.append(wire("OPTIONS sip:x SIP/2.0\nl: 990\n\n"))
        #expect(throws: ParseError.tooLong) { try large.next() }
    }

    @Test("RFC 5626 §3.5.1: a server takes each message of a connection and answers each ping")
    func reading() throws {
        var framer = MessageFramer()
        var (heard, answers): ([String], [[UInt8]]) = ([], [])
        let stream = wire("\n\n") + one + wire("\n") + two + Array(one[..<10])
        try framer.read(stream.span) { answers.append($0) } take: { heard.append($0.description) }
        try framer.read(Array(one[10...]).span) { answers.append($0) } take: { heard.append($0.description) }
        #expect(heard == ["OPTIONS sip:x SIP/2.0", "SIP/2.0 200 OK", "OPTIONS sip:x SIP/2.0"])
        #expect(answers == [MessageFramer.pong])
        #expect(throws: ParseError.self) { try framer.read(wire("nonsense\n\n").span) { _ in } take: { _ in } }
    }

    @Test("RELIABILITY O6: what a started message waits for, byte by byte")
    func phases() throws {
        var framer = MessageFramer()
        var phases = [framer.phase]
        for byte in one {
            framer.append([byte])
            _ = try framer.next()
            if framer.phase != phases.last { phases.append(framer.phase) }
        }
        #expect(phases == [.between, .headers, .body, .between])
    }

    @Test("RELIABILITY O6: an incomplete message behind complete ones keeps its place") func behindOthers() throws {
        var framer = MessageFramer()
        framer.append(one + two + wire("\n\n") + Array(one[..<20]))
        var outputs: [String] = []
        while let output = try framer.next() { outputs.append(describe(output)) }
        #expect(framer.phase == .headers && framer.bufferedCount == 20)
        framer.append(Array(one[20...]))
        while let output = try framer.next() { outputs.append(describe(output)) }
        #expect(outputs == ["OPTIONS sip:x SIP/2.0 abc", "SIP/2.0 200 OK ", "ping", "OPTIONS sip:x SIP/2.0 abc"])
    }
}
