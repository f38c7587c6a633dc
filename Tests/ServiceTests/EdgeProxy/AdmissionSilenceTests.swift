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
            ("Yealink SIP-T46S", false), ("", false), ("friendly scanner", false), ("sipsipcli", true),
        ])
    func scanners(agent: String, expected: Bool) {
        let signs = ScannerSigns(["Friendly-Scanner", "sipvicious", "sipcli", ""])
        #expect(signs.matches(Array(agent.utf8).span) == expected)
    }

    @Test("No sign, no scanner") func noSigns() { #expect(ScannerSigns([]).matches(Array("sipcli".utf8).span) == false) }

    @Test(
        "RFC 5031: emergencies are the service sos with all that stands below it, and the numbers of the country",
        arguments: [
            ("urn:service:sos", true), ("URN:service:SOS.fire", true), ("urn:service:sosx", false), ("urn:service:so", false),
            ("urn:service:counseling", false), ("sip:112@a", false),
        ])
    func emergencies(uri: String, expected: Bool) {
        let numbers = EmergencyNumbers(["112", "911"])
        #expect(numbers.contains(uri: Array(uri.utf8).span) == expected)
        #expect(numbers.contains(user: "112") == true)
        #expect(numbers.contains(user: "1121") == false)
    }

    @Test("A domain nobody has heard of is asked for once, and silence until the answer and after a no")
    func domains() {
        var domains = KnownDomains(.init())
        #expect(domains.find(1, now: Self.at(0)) == .ask)
        #expect(domains.find(1, now: Self.at(1)) == .unknown)
        domains.learn(1, isKnown: true, now: Self.at(10))
        #expect(domains.find(1, now: Self.at(11)) == .known)
        #expect(domains.find(2, now: Self.at(11)) == .ask)
        domains.learn(2, isKnown: false, now: Self.at(12))
        #expect(domains.find(2, now: Self.at(30_011)) == .unknown)
        #expect(domains.find(2, now: Self.at(30_012)) == .ask)
        #expect(domains.find(2, now: Self.at(32_012)) == .ask)
    }

    @Test("Who was known is served while the Registrar is asked again; events and its absence change the mind")
    func renewal() {
        var domains = KnownDomains(.init())
        domains.learn(1, isKnown: true, now: Self.at(0))
        #expect(domains.find(1, now: Self.at(300_000)) == .ask)
        #expect(domains.find(1, now: Self.at(300_001)) == .known)
        domains.learn(1, isKnown: false, now: Self.at(300_002))
        #expect(domains.find(1, now: Self.at(300_003)) == .unknown)
        domains.forget(1)
        #expect(domains.find(1, now: Self.at(300_004)) == .ask)
        domains.learn(1, isKnown: nil, now: Self.at(300_005))
        #expect(domains.find(1, now: Self.at(300_006)) == .known)
    }

    @Test("Invented domains cost the Registrar a bounded number of questions and push out no real one")
    func inventedDomains() {
        var domains = KnownDomains(.init(capacity: 64))
        domains.learn(.max, isKnown: true, now: Self.at(0))
        let asked = (1...10_000).count { domains.find(UInt64($0), now: Self.at(1_000)) == .ask }
        #expect(asked == 100)
        #expect(domains.find(.max, now: Self.at(1_001)) == .known)
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

    @Test("V17: of several answers the first that is not too long for what was asked, or none")
    func amplification() {
        let limit = AmplificationLimit()
        #expect(limit.admits(600, to: 400))
        #expect(!limit.admits(601, to: 400))
        #expect(limit.choose([700, 500, 300], for: 500) == 0)
        #expect(limit.choose([700, 500, 300], for: 400) == 1)
        #expect(limit.choose([700, 500, 300], for: 200) == 2)
        #expect(limit.choose([700, 500, 300], for: 199) == nil)
        #expect(AmplificationLimit(percent: 0).choose([9_000], for: 1) == 0)
    }
}
