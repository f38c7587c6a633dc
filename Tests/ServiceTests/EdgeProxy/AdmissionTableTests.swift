import Addresses
import Deadlines
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy admission: keys, tables and buckets")
struct AdmissionTableTests {
    private static func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds) }
    private let hash = KeyedHash(key: 0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

    @Test(
        "SipHash-1-3 of the bytes 0, 1, 2 ... under the key of its authors",
        arguments: [
            (0, 0xabac_0158_050f_c4dc as UInt64), (7, 0xd392_7d98_9bb1_1140), (8, 0x3690_9511_8d29_9a8e),
            (15, 0xd320_d86d_2a51_9956), (16, 0xcc4f_dd1a_7d90_8b66),
        ])
    func keyedHash(length: Int, expected: UInt64) {
        let bytes = (0..<length).map { UInt8($0) }
        #expect(hash.hash(bytes.span) == expected)
        if length == 16 { #expect(hash.hash(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908) == expected) }
    }

    @Test("A name hashes by its user and its domain, whose case is nothing")
    func names() {
        #expect(hash.hash(user: "1001", domain: "Demo.Localhost") == hash.hash(user: "1001", domain: "demo.localhost"))
        #expect(hash.hash(user: "Ann", domain: "a") != hash.hash(user: "ann", domain: "a"))
        #expect(hash.hash(user: "", domain: "a") == hash.hash(Array("@a".utf8).span))
    }

    @Test("A full table replaces the stalest, and only where the new key falls")
    func stalest() {
        var table = StalestTable<Int>(capacity: 8, empty: 0)
        #expect(table.capacity == 8)
        for key in 1...8 { table.update(UInt64(key), now: Self.at(key)) { $0 = key } }
        table.update(1, now: Self.at(9)) { $0 += 10 }
        table.update(99, now: Self.at(10)) { $0 = 99 }
        #expect(table.find(2) == nil)
        #expect(table.find(1) == 11)
        #expect(table.find(99) == 99)
        #expect(table.updateIfRoom(100, now: Self.at(11)) { $0 = 1 } == nil)
        table.remove(99)
        #expect(table.updateIfRoom(100, now: Self.at(11)) { $0 = 1 } != nil)
        #expect(table.updateKnown(5, now: Self.at(12)) { $0 } == 5)
        #expect(table.updateKnown(99, now: Self.at(12)) { $0 } == nil)
    }

    @Test("The key zero is a key like any other")
    func zero() {
        var table = StalestTable<Int>(capacity: 16, empty: 7)
        #expect(table.find(0) == nil)
        table.update(0, now: Self.at(0)) { $0 += 1 }
        #expect(table.find(0) == 8)
    }

    @Test("A bucket gives its burst at once, then its rate, and never saves up more than the burst")
    func bucket() {
        var bucket = TokenBucket()
        let rate = TokenRate(perSecond: 10, burst: 5)
        func taken(_ attempts: Int, at time: Int) -> Int {
            (0..<attempts).count { _ in bucket.take(rate, now: Self.at(time)) }
        }
        #expect(taken(20, at: 0) == 5)
        #expect(taken(20, at: 99) == 0)
        #expect(taken(20, at: 100) == 1)
        #expect(taken(20, at: 400) == 3)
        #expect(taken(20, at: 60_000) == 5)
        bucket.refund(2, rate)
        #expect(taken(20, at: 60_000) == 2)
        bucket.refund(1_000, rate)
        #expect(taken(20, at: 60_000) == 5)
    }

    @Test(
        "A rate is written RATE/BURST, or 0 for none",
        arguments: [
            ("50/500", TokenRate(perSecond: 50, burst: 500)), ("0", .unlimited), ("", nil), ("50", nil), ("0/5", nil),
            ("-1/5", nil), ("5/0", nil), ("a/b", nil), ("1/2/3", nil),
        ] as [(String, TokenRate?)])
    func rates(text: String, expected: TokenRate?) { #expect(TokenRate(text) == expected) }

    @Test("A network holds the addresses that begin like it, of its own family only")
    func ranges() throws {
        func contains(_ range: String, _ address: String) throws -> Bool {
            try #require(AddressRange(range)).contains(try #require(IPAddress(address)))
        }
        #expect(try contains("10.0.0.0/8", "10.255.1.2"))
        #expect(try !contains("10.0.0.0/8", "11.0.0.0"))
        #expect(try contains("192.0.2.7", "192.0.2.7"))
        #expect(try !contains("192.0.2.7", "192.0.2.6"))
        #expect(try contains("0.0.0.0/0", "8.8.8.8"))
        #expect(try !contains("0.0.0.0/0", "2001:db8::1"))
        #expect(try contains("2001:db8::/32", "2001:db8:1::5"))
        #expect(try !contains("2001:db8::/32", "2001:db9::5"))
        #expect(try contains("2001:db8::5/128", "2001:db8::5"))
        #expect(try !contains("2001:db8::5", "2001:db8::4"))
        #expect(try contains("::/0", "2001:db8::4"))
        for text in ["", "10.0.0.0/33", "x", "10.0.0.0/", "::/129", "10.0.0.0/-1"] { #expect(AddressRange(text) == nil) }
    }

    @Test("A source is an IPv4 address or a /64, its network a /24 or a /48")
    func sources() throws {
        func source(_ text: String) throws -> Source { Source(try #require(IPAddress(text)), hash) }
        let first = try source("192.0.2.1")
        #expect(try source("192.0.2.2").key != first.key)
        #expect(try source("192.0.2.2").network == first.network)
        #expect(try source("192.0.3.1").network != first.network)
        let six = try source("2001:db8:1:1::1")
        #expect(try source("2001:db8:1:1:ffff::2").key == six.key)
        #expect(try source("2001:db8:1:2::1").key != six.key)
        #expect(try source("2001:db8:1:2::1").network == six.network)
        #expect(try source("2001:db8:2:1::1").network != six.network)
    }
}
