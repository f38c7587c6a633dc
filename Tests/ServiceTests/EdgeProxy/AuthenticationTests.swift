import Addresses
import Deadlines
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: digest authentication (RFC 3261 §22, RFC 8760)")
struct AuthenticationTests {
    private let bench = EdgeBench()

    @Test("REGISTER is challenged with 401, everything else with 407", arguments: ["REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE"])
    func challenged(method: String) throws {
        let answer = try EdgeBench.answer(bench.outside(try EdgeBench.request(method, more: ["User-Agent: Softphone 1.0"])))
        #expect(answer.status == (method == "REGISTER" ? 401 : 407))
        #expect(answer.count(of: method == "REGISTER" ? .wwwAuthenticate : .proxyAuthenticate) == 2)
        #expect(answer.challenges.map(\.hash) == [.sha256, .md5])
        #expect(answer.challenges.allSatisfy { $0.realm == "demo.localhost" && !$0.isStale && $0.takesUserHash })
        #expect(answer.challenges.allSatisfy { $0.qualities == [.authentication, .integrity] })
        #expect(answer.to?.tag != nil)
        #expect(answer.topmostVia?.parameters["rport"] == "40000")
        #expect(answer.topmostVia?.received == "192.0.2.1")
    }

    @Test("RFC 8760 §2.4: SHA-256 stands before MD5, except for clients that would stop there")
    func order() throws {
        func offered(_ more: [String], branch: String = "z9hG4bKphone") throws -> [DigestHash] {
            var configuration = bench.core.configuration
            configuration.legacyAgents = ["baresip v1"]
            let core = ProxyCore(configuration)
            let request = try EdgeBench.request("REGISTER", branch: branch, more: more)
            return try EdgeBench.answer(core.receiveOutside(request, bench.arrival, now: EdgeBench.now, bench.directory))
                .challenges.map(\.hash)
        }
        #expect(try offered(["User-Agent: Softphone 1.0"]) == [.sha256, .md5])
        #expect(try offered(["User-Agent: Baresip v1.0.0 (x86_64/Linux)"]) == [.md5])
        #expect(try offered([]) == [.md5, .sha256])
        #expect(try offered(["User-Agent: a scenario"], branch: "z9hG4bK-4711-1-0") == [.md5, .sha256])
    }

    @Test("The right password is let in with either hash", arguments: [DigestHash.sha256, .md5])
    func accepted(hash: DigestHash) throws {
        let (message, destination) = try EdgeBench.forwarded(try bench.authenticated("INVITE", hash: hash))
        #expect(destination == .server(EdgeBench.callServer))
        #expect(message.addresses(.pAssertedIdentity)?.first?.uri.description == "sip:1001@demo.localhost")
        #expect(message.value(named: "X-Tandem-Customer") == "cus_1")
        #expect(!message.contains(.proxyAuthorization))
    }

    @Test("RFC 7616 §3.4: the body is protected and the name hidden where the phone likes; a body changed on the way is refused", arguments: [DigestHash.sha256, .md5])
    func choices(hash: DigestHash) throws {
        var choice = DigestChallenge.Choice()
        (choice.protectsBody, choice.hidesUser) = (true, true)
        func request(_ body: String, _ more: [String]) throws -> Message {
            let head = try EdgeBench.request("MESSAGE", more: ["User-Agent: Softphone 1.0"] + more)
            return try Message.parse(head.bytes + Array(body.utf8))
        }
        let answer = try EdgeBench.answer(bench.outside(try request("hi", [])))
        let challenge = try #require(answer.challenges.first { $0.hash == hash })
        let credentials = challenge.answer(
            user: "1001", password: EdgeBench.password, method: .message, uri: "sip:1002@demo.localhost", body: Array("hi".utf8),
            clientNonce: "c", choice: choice)
        #expect(credentials.isUserHashed && credentials.protectsBody)
        for (body, isGood) in [("hi", true), ("ho", false)] {
            let judgement = bench.outside(try request(body, ["Proxy-Authorization: \(credentials.headerValue)"]))
            guard case .authenticate(let pending) = judgement else { throw EdgeBench.Unexpected(what: "\(judgement)") }
            #expect(pending.key == AccountCache.Key(user: "1001", domain: "demo.localhost"))
            let end = bench.resume(pending, EdgeBench.account)
            if isGood {
                #expect(try EdgeBench.forwarded(end).message.addresses(.pAssertedIdentity)?.first?.uri.user == "1001")
            } else {
                #expect(try EdgeBench.answer(end).status == 403)
            }
        }
    }

    @Test("A client that may know only MD5 is offered neither auth-int nor a hidden name")
    func oldClients() throws {
        let challenges = try EdgeBench.answer(bench.outside(try EdgeBench.request("INVITE"))).challenges
        #expect(challenges.allSatisfy { $0.qualities == [.authentication] && !$0.takesUserHash })
    }

    @Test("A wrong password and an unknown user get the same answer")
    func refused() throws {
        let wrong = try EdgeBench.answer(try bench.authenticated("REGISTER", to: "sip:1001@demo.localhost", password: "guess"))
        let unknown = try EdgeBench.answer(try bench.authenticated("REGISTER", to: "sip:1001@demo.localhost", account: nil))
        #expect(wrong.status == 403)
        #expect(wrong.bytes == unknown.bytes)
    }

    @Test("The phone of a suspended customer is refused with 403 whatever it wants, though its password is right", arguments: ["REGISTER", "INVITE"])
    func suspended(method: String) throws {
        var account = EdgeBench.account
        account.isSuspended = true
        let isRegister = method == "REGISTER"
        let (uri, to) = (isRegister ? "sip:demo.localhost" : "sip:1002@demo.localhost", isRegister ? "sip:1001@demo.localhost" : nil)
        #expect(try EdgeBench.answer(try bench.authenticated(method, uri: uri, to: to, account: account)).status == 403)
        account.isSuspended = false
        _ = try EdgeBench.forwarded(try bench.authenticated(method, uri: uri, to: to, account: account))
    }

    @Test("An old nonce is challenged again as stale; so is one we never made")
    func stale() throws {
        let request = try EdgeBench.request("INVITE")
        let challenge = try #require(try EdgeBench.answer(bench.outside(request)).challenges.first)
        let answered = try EdgeBench.request("INVITE", more: [EdgeBench.credentials(challenge, request)])
        let late = bench.core.receiveOutside(answered, bench.arrival, now: EdgeBench.now + 300_001, bench.directory)
        #expect(try EdgeBench.answer(late).challenges.allSatisfy(\.isStale))
        let made = DigestChallenge(realm: "demo.localhost", nonce: "made-up", hash: .sha256)
        let forged = bench.outside(try EdgeBench.request("INVITE", more: [EdgeBench.credentials(made, request)]))
        #expect(try EdgeBench.answer(forged).status == 407)
    }

    @Test("Credentials of one user do not speak for another, nor register another")
    func otherUser() throws {
        let request = try EdgeBench.request("INVITE", user: "1003")
        let challenge = try #require(try EdgeBench.answer(bench.outside(request)).challenges.first)
        let stolen = challenge.answer(
            user: "1001", password: EdgeBench.password, method: .invite, uri: "sip:1002@demo.localhost", clientNonce: "c")
        let decision = bench.outside(
            try EdgeBench.request("INVITE", user: "1003", more: ["Proxy-Authorization: \(stolen.headerValue)"]))
        #expect(try EdgeBench.answer(decision).status == 403)
        let other = try EdgeBench.request("REGISTER", uri: "sip:demo.localhost", to: "sip:1002@demo.localhost")
        let second = try #require(try EdgeBench.answer(bench.outside(other)).challenges.first)
        let third = try EdgeBench.request(
            "REGISTER", uri: "sip:demo.localhost", to: "sip:1002@demo.localhost", more: [EdgeBench.credentials(second, other)])
        #expect(try EdgeBench.answer(bench.outside(third)).status == 403)
    }

    @Test("An address in the place of the domain means the default domain")
    func addressAsDomain() throws {
        let request = try EdgeBench.request("REGISTER", uri: "sip:127.0.0.1", domain: "127.0.0.1", to: "sip:1001@127.0.0.1")
        let challenge = try #require(try EdgeBench.answer(bench.outside(request)).challenges.first)
        #expect(challenge.realm == "demo.localhost")
        let answered = try EdgeBench.request(
            "REGISTER", uri: "sip:127.0.0.1", domain: "127.0.0.1", to: "sip:1001@127.0.0.1",
            more: [EdgeBench.credentials(challenge, request)])
        guard case .authenticate(let pending) = bench.outside(answered) else {
            throw EdgeBench.Unexpected(what: "not authenticated")
        }
        #expect(pending.key == AccountCache.Key(user: "1001", domain: "demo.localhost"))
        let (message, destination) = try EdgeBench.forwarded(bench.resume(pending, EdgeBench.account))
        #expect(destination == .server(EdgeBench.registrar))
        #expect(message.addresses(.pAssertedIdentity)?.first?.uri.host == "demo.localhost")
    }

    @Test("What is remembered of accounts expires, is bounded and can be taken back; what is not recent refuses nobody")
    func cache() {
        var cache = AccountCache(capacity: 16, lifetime: .seconds(60), recent: .seconds(1))
        let key = AccountCache.Key(user: "1001", domain: "d")
        let start = Instant(nanoseconds: 1)
        #expect(cache.find(key, now: start) == .unknown)
        cache.store(EdgeBench.account, for: key, now: start)
        for index in 0..<100 { cache.store(nil, for: AccountCache.Key(user: "x\(index)", domain: "d"), now: start) }
        #expect(cache.count <= 16)
        #expect(cache.find(key, now: start) == .known(EdgeBench.account, isRecent: true))
        #expect(cache.find(key, now: start + .seconds(2)) == .known(EdgeBench.account, isRecent: false))
        #expect(cache.find(key, now: start + .seconds(61)) == .unknown)
        let nobody = AccountCache.Key(user: "x99", domain: "d")
        #expect(cache.find(nobody, now: start) == .known(nil, isRecent: true))
        #expect(cache.find(nobody, now: start + .seconds(2)) == .unknown)
        cache.invalidate(key)
        #expect(cache.find(key, now: start) == .unknown)
    }

    @Test("RFC 7616 §5.12: calls of one moment and one address get nonces of their own, a repeated request the same one again")
    func nonces() throws {
        func nonce(_ callID: String) throws -> String {
            try #require(EdgeBench.answer(EdgeBench().outside(EdgeBench.request("INVITE", callID: callID))).challenges.first).nonce
        }
        let nonces = try (0..<200).map { try nonce("call-\($0)") }
        #expect(Set(nonces).count == 200)
        #expect(try nonce("call-7") == nonces[7])
    }
}
