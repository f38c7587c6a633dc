import Addresses
import Deadlines
import Phone
import SDP
import Testing

/// Two phones without anything between them: the proxy of one is the other.
@Suite("Phone: calls between two phones")
struct PhoneCallTests {
    private struct Pair {
        let caller: PhoneLine
        let callee: PhoneLine

        init(_ policy: IncomingPolicy, codecs: [Codec] = [.pcmu, .pcma]) async throws {
            let nowhere = SocketAddress(.loopbackIPv4, port: 9)
            var called = PhoneSettings(number: "1002", domain: "demo.localhost", password: "", proxy: nowhere)
            (called.incoming, called.tone, called.codecs) = (policy, 620, codecs)
            callee = PhoneLine(called)
            caller = PhoneLine(
                PhoneSettings(number: "1001", domain: "demo.localhost", password: "", proxy: try await callee.localAddress()))
        }

        func close() async {
            await caller.close()
            await callee.close()
        }
    }

    @Test("A call is answered, both hear the other's tone and only that, and a BYE ends both sides", arguments: [Codec.pcmu, .pcma])
    func callWithSound(_ codec: Codec) async throws {
        let pair = try await Pair(.answer(after: .milliseconds(30)), codecs: [codec])
        let call = try await pair.caller.call("1002")
        try await call.answered()
        let called = try await pair.callee.incomingCall()
        #expect(called.peer == "1001")
        #expect(await call.hears(620))
        #expect(await called.hears(440))
        #expect(await !call.heard(frequency: 440))
        try await Task.sleep(for: .milliseconds(300))
        let report = await call.report
        #expect(report.codec == codec.name)
        #expect((report.setupTime ?? .zero) >= .milliseconds(30))
        #expect(report.ringTime != nil)
        #expect(report.sound.lost == 0)
        #expect(report.sound.outOfOrder == 0)
        #expect(report.sound.unexpected == 0)
        #expect(report.sound.sources == 1)
        #expect(report.sound.packetsReceived > 10)
        #expect((-16 ... -11).contains(report.sound.level))
        try await call.hangup()
        #expect(try await call.ended() == .hungUpHere)
        #expect(try await called.ended() == .hungUpThere)
        await pair.close()
    }

    @Test("The callee may hang up, too")
    func calleeHangsUp() async throws {
        let pair = try await Pair(.answer(after: .zero))
        let call = try await pair.caller.call("1002")
        try await call.answered()
        let called = try await pair.callee.incomingCall()
        try await called.hangup()
        #expect(try await call.ended() == .hungUpThere)
        await pair.close()
    }

    @Test("A refusal is reported with its status", arguments: [486, 603, 480])
    func refusal(_ status: Int) async throws {
        let pair = try await Pair(.refuse(status: status))
        let call = try await pair.caller.call("1002")
        let error = await #expect(throws: PhoneError.self) { try await call.answered() }
        guard case .refused(_, status, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        await pair.close()
    }

    @Test("RFC 3261 §9: a call given up while it rings is cancelled on both sides")
    func cancel() async throws {
        let pair = try await Pair(.ring)
        let call = try await pair.caller.call("1002")
        try await call.ringing()
        let called = try await pair.callee.incomingCall()
        try await call.hangup()
        #expect(try await call.ended() == .cancelled)
        #expect(try await called.ended() == .cancelled)
        await pair.close()
    }

    @Test("A phone that only rings is answered by the test")
    func answerByHand() async throws {
        let pair = try await Pair(.ring)
        let call = try await pair.caller.call("1002")
        let called = try await pair.callee.incomingCall()
        try await call.ringing()
        #expect(await call.report.phase == .ringing)
        try await called.answer()
        try await call.answered()
        #expect(await call.hears(620))
        await pair.close()
    }

    @Test("Digits arrive once each and in order, and the tone goes on between and after them")
    func digits() async throws {
        let pair = try await Pair(.answer(after: .zero))
        let call = try await pair.caller.call("1002")
        try await call.answered()
        let called = try await pair.callee.incomingCall()
        try await call.send(digits: "1234*#0")
        #expect(await called.receives(digits: "1234*#0"))
        #expect(await called.hears(440))
        await #expect(throws: PhoneError.self) { try await call.send(digits: "x") }
        await pair.close()
    }

    @Test("RFC 3264 §8.4: on hold the other side is silent; resumed, it is heard again")
    func holdAndResume() async throws {
        let pair = try await Pair(.answer(after: .zero))
        let call = try await pair.caller.call("1002")
        try await call.answered()
        #expect(await call.hears(620))
        try await call.hold()
        try await Task.sleep(for: .milliseconds(60))
        await call.forgetWhatWasHeard()
        try await Task.sleep(for: .milliseconds(100))
        #expect(await call.report.sound.packetsReceived == 0)
        try await call.resume()
        #expect(await call.hears(620))
        await pair.close()
    }

    @Test("Without a common codec the call is refused")
    func noCommonCodec() async throws {
        let pair = try await Pair(.answer(after: .zero), codecs: [Codec("G722")])
        let call = try await pair.caller.call("1002")
        let error = await #expect(throws: PhoneError.self) { try await call.answered() }
        #expect(error == .refused(.invite, status: 488, reason: "Not Acceptable Here"))
        await pair.close()
    }

    @Test("Waiting has a limit and says what was waited for")
    func waitingEnds() async throws {
        let pair = try await Pair(.ring)
        let call = try await pair.caller.call("1002")
        try await call.ringing()
        let error = await #expect(throws: PhoneError.self) { try await call.answered(within: .milliseconds(50)) }
        #expect(error?.description == "timed out: call with 1002 is ringing after 0.05 s, not answered")
        await #expect(throws: PhoneError.self) { _ = try await pair.caller.incomingCall(within: .milliseconds(20)) }
        await pair.close()
    }

    @Test("Forty calls at once between two phones, all with sound both ways")
    func manyCalls() async throws {
        let pair = try await Pair(.answer(after: .zero))
        try await withThrowingTaskGroup { group in
            for _ in 0..<40 {
                group.addTask {
                    let call = try await pair.caller.call("1002")
                    try await call.answered()
                    #expect(await call.hears(620))
                    try await call.hangup()
                    #expect(await call.report.sound.lost == 0)
                    await call.forget()
                }
            }
            try await group.waitForAll()
        }
        await pair.close()
    }
}
