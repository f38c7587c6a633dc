import Addresses
import SIP
import Testing

@Suite("Digest authentication (RFC 7616, RFC 8760, RFC 2617)")
struct DigestTests {
    private static let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    private static let clientNonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

    @Test(
        "RFC 7616 §3.9.1 vectors",
        arguments: [
            (DigestHash.md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (.sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ])
    func vectors(hash: DigestHash, expected: String) {
        let challenge = DigestChallenge(realm: "http-auth@example.org", nonce: Self.nonce, hash: hash)
        let credentials = challenge.answer(
            user: "Mufasa", password: "Circle of Life", method: .other("GET"), uri: "/dir/index.html",
            clientNonce: Self.clientNonce)
        #expect(credentials.response == expected)
        let ha1 = Digest.ha1(user: "Mufasa", realm: "http-auth@example.org", password: "Circle of Life", hash)
        #expect(credentials.isAuthentic(ha1: ha1, method: .other("GET")))
        #expect(!credentials.isAuthentic(ha1: ha1, method: .other("PUT")))
        let wrong = Digest.ha1(user: "Mufasa", realm: "http-auth@example.org", password: "circle of life", hash)
        #expect(!credentials.isAuthentic(ha1: wrong, method: .other("GET")))
    }

    @Test("RFC 7616 §3.9.2: a name that is hidden (the example made right by erratum 4897: it is SHA-512/256)")
    func hiddenName() throws {
        let nonce = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"
        let challenge = try #require(
            DigestChallenge(
                "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, nonce=\"\(nonce)\", charset=UTF-8, userhash=true"))
        var choice = DigestChallenge.Choice()
        choice.hidesUser = true
        let (name, password) = ("J\u{e4}s\u{f8}n Doe", "Secret, or not?")
        let credentials = challenge.answer(
            user: name, password: password, method: .other("GET"), uri: "/doe.json", clientNonce: "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
            choice: choice)
        #expect(credentials.user == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b")
        #expect(credentials.response == "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c")
        let read = try #require(DigestCredentials(credentials.headerValue))
        #expect(read == credentials && read.names(name) && !read.names("Jason Doe") && !read.names(read.user))
        let ha1 = Digest.ha1(user: name, realm: "api@example.org", password: password, .sha512_256)
        #expect(read.isAuthentic(ha1: ha1, method: .other("GET")))
        let plain = challenge.answer(user: name, password: password, method: .register, uri: "x", clientNonce: "c")
        #expect(plain.names(name) && !plain.isUserHashed, "hidden only where that is wanted")
    }

    @Test(
        "RFC 7616 §3.4.3: auth-int covers the body",
        arguments: [
            (DigestHash.md5, "8dda810d9cd048cb2c28636928cd8008"),
            (.sha256, "a3ad68c0f492387472e5fc440f7b70e96df8c3c514ffeb2a9bd5ea70e01e2969"),
        ])
    func integrity(hash: DigestHash, expected: String) throws {
        let challenge = DigestChallenge(
            realm: "http-auth@example.org", nonce: Self.nonce, hash: hash, qualities: [.authentication, .integrity])
        #expect(DigestChallenge(challenge.headerValue) == challenge)
        var choice = DigestChallenge.Choice()
        choice.protectsBody = true
        let body = Array("v=0\r\n".utf8)
        let credentials = challenge.answer(
            user: "Mufasa", password: "Circle of Life", method: .other("POST"), uri: "/dir/index.html", body: body,
            clientNonce: Self.clientNonce, choice: choice)
        #expect(credentials.response == expected)
        let read = try #require(DigestCredentials(credentials.headerValue))
        let ha1 = Digest.ha1(user: "Mufasa", realm: "http-auth@example.org", password: "Circle of Life", hash)
        #expect(read.protectsBody && read.isAuthentic(ha1: ha1, method: .other("POST"), body: body))
        #expect(!read.isAuthentic(ha1: ha1, method: .other("POST"), body: Array("v=1\r\n".utf8)))
        #expect(!read.isAuthentic(ha1: ha1, method: .other("POST"), body: []))
        let only = DigestChallenge(realm: "r", nonce: "n", hash: hash, qualities: [.integrity])
        #expect(only.answer(user: "u", password: "p", method: .invite, uri: "x", clientNonce: "c").protectsBody)
    }

    @Test("RFC 2617 §3.5: the old example, with the header as the RFC prints it")
    func oldVector() throws {
        let credentials = try #require(
            DigestCredentials(
                """
                Digest username="Mufasa",
                     realm="testrealm@host.com",
                     nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
                     uri="/dir/index.html",
                     qop=auth,
                     nc=00000001,
                     cnonce="0a4f113b",
                     response="6629fae49393a05397450978507c4ef1",
                     opaque="5ccc069c403ebaf9f0171e9517f40e41"
                """))
        let ha1 = Digest.ha1(user: "Mufasa", realm: "testrealm@host.com", password: "Circle Of Life", .md5)
        #expect(ha1 == "939e7578ed9e3c518a452acee763bce9")
        #expect(credentials.isAuthentic(ha1: ha1, method: .other("GET")))
    }

    @Test("RFC 2617 §3.2.2.1: without qop, for old clients")
    func withoutQuality() throws {
        let challenge = try #require(DigestChallenge("Digest realm=\"r\", nonce=\"n\""))
        #expect(challenge.qualities.isEmpty)
        #expect(challenge.hash == .md5)
        let answer = challenge.answer(user: "u", password: "p", method: .register, uri: "sip:r", clientNonce: "unused")
        #expect(answer.quality == nil)
        let parsed = try #require(DigestCredentials(answer.headerValue))
        #expect(parsed.isAuthentic(ha1: Digest.ha1(user: "u", realm: "r", password: "p", .md5), method: .register))
    }

    @Test("A challenge and its answer survive being written and read")
    func roundTrip() throws {
        let challenge = DigestChallenge(realm: "de\"mo", nonce: "n", hash: .sha256, opaque: "o", isStale: true)
        #expect(DigestChallenge(challenge.headerValue) == challenge)
        let answer = challenge.answer(
            user: "10\\01", password: "p", method: .invite, uri: "sip:a@b", clientNonce: "c", count: 255)
        #expect(answer.headerValue.contains("nc=000000ff"))
        #expect(DigestCredentials(answer.headerValue) == answer)
    }

    @Test(
        "Malformed or foreign credentials are nil",
        arguments: [
            "", "Digest", "Digest ", "Basic QWxhZGRpbg==", "Digest username=\"a\"",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x",
            "Digest username=\"a\", username=\"b\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\"",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", algorithm=SHA-1",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", qop=auth-conf, nc=1, cnonce=\"c\"",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", qop=auth",
            "Digest username=\"a\" realm=\"r\"", "Digest =\"a\"",
        ])
    func malformed(value: String) {
        #expect(DigestCredentials(value) == nil)
    }

    @Test("The credentials of our realm are found among several")
    func severalRealms() throws {
        let message = try parsed(
            "INVITE sip:x SIP/2.0\nProxy-Authorization: Digest username=\"a\", realm=\"one\", nonce=\"n\", uri=\"u\", response=\"x\"\n"
                + "Proxy-Authorization: Digest username=\"b\", realm=\"two\", nonce=\"n\", uri=\"u\", response=\"x\"\n\n")
        #expect(message.credentials(.proxyAuthorization, realm: "two")?.user == "b")
        #expect(message.credentials(.proxyAuthorization, realm: "three") == nil)
        #expect(message.credentials(.authorization, realm: "two") == nil)
    }

    @Test("RFC 7616 §5.4: a nonce proves its age, its origin and who received it, without being remembered")
    func nonces() throws {
        let issuer = NonceIssuer(key: Array("key".utf8), lifetimeMilliseconds: 1_000)
        let client = try #require(IPAddress("192.0.2.1"))
        let nonce = issuer.issue(now: 1_700_000_000_000, to: client)
        func verdict(_ nonce: String, now: Int64) -> NonceIssuer.Verdict { issuer.verify(nonce, now: now, from: client) }
        #expect(verdict(nonce, now: 1_700_000_001_000) == .fresh)
        #expect(verdict(nonce, now: 1_700_000_001_001) == .stale)
        #expect(NonceIssuer(key: Array("other".utf8)).verify(nonce, now: 1_700_000_000_000, from: client) == .forged)
        #expect(issuer.verify(nonce, now: 1_700_000_000_000, from: try #require(IPAddress("192.0.2.2"))) == .forged)
        for index in nonce.indices {
            var forged = nonce
            forged.replaceSubrange(index...index, with: nonce[index] == "A" ? "B" : "A")
            #expect(verdict(forged, now: 1_700_000_000_000) == .forged)
        }
        #expect(verdict("", now: 0) == .forged)
        #expect(verdict(String(repeating: "A", count: 28), now: .min) == .forged)
    }

    @Test("A nonce that was given to one IPv6 address may be answered from all of its /64, and from no other")
    func nonceOfSubscriber() throws {
        let issuer = NonceIssuer(key: Array("key".utf8))
        let nonce = issuer.issue(now: 0, to: try #require(IPAddress("2001:db8:1:1::5")))
        #expect(issuer.verify(nonce, now: 0, from: try #require(IPAddress("2001:db8:1:1:ffff::6"))) == .fresh)
        #expect(issuer.verify(nonce, now: 0, from: try #require(IPAddress("2001:db8:1:2::5"))) == .forged)
    }
}
