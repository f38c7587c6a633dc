import Addresses
import Phone
import SIP
import Testing
import Threads

@Suite("Phone: registering")
struct PhoneRegistrationTests {
    private func withRegistrar(
        _ transport: Transport, hashes: [DigestHash] = [.sha256, .md5], password: String = "secret",
        _ body: (PhoneLine, TestRegistrar) async throws -> Void
    ) async throws {
        let registrar = TestRegistrar(transport, password: "secret", hashes: hashes, on: PhoneLoops.next())
        var settings = PhoneSettings(
            number: "1001", domain: "demo.localhost", password: password, proxy: try await registrar.listen())
        settings.transport = transport
        let phone = PhoneLine(settings)
        try await body(phone, registrar)
        await phone.close()
        await registrar.stop()
    }

    @Test("RFC 3261 §22.2: answers the challenge, registers, and removes its binding", arguments: [Transport.udp, .tcp])
    func registerAndUnregister(_ transport: Transport) async throws {
        try await withRegistrar(transport) { phone, registrar in
            try await phone.register()
            #expect(await phone.isRegistered)
            try await phone.unregister()
            #expect(await !phone.isRegistered)
            let registrations = await registrar.registrations
            #expect(registrations.map(\.expires) == [300, 0])
            let suffix = transport == .tcp ? ";transport=tcp" : ""
            let address = try await phone.localAddress()
            #expect(registrations[0].contact == "sip:1001@\(address)\(suffix)")
        }
    }

    @Test("Every hash of RFC 8760 is answered", arguments: DigestHash.allCases)
    func hashes(_ hash: DigestHash) async throws {
        try await withRegistrar(.udp, hashes: [hash]) { phone, _ in try await phone.register() }
    }

    @Test("A wrong password ends in the server's refusal")
    func wrongPassword() async throws {
        try await withRegistrar(.udp, password: "wrong") { phone, _ in
            let error = await #expect(throws: PhoneError.self) { try await phone.register() }
            #expect(error == .refused(.register, status: 403, reason: "Forbidden"))
        }
    }

    @Test("A TCP phone whose connection was cut connects and registers again by itself")
    func reconnects() async throws {
        try await withRegistrar(.tcp) { phone, registrar in
            try await phone.register()
            await registrar.dropConnection()
            for _ in 0..<100 where await registrar.registrations.count < 2 { try await Task.sleep(for: .milliseconds(20)) }
            #expect(await registrar.registrations.count == 2)
        }
    }

    @Test("A proxy that does not listen is told apart from one that refuses")
    func unreachable() async throws {
        let registrar = TestRegistrar(.tcp, password: "", hashes: [], on: PhoneLoops.next())
        let address = try await registrar.listen()
        await registrar.stop()
        var settings = PhoneSettings(number: "1001", domain: "demo.localhost", password: "", proxy: address)
        settings.transport = .tcp
        let phone = PhoneLine(settings)
        let error = await #expect(throws: PhoneError.self) { try await phone.register() }
        #expect(error?.description.contains("nothing listens at TCP \(address)") == true)
        await phone.disappear()
    }
}
