import Contracts
import Cryptography
import SIP
import Testing

@testable import Registrar

@Suite("GRUU (RFC 5627)")
struct GRUUTests {
    private let tokens = TemporaryGRUU(key: [UInt8](repeating: 7, count: 32))
    private let instance = "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"

    private func register(
        _ set: inout BindingSet, _ user: String, instance: String, callID: String, cseq: UInt32 = 1, at now: Int64
    ) throws {
        let contact = "<sip:\(user)@h>;+sip.instance=\"\(instance)\""
        _ = try set.apply(RegisterFixture.request([contact], cseq: cseq, callID: callID), BindingSet.Policy(), now: now)
    }

    private func token(_ binding: Binding, nonce: UInt8) throws -> String {
        try tokens.token(
            extensionID: "ext_1", instanceID: binding.instanceID ?? "", generation: binding.generation ?? 0,
            nonce: [UInt8](repeating: nonce, count: SealedBox.nonceLength))
    }

    @Test(
        "§3.1.1: the public one is the address of record with the instance, escaped as a URI parameter",
        arguments: [
            ("<urn:uuid:f81d4fae-7dec>", "sip:1001@demo.localhost;gr=urn:uuid:f81d4fae-7dec"),
            ("<urn:imei:1;vers=2>", "sip:1001@demo.localhost;gr=urn:imei:1%3Bvers%3D2"),
            ("<urn:x:a@b c>", "sip:1001@demo.localhost;gr=urn:x:a%40b%20c"),
        ])
    func publicURI(_ instance: String, _ expected: String) throws {
        let text = GRUU.publicURI(number: "1001", domain: "demo.localhost", instanceID: instance)
        #expect(text == expected)
        let gr = try #require(URI(text)?.parameters["gr"])
        #expect(GRUU.matches(gr, instance) && GRUU.matches(gr.uppercased(), instance) && !GRUU.matches(gr + "0", instance))
    }

    @Test("§5.1: with Supported: gruu every contact with an instance gets both; without it none does", arguments: [true, false])
    func answer(_ isAskedFor: Bool) throws {
        var set = BindingSet()
        let message = try RegisterFixture.message(
            ["<sip:a@h>;+sip.instance=\"<urn:uuid:1>\"", "<sip:b@h>"], headers: isAskedFor ? ["Supported: gruu, path"] : [])
        let request = try RegisterRequest(message)
        _ = try set.apply(request, BindingSet.Policy(), now: 0)
        let answer = try Message.parse(
            RegisterAnswer.success(message, request, set, now: 0) {
                GRUU.temporaryURI(token: "t\($0.contact.count)", domain: "demo.localhost")
            }.serialised())
        guard case .list(let contacts) = answer.contacts else {
            Issue.record("the answer's contacts cannot be read")
            return
        }
        let found = contacts.map { [$0.parameters["pub-gruu"], $0.parameters["temp-gruu"]] }
        #expect(found == [isAskedFor ? ["sip:1001@demo.localhost;gr=urn:uuid:1", "sip:t7@demo.localhost;gr"] : [nil, nil], [nil, nil]])
    }

    @Test("§3.1.2: two temporary ones of a phone have nothing in common, and name neither number nor instance")
    func unlinkable() throws {
        var set = BindingSet()
        try register(&set, "a", instance: instance, callID: "a@phone", at: 1)
        let (first, second) = (try token(set.bindings[0], nonce: 1), try token(set.bindings[0], nonce: 2))
        #expect(first != second && first.prefix(8) != second.prefix(8) && first.suffix(16) != second.suffix(16))
        #expect(first.utf8.count < 128 && URI("sip:\(first)@demo.localhost;gr")?.decodedUser == first)
        for each in [first, second] { #expect(try #require(tokens.open(each)).names(set.bindings[0])) }
    }

    @Test("§5.1: temporary ones end with a REGISTER of another Call-ID, and do not come back with the old one")
    func generations() throws {
        var set = BindingSet()
        try register(&set, "a", instance: instance, callID: "a@phone", at: 1)
        let first = try #require(tokens.open(try token(set.bindings[0], nonce: 1)))
        try register(&set, "a", instance: instance, callID: "a@phone", cseq: 2, at: 2)
        #expect(first.names(set.bindings[0]), "a refresh keeps them")
        try register(&set, "a", instance: instance, callID: "b@phone", at: 2)
        #expect(!first.names(set.bindings[0]))
        try register(&set, "a", instance: instance, callID: "a@phone", cseq: 3, at: 2)
        #expect(!first.names(set.bindings[0]))
    }

    @Test("§5.4: a registration that ended and began again makes the old ones no good")
    func expiry() throws {
        var set = BindingSet()
        try register(&set, "a", instance: instance, callID: "a@phone", at: 1)
        let old = try #require(tokens.open(try token(set.bindings[0], nonce: 1)))
        _ = set.removeExpired(now: .max)
        try register(&set, "a", instance: instance, callID: "a@phone", cseq: 2, at: 700_000)
        #expect(!old.names(set.bindings[0]))
    }

    @Test(
        "a token of another key, a changed one and any text are not ours",
        arguments: ["", "1001", "AAAA", String(repeating: "A", count: 300)])
    func foreign(_ text: String) throws {
        #expect(tokens.open(text) == nil)
        var set = BindingSet()
        try register(&set, "a", instance: instance, callID: "a@phone", at: 1)
        let token = try token(set.bindings[0], nonce: 1)
        #expect(TemporaryGRUU(key: [UInt8](repeating: 8, count: 32)).open(token) == nil)
        #expect(tokens.open(String(token.reversed())) == nil)
    }

    @Test("§5.3: a GRUU reaches its instance only, at the contact registered last")
    func routing() throws {
        var set = BindingSet()
        try register(&set, "desk", instance: "<urn:uuid:1>", callID: "a@phone", at: 1)
        try register(&set, "mobile", instance: "<urn:uuid:2>", callID: "b@phone", at: 2)
        try register(&set, "desk-again", instance: "<urn:uuid:1>", callID: "a@phone", cseq: 2, at: 3)
        func reached(_ dialled: DialledExtension) -> [[String]] {
            dialled.targets(of: set, now: 4).map { $0.flows.map(\.contact) }
        }
        #expect(reached(.instance(number: "1001", gr: "urn:uuid:1")) == [["sip:desk-again@h", "sip:desk@h"]])
        #expect(reached(.instance(number: "1001", gr: "URN:UUID:2")) == [["sip:mobile@h"]])
        #expect(reached(.instance(number: "1001", gr: "urn:uuid:3")).isEmpty)
        let temporary = try #require(tokens.open(try token(set.bindings[1], nonce: 9)))
        #expect(reached(.temporary(number: "1001", temporary)) == [["sip:mobile@h"]])
        #expect(reached(.whole(number: "1001")).count == 3)
    }

    @Test(
        "what is dialled is read from the URI and from its text alike",
        arguments: [
            ("1001", DialledNumber(user: "1001")), ("1001;gr=urn:uuid:1", DialledNumber(user: "1001", isGRUU: true, gr: "urn:uuid:1")),
            ("token;gr", DialledNumber(user: "token", isGRUU: true)),
            ("1001;user=phone;gr=x", DialledNumber(user: "1001", isGRUU: true, gr: "x")), ("1001;group=x", DialledNumber(user: "1001")),
            ("", DialledNumber(user: "")), ("1001;gr=", DialledNumber(user: "1001", isGRUU: true)),
        ])
    func dialled(_ text: String, _ expected: DialledNumber) {
        #expect(DialledNumber(text) == expected)
        #expect(DialledNumber(expected.text) == expected)
    }

    @Test(
        "RFC 3261 §25.1 qvalue: read in decimals only, printed without an exponent",
        arguments: [
            ("0.3", "0.3"), ("1", "1"), ("1.000", "1"), ("0", "0"), ("0.", "0"), (".5", "0.5"), ("0.25", "0.25"), ("0.00001", "0"),
            ("0.001", "0.001"), ("0.3333", "0.333"), ("0.9999", "1"), ("1e-05", nil), ("-0.1", nil), ("1.1", nil), ("", nil), (".", nil),
            ("nan", nil), ("0x1", nil), ("0.1.2", nil), ("+1", nil),
        ] as [(String, String?)])
    func quality(_ text: String, _ printed: String?) { #expect(QualityValue(text)?.description == printed) }

    @Test("RFC 8599 §4: the push parameters are read from the contact's URI")
    func push() throws {
        let uri = try #require(URI("sip:a@h;pn-provider=fcm;pn-prid=abc%3A1;pn-param=project"))
        #expect(try PushParameters.read(uri) == .init(provider: "fcm", prid: "abc:1", parameter: "project"))
        #expect(try PushParameters.read(try #require(URI("sip:a@h;transport=tcp"))) == nil)
        #expect(try PushParameters.read(try #require(URI("sip:a@h;pn-provider"))) == nil, "§4.1.1: only a question")
        let answer = try PushParameters.read(try #require(URI("sip:a@h;pn-provider=apns")))
        #expect(answer?.prid == nil && answer?.provider == "apns")
    }
}
