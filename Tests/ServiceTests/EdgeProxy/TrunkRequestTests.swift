import Addresses
import Deadlines
import Foundation
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: requests of trunks")
struct TrunkRequestTests {
    private static let trunk = SocketAddress(IPAddress(v4: 0xc000_0263), port: 5060)
    private static let password = "trunk secret"

    private func bench(_ more: String = "") throws -> EdgeBench {
        let ha1 = Digest.ha1(user: "carrier", realm: "demo.localhost", password: Self.password, .sha256)
        let json = """
            [{"name": "west", "customer": "cus_2", "domain": "two.example", "addresses": ["192.0.2.99"]\(more)},
             {"name": "roaming", "customer": "cus_1", "username": "carrier", "ha1_sha256": "\(ha1)"}]
            """
        var bench = EdgeBench()
        bench.directory.trunks = try Trunks(
            JSONDecoder().decode([TrunkEntry].self, from: Data(json.utf8)), domain: "demo.localhost")
        return bench
    }

    private static func arrival(_ source: SocketAddress, _ transport: Transport, _ connection: UInt32 = 0) -> Arrival {
        Arrival(source: source, transport: transport, connection: connection, received: EdgeBench.start)
    }

    private static let claims = [
        "P-Asserted-Identity: <sip:+4930123@carrier.example>", "Diversion: <sip:+4940@carrier.example>", "X-Tandem-Trunk: east",
        "X-Tandem-Customer: cus_9", "X-Tandem-Domain: nine.example", "Proxy-Authorization: Digest x",
    ]

    private func call(
        _ bench: EdgeBench, _ arrival: Arrival, _ method: String = "INVITE", from domain: String = "carrier.example"
    ) throws -> Judgement {
        let request = try EdgeBench.request(
            method, uri: "sip:1001@two.example", user: "+4930123", domain: domain, more: Self.claims)
        return bench.core.receiveOutside(request, arrival, now: EdgeBench.now, bench.directory)
    }

    @Test("a trunk's address needs no password: the inside learns whose trunk it is, from us alone")
    func address() throws {
        let (message, destination) = try EdgeBench.forwarded(try call(try bench(), Self.arrival(Self.trunk, .udp)))
        #expect(destination == .server(EdgeBench.callServer))
        let names = message.fields.map { message.name(of: $0).lowercased() }
        for (name, value) in [("X-Tandem-Trunk", "west"), ("X-Tandem-Customer", "cus_2"), ("X-Tandem-Domain", "two.example")] {
            #expect(message.value(named: name) == value)
            #expect(names.filter { $0 == name.lowercased() }.count == 1)
        }
        for gone in [HeaderName.pAssertedIdentity, .diversion, .proxyAuthorization] { #expect(!message.contains(gone)) }
        #expect(message.recordRoutes?.count == 2)
    }

    @Test("RFC 3325 §5: what a trunk asserts is kept where it is trusted for it; credentials end here all the same")
    func assertions() throws {
        let bench = try bench(#", "asserts_identity": true"#)
        let (message, _) = try EdgeBench.forwarded(try call(bench, Self.arrival(Self.trunk, .tcp, 3)))
        #expect(message.addresses(.pAssertedIdentity)?.map(\.uri.user) == ["+4930123"])
        #expect(message.contains(.diversion) && !message.contains(.proxyAuthorization))
        #expect(message.value(named: "X-Tandem-Trunk") == "west")
    }

    @Test("RFC 3325 §5, §7: who answers is told to a trunk that is trusted with it, with the wish for privacy, and to no other", arguments: [true, false])
    func answered(isTrusted: Bool) throws {
        let bench = try bench(isTrusted ? #", "gets_identity": true"# : "")
        for source in [Self.trunk, EdgeBench.phone] {
            let arrival = Self.arrival(source, .udp)
            let invite = source == Self.trunk ? try EdgeBench.forwarded(try call(bench, arrival)).message : try EdgeBench.forwarded(try bench.authenticated("INVITE")).message
            var ringing = ResponseBuilder(invite, 180, toTag: "cs")
            ringing.add(.pAssertedIdentity, "<sip:1001@two.example>")
            ringing.add(.privacy, "id")
            ringing.headers.append(Header("X-Tandem-Secret", "1"))
            let response = try Message.parse(ringing.serialised())
            let (message, _) = try EdgeBench.forwarded(bench.core.receiveInside(response, from: EdgeBench.callServer, trunks: bench.directory.trunks))
            #expect(message.contains(.pAssertedIdentity) == (isTrusted && source == Self.trunk))
            #expect(message.value(.privacy) == "id" && message.value(named: "X-Tandem-Secret") == nil)
        }
    }

    @Test("another address, a browser at the trunk's, and a REGISTER from there are challenged")
    func others() throws {
        let bench = try bench()
        let neighbour = SocketAddress(IPAddress(v4: 0xc000_0262), port: 5060)
        for (arrival, method, status) in [
            (Self.arrival(neighbour, .udp), "INVITE", 407), (Self.arrival(Self.trunk, .wss, 1), "INVITE", 407),
            (Self.arrival(Self.trunk, .udp), "REGISTER", 401),
        ] {
            #expect(try EdgeBench.answer(try call(bench, arrival, method, from: "demo.localhost")).status == status)
        }
    }

    @Test("a trunk has no rate of its address, nor have others its freedom")
    func rates() throws {
        let bench = try bench()
        var settings = AdmissionSettings()
        settings.rates.invite = TokenRate(perSecond: 1, burst: 2)
        func forwarded(_ source: SocketAddress) throws -> Int {
            var admission = Admission(settings, seed: (1, 2), connections: 8)
            return try (0..<50).count { index in
                let request = try EdgeBench.request("INVITE", uri: "sip:1001@two.example", domain: "two.example", callID: "c\(index)")
                let judgement = bench.core.receiveOutside(
                    request, Self.arrival(source, .udp), now: EdgeBench.now, bench.directory, &admission)
                if case .forward = judgement { return true } else { return false }
            }
        }
        #expect(try forwarded(Self.trunk) == 50)
        #expect(try forwarded(SocketAddress(IPAddress(v4: 0xc000_0262), port: 5060)) == 0)
    }

    @Test("RFC 5922 §7.1: a name in a verified certificate makes a trunk, from any address, and says more than the address")
    func certificate() throws {
        let bench = try bench(#", "tls_names": ["pbx.west.example"]"#)
        let elsewhere = SocketAddress(IPAddress(v4: 0xc633_6401), port: 40_000)
        func trunk(_ names: [String]) throws -> String? {
            let arrival = Arrival(
                source: elsewhere, transport: .tls, connection: 1, certificateNames: names, received: EdgeBench.start)
            guard case .forward(let bytes, _) = try call(bench, arrival) else { return nil }
            return try Message.parse(bytes).value(named: "X-Tandem-Trunk")
        }
        #expect(try trunk(["unknown.example", "PBX.west.example"]) == "west")
        #expect(try trunk(["unknown.example"]) == nil)
        #expect(try trunk([]) == nil)
    }

    /// Challenges a call of the roaming trunk, answers, and gives what waits for the account.
    private func pending(
        _ bench: EdgeBench, user: String = "carrier", password: String, choice: DigestChallenge.Choice = .init()
    ) throws -> PendingAuthentication {
        let agent = "User-Agent: Exchange 1"
        func request(_ branch: String, _ more: [String]) throws -> Message {
            try EdgeBench.request("INVITE", user: "+4930123", domain: "carrier.example", branch: branch, more: [agent] + more)
        }
        let challenge = try #require(try EdgeBench.answer(bench.outside(request("z9hG4bKone", []))).challenges.first)
        #expect(challenge.realm == "demo.localhost", "of a stranger the domain it calls")
        let answer = challenge.answer(
            user: user, password: password, method: .invite, uri: "sip:1002@demo.localhost", clientNonce: "c", choice: choice)
        let judgement = bench.outside(try request("z9hG4bKtwo", ["Proxy-Authorization: \(answer.headerValue)"]))
        guard case .authenticate(let pending) = judgement else { throw EdgeBench.Unexpected(what: "\(judgement)") }
        return pending
    }

    @Test("RFC 7616: a trunk's digest lets it in for whomever it calls, by its plain name or its hash", arguments: [false, true])
    func digest(isHidden: Bool) throws {
        let bench = try bench()
        var choice = DigestChallenge.Choice()
        choice.hidesUser = isHidden
        let pending = try pending(bench, password: Self.password, choice: choice)
        let trunk = try #require(bench.core.trunk(of: pending))
        var servers = Placement(bench.directory, recentDialogs: 64, now: Instant(nanoseconds: 0))
        let decision = bench.core.resume(pending, trunk, &servers)
        let (message, _) = try EdgeBench.forwarded(Judgement(decision, pending.message.view, bench.core))
        #expect(message.value(named: "X-Tandem-Trunk") == "roaming" && message.value(named: "X-Tandem-Customer") == "cus_1")
        #expect(!message.contains(.proxyAuthorization) && !message.contains(.pAssertedIdentity))
    }

    @Test("a wrong password of a trunk is looked up like a phone's, and no phone's account makes it right")
    func wrongPassword() throws {
        let bench = try bench()
        let pending = try pending(bench, password: "guess")
        #expect(bench.core.trunk(of: pending) == nil)
        let phone = Account(
            customer: "cus_1", user: "carrier", domain: "demo.localhost", md5: "",
            sha256: Digest.ha1(user: "carrier", realm: "demo.localhost", password: "guess", .sha256))
        for account in [nil, phone] { #expect(try EdgeBench.answer(bench.resume(pending, account)).status == 403) }
    }

    @Test("a phone's credentials do not speak for numbers of elsewhere")
    func phone() throws {
        let bench = try bench()
        #expect(throws: EdgeBench.Unexpected.self) { try pending(bench, user: "1001", password: EdgeBench.password) }
    }

    @Test("an outsider's X-Tandem headers reach nobody, whatever it sends and however it is spelt", arguments: ["INVITE", "REGISTER", "BYE"])
    func forged(method: String) throws {
        let bench = try bench()
        let forged = [
            "X-Tandem-Trunk: west", "x-tandem-trunk : west", "X-TANDEM-Customer\t: west", "X-Tandem-Service-Route: <sip:west>",
            "X-Tandem-Flow:\r\n <sip:west>",
        ]
        let judgement: Judgement
        if method == "BYE" {
            let token = FlowToken(server: EdgeBench.callServer).sealed(key: bench.core.tokenKey)
            judgement = bench.outside(
                try EdgeBench.request("BYE", toTag: "x", more: forged + ["Route: <sip:\(token)@127.0.0.1:5060;lr>"]))
        } else {
            judgement = try bench.authenticated(method, to: "sip:1001@demo.localhost", more: forged)
        }
        let (message, _) = try EdgeBench.forwarded(judgement)
        #expect(!String(decoding: message.bytes, as: UTF8.self).contains("west"))
    }
}
