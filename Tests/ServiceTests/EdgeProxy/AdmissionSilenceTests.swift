import Addresses
import Deadlines
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy admission: silence, connections and amplification (RELIABILITY V17, O6)")
struct AdmissionSilenceTests {
    private static func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds) }

    @Test(
        "A scanner is known by a word anywhere in its User-Agent",
        arguments: [
            ("friendly-scanner", true), ("SIPVicious 0.3", true), ("x Friendly-Scanner/1", true), ("sipcl", false),
            ("Yealink SIP-T46S", false), ("", false), ("friendly scanner", false), ("sipsipcli", false),
            ("AcmeSIPClient/2.1", false), ("tool(sipcli)", true), ("sipcli2", false),
        ])
    func scanners(agent: String, expected: Bool) {
        let signs = ScannerSigns(["Friendly-Scanner", "sipvicious", "sipcli", ""])
        #expect(signs.matches(Array(agent.utf8).span) == expected)
    }

    @Test("No sign, no scanner") func noSigns() { #expect(ScannerSigns([]).matches(Array("sipcli".utf8).span) == false) }

    @Test("The numbers of the country are emergencies, longer ones are not")
    func emergencies() {
        let numbers = EmergencyNumbers(["112", "911"])
        #expect(numbers.contains(user: Array("112".utf8).span) == true)
        #expect(numbers.contains(user: Array("1121".utf8).span) == false)
    }

    @Test(
        "RFC 3966 §3: what separates digits for the eye is no part of a number; parameters stand behind it",
        arguments: [
            ("112", true), ("1-1-2", true), ("(1).12", true), ("112;phone-context=example.org", true), ("1-12-;phone-context=+49", true),
            ("11", false), ("1121", false), ("+112", false), ("-.()", false), (";112", false), ("1 12", false), ("", false),
        ])
    func telephoneNumbers(_ text: String, _ isEmergency: Bool) {
        let numbers = EmergencyNumbers(["112", "911", ""])
        #expect(numbers.contains(telephone: Array(text.utf8).span) == isEmergency)
    }

    @Test("the user part of a SIP URI is taken as it is looked up inside: separators count, parameters do not", arguments: [
        ("112;phone-context=+49", true), ("1-12", false), ("1121;phone-context=+49", false),
    ])
    func subscribers(_ text: String, _ isEmergency: Bool) {
        #expect(EmergencyNumbers(["112"]).contains(user: Array(text.utf8).span) == isEmergency)
    }

    @Test("A domain nobody has heard of is asked for once; requests wait for the answer, and get silence after a no")
    func domains() {
        var domains = KnownDomains(.init())
        #expect(domains.find("one", key: 1, now: Self.at(0)) == .asked)
        #expect(domains.find("one", key: 1, now: Self.at(1)) == .asked)
        #expect(domains.takeQuestions() == ["one"])
        #expect(domains.takeQuestions().isEmpty)
        domains.learn(1, isKnown: true, now: Self.at(10))
        #expect(domains.find("one", key: 1, now: Self.at(11)) == .known)
        #expect(domains.find("two", key: 2, now: Self.at(11)) == .asked)
        domains.learn(2, isKnown: false, now: Self.at(12))
        #expect(domains.find("two", key: 2, now: Self.at(30_011)) == .unknown)
        #expect(domains.takeQuestions() == ["two"])
        #expect(domains.find("two", key: 2, now: Self.at(30_012)) == .asked)
        #expect(domains.takeQuestions() == ["two"])
    }

    @Test("Who was known is served while the Registrar is asked again; events and its absence change the mind")
    func renewal() {
        var domains = KnownDomains(.init())
        domains.learn(1, isKnown: true, now: Self.at(0))
        #expect(domains.find("one", key: 1, now: Self.at(299_999)) == .known)
        #expect(domains.questions.isEmpty)
        #expect(domains.find("one", key: 1, now: Self.at(300_000)) == .known)
        #expect(domains.find("one", key: 1, now: Self.at(300_001)) == .known)
        #expect(domains.takeQuestions() == ["one"])
        domains.learn(1, isKnown: false, now: Self.at(300_002))
        #expect(domains.find("one", key: 1, now: Self.at(300_003)) == .unknown)
        domains.forget(1)
        #expect(domains.find("one", key: 1, now: Self.at(300_004)) == .asked)
        domains.learn(1, isKnown: nil, now: Self.at(300_005))
        #expect(domains.find("one", key: 1, now: Self.at(300_006)) == .known)
    }

    @Test("Invented domains cost the Registrar a bounded number of questions and push out no real one")
    func inventedDomains() {
        var domains = KnownDomains(.init(capacity: 64))
        domains.learn(.max, isKnown: true, now: Self.at(0))
        let asked = (1...10_000).count { domains.find("\($0)", key: UInt64($0), now: Self.at(1_000)) == .asked }
        #expect(asked == 100)
        #expect(domains.questions.count == 100)
        #expect(domains.find("other", key: 20_000, now: Self.at(1_001)) == .doubtful)
        #expect(domains.find("real", key: .max, now: Self.at(1_001)) == .known)
    }

    @Test("O6: a source holds as many connections as it may, and gets a place back for each that ends")
    func connections() throws {
        let hash = KeyedHash(key: 1, 2)
        let exempt = try #require(AddressRange("10.0.0.0/8"))
        var count = ConnectionCount(limit: 3, total: 64)
        let source = Source(IPAddress(v4: 0xc000_0201), hash)
        #expect((0..<5).map { _ in count.open(source, now: Self.at(0)) } == [true, true, true, false, false])
        count.close(source, now: Self.at(1))
        #expect(count.held(source) == 2)
        #expect(count.open(source, now: Self.at(2)) == true)
        #expect(count.open(Source(IPAddress(v4: 0xc000_0202), hash), now: Self.at(2)) == true)
        for _ in 0..<3 { count.close(source, now: Self.at(3)) }
        #expect(count.held(source) == 0)
        let inside = Source(IPAddress(v4: 0x0a00_0001), hash, exempt: [exempt])
        let refused = (0..<10).count { _ in !count.open(inside, now: Self.at(4)) }
        #expect(refused == 0)
    }

    @Test("O6: an office from which others authenticate may hold twenty times as many")
    func office() {
        var count = ConnectionCount(limit: 3, knownFactor: 20, total: 512)
        let source = Source(IPAddress(v4: 0xc000_0201), KeyedHash(key: 1, 2))
        let admitted = (0..<100).count { _ in count.open(source, isKnown: true, now: Self.at(0)) }
        #expect(admitted == 60)
    }

    @Test("V17: strangers are answered at most one and a half times what they sent, others as it takes")
    func amplification() {
        var admission = Admission(AdmissionSettings(), seed: (1, 2), connections: 8)
        let source = admission.source(IPAddress(v4: 0xc000_0201))
        #expect(admission.longestAnswer(to: 400, from: source, now: Self.at(0)) == 600)
        admission.authenticated(account: 1, from: source, now: Self.at(0))
        #expect(admission.longestAnswer(to: 400, from: source, now: Self.at(1)) == nil)
        #expect(AmplificationLimit(percent: 0).longestAnswer(to: 1) == nil)
    }

    @Test("A flood of strangers is told of its refusal as far as the budget goes, and who is known always")
    func refusals() {
        var admission = Admission(AdmissionSettings(), seed: (1, 2), connections: 8)
        let told = (0..<10_000).count { admission.mayTell(admission.source(IPAddress(v4: UInt32($0) << 8)), now: Self.at(0)) }
        #expect(told == 400)
        let known = admission.source(IPAddress(v4: 0xc000_0201))
        admission.authenticated(account: 1, from: known, now: Self.at(0))
        #expect(admission.mayTell(known, now: Self.at(0)) == true)
    }
}
