import Phone
import SIP
import Suite
import Testing

@Suite("RFC 5627: a GRUU reaches one of an extension's phones", .timeLimit(.minutes(2)))
struct RegistrationGRUUTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func phone(_ account: RunningSuite.Account, instance: String, tone: Int) -> PhoneLine {
        var settings = PhoneSettings(number: account.number, domain: suite.domain, password: account.password, proxy: suite.sip)
        (settings.instance, settings.tone) = (instance, tone)
        return PhoneLine(settings)
    }

    private static func gruu(_ kind: String, of instance: String, in response: Message) -> String? {
        guard case .list(let contacts) = response.contacts else { return nil }
        return contacts.first { $0.parameters["+sip.instance"] == "<\(instance)>" }?.parameters[kind]
    }

    @Test("of two phones only the named one rings, by its public and by its temporary GRUU", arguments: ["pub-gruu", "temp-gruu"])
    func oneOfTwo(kind: String) async throws {
        let account = try await suite.makeAccount()
        let names = ["urn:uuid:00000000-0000-1000-8000-000000000001", "urn:uuid:00000000-0000-1000-8000-000000000002"]
        let (desk, mobile) = (phone(account, instance: names[0], tone: 1_010), phone(account, instance: names[1], tone: 620))
        _ = try await desk.register()
        let answer = try await mobile.register()
        let gruu = try #require(Self.gruu(kind, of: names[1], in: answer))
        #expect(kind == "pub-gruu" ? gruu == "sip:\(account.number)@\(suite.domain);gr=\(names[1])" : !gruu.contains(account.number))
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(gruu)
            try await call.answered()
            let ringing = try await mobile.incomingCall()
            #expect(await call.hears(620))
            #expect(await ringing.hears(440))
            #expect(await !call.heard(frequency: 1_010), "the other phone is not in it")
            try await call.hangup()
            #expect(try await ringing.ended() == .hungUpThere)
        }
        await desk.close()
        await mobile.close()
    }

    @Test("RFC 5626 §4.4, §6: a phone that asks for outbound gets it, and a Flow-Timer for its transport", arguments: [
        (Transport.udp, "30"), (.tcp, "120"), (.wss, "120"),
    ])
    func outbound(transport: Transport, seconds: String) async throws {
        let account = try await suite.makeAccount()
        var settings = PhoneSettings(
            number: account.number, domain: suite.domain, password: account.password, proxy: try suite.proxy(over: transport))
        (settings.transport, settings.trusted, settings.instance) = (transport, suite.certificate, "urn:uuid:outbound")
        let plain = PhoneLine(settings)
        #expect(try await plain.register().value(named: "Flow-Timer") == nil)
        await plain.close()
        settings.regID = 1
        let phone = PhoneLine(settings)
        let answer = try await phone.register()
        #expect(answer.required == ["outbound"])
        #expect(answer.value(named: "Flow-Timer") == seconds)
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(account.number)
            try await call.answered()
            try await call.hangup()
        }
        await phone.close()
    }

    @Test("a phone that is not there now: 480; a temporary one nobody gave out: 404")
    func nobody() async throws {
        let account = try await suite.makeAccount()
        let desk = phone(account, instance: "urn:uuid:1", tone: 620)
        _ = try await desk.register()
        try await withPhones(1, in: suite) { phones in
            for (uri, status) in [
                ("sip:\(account.number)@\(suite.domain);gr=urn:uuid:2", 480), ("sip:AAAAAAAA@\(suite.domain);gr", 404),
            ] {
                guard case .refused(let code, _) = try await phones[0].call(uri).ended() else {
                    Issue.record("\(uri) was not refused")
                    return
                }
                #expect(code == status, "\(uri)")
            }
        }
        await desk.close()
    }
}
