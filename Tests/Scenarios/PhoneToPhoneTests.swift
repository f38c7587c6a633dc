import Deadlines
import Phone
import SDP
import SIP
import Suite
import Testing

@Suite("A phone calls a phone", .timeLimit(.minutes(2)))
struct PhoneToPhoneTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("each hears the other's tone, over UDP and TCP, in PCMU and PCMA", arguments: [Transport.udp, .tcp], [Codec.pcmu, .pcma])
    func soundBothWays(transport: Transport, codec: Codec) async throws {
        try await withPhones(2, in: suite, transport: transport, codecs: [codec]) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            #expect(await !caller.heard(frequency: 440), "nobody hears themselves")
            try await caller.hangup()
            #expect(try await callee.ended() == .hungUpThere)
        }
    }

    @Test("RFC 3261 §26.2, RFC 7118: each hears the other over TLS, WebSocket and both", arguments: [Transport.tls, .ws, .wss])
    func streamTransports(transport: Transport) async throws {
        try await withPhones(2, in: suite, transport: transport) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            try await callee.hangup()
            #expect(try await caller.ended() == .hungUpThere)
        }
    }

    @Test("two codecs outside, one inside: PCMA talks with PCMU")
    func transcoding() async throws {
        try await withPhones(1, in: suite, codecs: [.pcma]) { first in
            try await withPhones(2, in: suite, codecs: [.pcmu]) { second in
                let (caller, callee) = try await connect(first[0], second[1])
                #expect(await caller.hears(620))
                #expect(await callee.hears(440))
                #expect(await caller.report.codec == "PCMA")
                #expect(await callee.report.codec == "PCMU")
                try await callee.hangup()
                #expect(try await caller.ended() == .hungUpThere)
            }
        }
    }

    @Test("RFC 3264 §8.4: on hold neither hears the other, after resuming both do")
    func hold() async throws {
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await callee.hears(440))
            try await caller.hold()
            try await Task.sleep(for: .milliseconds(500))
            await caller.forgetWhatWasHeard()
            try await Task.sleep(for: .milliseconds(400))
            #expect(await !caller.heard(frequency: 620), "a phone that only sends hears nothing")
            try await caller.resume()
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            try await caller.hangup()
        }
    }

    @Test("busy and decline reach the caller with their own status", arguments: [486, 603])
    func refused(status: Int) async throws {
        try await withPhones(2, in: suite) { phones in
            await phones[1].setIncoming(.refuse(status: status))
            let call = try await phones[0].call(phones[1].number)
            guard case .refused(let code, _) = try await call.ended() else {
                Issue.record("the call was not refused")
                return
            }
            #expect(code == status)
        }
    }

    @Test("RFC 3261 §9: the caller gives up, the ringing phone stops")
    func cancel() async throws {
        try await withPhones(2, in: suite) { phones in
            await phones[1].setIncoming(.ring)
            let call = try await phones[0].call(phones[1].number)
            try await call.ringing()
            let ringing = try await phones[1].incomingCall()
            try await call.hangup()
            #expect(try await call.ended() == .cancelled)
            _ = try await ringing.ended()
        }
    }

    @Test("RFC 3261 §16.7: two phones of one extension ring, the first answer wins, the other stops")
    func forking() async throws {
        let account = try await suite.makeAccount()
        var settings = PhoneSettings(number: account.number, domain: suite.domain, password: account.password, proxy: suite.sip)
        settings.incoming = .ring
        settings.tone = 620
        let (desk, mobile) = (PhoneLine(settings), PhoneLine(settings))
        _ = try await desk.register()
        _ = try await mobile.register()
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(account.number)
            let (atDesk, atMobile) = (try await desk.incomingCall(), try await mobile.incomingCall())
            try await atMobile.answer()
            try await call.answered()
            _ = try await atDesk.ended()
            #expect(await call.hears(620))
            try await call.hangup()
            #expect(try await atMobile.ended() == .hungUpThere)
        }
        await desk.close()
        await mobile.close()
    }

    @Test("nobody registered: 480; no such number: 404; a codec nobody has: 488")
    func unreachable() async throws {
        let absent = try await suite.makeAccount()
        func status(_ phone: PhoneLine, _ number: String) async throws -> Int? {
            guard case .refused(let status, _) = try await phone.call(number).ended() else { return nil }
            return status
        }
        try await withPhones(1, in: suite) { phones in
            let nobodyThere = try await status(phones[0], absent.number)
            #expect(nobodyThere == 480)
            let noSuchNumber = try await status(phones[0], "999999999")
            #expect(noSuchNumber == 404)
        }
        try await withPhones(1, in: suite, codecs: [Codec("speex")]) { phones in
            // A number that answers by itself: there is no other reason to refuse.
            let noCommonCodec = try await status(phones[0], "600")
            #expect(noCommonCodec == 488)
        }
    }
}
