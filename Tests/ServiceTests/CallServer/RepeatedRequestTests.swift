import Addresses
import SIP
import Testing

@testable import CallServer

@Suite("RFC 3261 §12.2.2, §17.2.2: a request within a dialog whose answer was lost") struct RepeatedRequestTests {
    private func request(_ method: String, _ sequence: Int, tag: String = "phone", to: String? = "us") throws -> Message {
        let toTag = to.map { ";tag=\($0)" } ?? ""
        return try Message.parse(Array("""
            \(method) sip:call_1@127.0.0.1 SIP/2.0\r
            Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK\(method)\(sequence)\r
            From: <sip:1001@demo.localhost>;tag=\(tag)\r
            To: <sip:1002@demo.localhost>\(toTag)\r
            Call-ID: c1\r
            CSeq: \(sequence) \(method)\r
            Content-Length: 0\r
            \r

            """.utf8))
    }

    private func state(answering requests: [(Message, Int)]) -> SIPState {
        var state = SIPState(domain: "demo.localhost")
        for (request, code) in requests {
            if let answer = SIPState.Answer(to: request, code: code, body: "sdp \(code)") { state.remember(answer) }
        }
        return state
    }

    @Test("the same request has the answer it had, for a successor too; another of that number, fork or method has none")
    func same() throws {
        let state = try JSON.roundTrip(state(answering: [(try request("UPDATE", 5), 200), (try request("REFER", 6), 202)]))
        #expect(state.answer(to: try request("UPDATE", 5)) == .init(tag: "phone", sequence: 5, method: "UPDATE", code: 200, body: "sdp 200"))
        #expect(state.answer(to: try request("REFER", 6))?.code == 202)
        #expect(state.answer(to: try request("INVITE", 5)) == nil)
        #expect(state.answer(to: try request("UPDATE", 4)) == nil)
        #expect(state.answer(to: try request("UPDATE", 5, tag: "fork")) == nil)
    }

    @Test("the last few are kept, each once, the final answer in place of another")
    func bounded() throws {
        var requests: [(Message, Int)] = []
        for sequence in 1...40 { requests.append((try request("INFO", sequence), 200)) }
        requests.append((try request("INFO", 40), 415))
        let state = state(answering: requests)
        #expect(state.answers?.map(\.sequence) == [37, 38, 39, 40])
        #expect(state.answer(to: try request("INFO", 40))?.code == 415)
    }

    @Test("what makes a dialog, is provisional or is no request with an answer is not kept")
    func others() throws {
        #expect(SIPState.Answer(to: try request("INVITE", 1, to: nil), code: 200, body: nil) == nil)
        #expect(SIPState.Answer(to: try request("INVITE", 2), code: 180, body: nil) == nil)
        #expect(SIPState.Answer(to: try request("ACK", 2), code: 200, body: nil) == nil)
    }
}
