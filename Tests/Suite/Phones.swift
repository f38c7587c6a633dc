public import Addresses
public import Phone
public import SDP
public import SIP

/// Phones of one scenario: each with an account of its own, registered, sending a tone of its own; all closed at the end.
public func withPhones<Result: Sendable>(
    _ count: Int, in suite: RunningSuite, transport: Transport = .udp, codecs: [Codec] = [.pcmu, .pcma],
    padding: Int = 0, at local: IPAddress = .loopbackIPv4, media: IPAddress? = nil,
    options: (inout PhoneSettings) -> Void = { _ in }, _ body: ([PhoneLine]) async throws -> Result
) async throws -> Result {
    var phones: [PhoneLine] = []
    for index in 0..<count {
        let account = try await suite.makeAccount()
        var settings = PhoneSettings(
            number: account.number, domain: suite.domain, password: account.password, proxy: try suite.proxy(over: transport))
        settings.trusted = suite.certificate
        settings.tone = Tones.of(index)
        settings.transport = transport
        settings.codecs = codecs
        settings.padding = padding
        (settings.local, settings.media) = (local, media)
        if !local.isIPv4 { settings.proxy.address = local }
        options(&settings)
        let phone = PhoneLine(settings)
        _ = try await phone.register()
        phones.append(phone)
    }
    do {
        let result = try await body(phones)
        for phone in phones { await phone.close() }
        return result
    } catch {
        for phone in phones { await phone.close() }
        throw error
    }
}

/// Frequencies that tell the phones of a scenario apart: no one is near a harmonic of another.
public enum Tones {
    private static let all = [440, 620, 1_010, 1_370, 530, 790, 1_190, 1_610]

    /// After eight they come again.
    public static func of(_ index: Int) -> Int { all[index % all.count] }
}

/// A pair that talks: the call as each of the two holds it.
public func connect(_ caller: PhoneLine, _ callee: PhoneLine) async throws -> (PhoneCall, PhoneCall) {
    let outgoing = try await caller.call(callee.number)
    try await outgoing.answered()
    return (outgoing, try await callee.incomingCall())
}
