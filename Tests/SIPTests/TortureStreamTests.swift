import Hostile
import SIP
import Testing

@Suite("Torture messages in streams and printed again")
struct TortureStreamTests {
    /// What a stream may carry: messages with a Content-Length, each as the framer must give it back.
    private func streamable() throws -> [[UInt8]] {
        try (Torture.all(4475) + Torture.all(5118)).compactMap { _, bytes in
            guard let message = try? Message.parse(bytes), message.contains(.contentLength) else { return nil }
            return message.bytes
        }
    }

    private func framed(_ pieces: [ArraySlice<UInt8>]) throws -> [[UInt8]] {
        var framer = MessageFramer()
        var messages: [[UInt8]] = []
        for piece in pieces {
            framer.append(Array(piece))
            while let output = try framer.next() {
                if case .message(let message) = output { messages.append(message.bytes) }
            }
        }
        return messages
    }

    @Test("RFC 3261 §18.3: a stream of all of them, with keep-alives between, gives each, cut at any byte")
    func everyCut() throws {
        let messages = try streamable()
        #expect(messages.count > 30)
        let stream = messages.flatMap { wire("\n\n") + $0 }
        #expect(try framed(stream.indices.map { stream[$0...$0] }) == messages, "byte by byte")
        for three in stride(from: 0, to: messages.count - 2, by: 3) {
            let some = Array(messages[three..<three + 3])
            let stream = some.flatMap { wire("\n\n") + $0 }
            for cut in 1..<stream.count {
                guard try framed([stream[..<cut], stream[cut...]]) == some else {
                    Issue.record("messages \(three)... cut at \(cut)")
                    break
                }
            }
        }
    }

    @Test("RFC 3261 §16.6: what no edit touches is forwarded byte for byte, and is the same message again")
    func roundTrip() throws {
        for (name, bytes) in try Torture.all(4475) + Torture.all(5118) {
            // Where Content-Length is missing, a forwarded message gets one: ForwardingTests has that.
            guard let message = try? Message.parse(bytes), message.contains(.contentLength) else { continue }
            guard let hop = hop(message) else { continue }
            let forwarding = Forwarding(hop: hop, stripping: .privateOnly)
            let again = try Message.parse(try forwarded(message, forwarding))
            #expect(again.body == message.body, "\(name)")
            #expect(again.fields.count == message.fields.count + 1, "\(name)")
            func others(_ of: Message) -> [String] { of.fields.filter { $0.name != .via }.map { of.name(of: $0) + ":" + of.value(of: $0) } }
            #expect(others(again) == others(message), "\(name)")
        }
    }
}
