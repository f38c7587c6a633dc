import Addresses
import Testing

@Suite("Addresses")
struct AddressesTests {
    @Test(
        "RFC 4291 §2.2: the ways to write an IPv6 address",
        arguments: [
            ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", 0xabcd_ef01_2345_6789, 0xabcd_ef01_2345_6789),
            ("2001:DB8:0:0:8:800:200C:417A", 0x2001_0db8_0000_0000, 0x0008_0800_200c_417a),
            ("2001:DB8::8:800:200C:417A", 0x2001_0db8_0000_0000, 0x0008_0800_200c_417a),
            ("FF01::101", 0xff01_0000_0000_0000, 0x101),
            ("::1", 0, 1),
            ("::", 0, 0),
            ("1::", 0x0001_0000_0000_0000, 0),
            ("0:0:0:0:0:0:13.1.68.3", 0, 0x0d01_4403),
            ("[::1]", 0, 1),
        ] as [(String, UInt64, UInt64)])
    func ipv6(_ text: String, _ high: UInt64, _ low: UInt64) throws {
        let address = try #require(IPAddress(text))
        #expect((address.high, address.low) == (high, low))
        #expect(!address.isIPv4)
    }

    @Test("RFC 4291 §2.5.5.2: an IPv4-mapped address is the IPv4 address")
    func mapped() throws {
        let mapped = try #require(IPAddress("::FFFF:129.144.52.38"))
        #expect(mapped.isIPv4)
        #expect(mapped == IPAddress("129.144.52.38"))
        #expect(mapped.description == "129.144.52.38")
    }

    @Test(
        "What is no address is a name, or nothing",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1..2.3", "1.2.3.0004", "localhost", ":", ":::", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "1:", ":1", "::1.2.3", "1.2.3.4::", "[::1", "::1%eth0",
        ])
    func refused(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("Every address reads back as it is written", arguments: ["0.0.0.0", "255.255.255.255", "2001:db8::1"])
    func roundTrip(_ text: String) {
        #expect(IPAddress(text)?.description == text)
    }

    @Test(
        "RFC 5952 §4: lower case, no leading zeros, the first longest run of zeros shortened, never a single one",
        arguments: [
            ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0db8:0001:0000:0001:0002:0003:0004", "2001:db8:1:0:1:2:3:4"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("0:0:0:0:0:0:0:0", "::"), ("0:0:0:0:0:0:0:1", "::1"), ("1:0:0:0:0:0:0:0", "1::"), ("fe80:0:0:0:a:b:c:d", "fe80::a:b:c:d"),
            ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"), ("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"),
        ])
    func canonical(_ text: String, _ canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        let written = [UInt8](unsafeUninitializedCapacity: 39) { buffer, count in
            var output = OutputSpan(buffer: buffer, initializedCount: 0)
            address.write(into: &output)
            count = output.finalize(for: buffer)
        }
        #expect(String(decoding: written, as: UTF8.self) == canonical)
    }

    @Test("A socket address has a port, and brackets where the address has colons")
    func socketAddresses() {
        let table: [(String, String?)] = [
            ("127.0.0.1:5060", "127.0.0.1:5060"), ("[::1]:5061", "[::1]:5061"), ("127.0.0.1:65536", nil), ("127.0.0.1:", nil),
            ("127.0.0.1", nil), ("host:5060", nil), (":5060", nil), ("", nil),
        ]
        for (text, written) in table { #expect(SocketAddress(text)?.description == written, "\(text)") }
    }

    @Test(
        "RFC 6890: addresses that must not be reached on a customer's behalf",
        arguments: [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.2.1",
            "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1", "2002:7f00:1::",
            "2001::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1",
        ])
    func notRoutable(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!address.isPubliclyRoutable)
    }

    @Test("Public addresses may be reached", arguments: ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
    func routable(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.isPubliclyRoutable)
    }
}
