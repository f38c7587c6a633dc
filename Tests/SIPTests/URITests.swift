import Addresses
import SIP
import Testing

@Suite("URI, NameAddress, Via: parse, print, compare")
struct URITests {
    @Test(
        "RFC 3261 §19.1.3: what is read is written again",
        arguments: [
            "sip:alice@atlanta.com", "sip:alice:secretword@atlanta.com;transport=tcp",
            "sips:alice@atlanta.com?subject=project%20x",
            "sip:+1-212-555-1212:1234@gateway.com;user=phone", "sip:1212@gateway.com", "sip:alice@192.0.2.4",
            "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
            "sip:alice;day=tuesday@atlanta.com", "sip:[2001:db8::10]:5070;lr", "tel:+358-555-1234567", "sip:x",
        ])
    func roundTrip(text: String) {
        #expect(URI(text)?.description == text)
    }

    @Test(
        "Malformed URIs are nil",
        arguments: [
            "", "sip:", "sip", ":x", "sip:@host", "sip:a@", "sip:a@b@c", "sip:a@host:70000", "sip:a@host:", "sip:a@host:x",
            "sip:a@[::1",
            "sip:a@host;", "sip:a@host;;lr", "sip:a@host;lr;lr", "sip:a@host;x=", "sip:a b@host", "sip:a%4@host", "sip:a@ho st",
            "1sip:a@host",
            "sip:a@h<ost", "sip:é@host",
        ])
    func malformed(text: String) {
        #expect(URI(text) == nil)
    }

    @Test(
        "§19.1.4: equivalent",
        arguments: [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x"
            ),
            ("sip:a@[::1]", "sip:a@[0:0:0:0:0:0:0:1]"),
        ])
    func equivalent(left: String, right: String) throws {
        let (left, right) = (try #require(URI(left)), try #require(URI(right)))
        #expect(left.isEquivalent(to: right))
        #expect(right.isEquivalent(to: left))
    }

    @Test(
        "§19.1.4: not equivalent",
        arguments: [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"), ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"), ("sip:a@b", "sips:a@b"),
        ])
    func different(left: String, right: String) throws {
        let (left, right) = (try #require(URI(left)), try #require(URI(right)))
        #expect(!left.isEquivalent(to: right))
        #expect(!right.isEquivalent(to: left))
    }

    @Test("An address as the host is where it goes; maddr comes before it")
    func socketAddress() {
        #expect(URI("sip:a@127.0.0.1")?.socketAddress == SocketAddress("127.0.0.1:5060"))
        #expect(URI("sips:a@[::1]")?.socketAddress == SocketAddress("[::1]:5061"))
        #expect(URI("sip:a@name;maddr=127.0.0.2")?.socketAddress == SocketAddress("127.0.0.2:5060"))
        #expect(URI("sip:a@name")?.socketAddress == nil)
    }

    @Test("Any text can be made a user part")
    func escaping() throws {
        let uri = try #require(URI("sip:" + URI.escapedUser("a b@ü:#") + "@host"))
        #expect(uri.decodedUser == "a b@ü:#")
    }

    @Test("§20.10: name-addr and addr-spec")
    func nameAddress() {
        #expect(NameAddress("\"A \\\"x\\\"\" <sip:a@b;lr>;tag=1;q=0.5")?.parameters["q"] == "0.5")
        #expect(NameAddress("sip:a@b;tag=1")?.tag == "1")
        #expect(NameAddress("sip:a@b;tag=1")?.uri.parameters.isEmpty == true)
        #expect(NameAddress("<sip:a@b>;+sip.instance=\"<urn:uuid:1>\"")?.parameters["+sip.instance"] == "<urn:uuid:1>")
        #expect(NameAddress("The Boss <sip:a@b>")?.description == "\"The Boss\" <sip:a@b>")
        for malformed in ["<sip:a@b", "\"x <sip:a@b>", "<sip:a@b> x", "x", "a@b <sip:a@b>", "<sip:a@b>;tag=", "<sip:a@b>;=1"] {
            #expect(NameAddress(malformed) == nil, "\(malformed)")
        }
    }

    @Test("RFC 3581 §4: the response goes to the source when rport asks for it")
    func responseAddress() throws {
        let via = try #require(Via("SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff"))
        let source = try #require(SocketAddress("192.0.2.1:9988"))
        let stamped = try #require(via.stamped(source: source))
        #expect(stamped.description == "SIP/2.0/UDP 10.1.1.1:4540;rport=9988;branch=z9hG4bKkjshdyff;received=192.0.2.1")
        #expect(stamped.responseAddress == source)
        let plain = try #require(Via("SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bK1")?.stamped(source: source))
        #expect(plain.responseAddress == SocketAddress("192.0.2.1:5060"))
        #expect(try #require(Via("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")).stamped(source: source) == nil)
    }

    @Test("RFC 5031 §3, §4.2: emergencies are the service sos and all that stands below it, in any case", arguments: [
        ("urn:service:sos", "urn:service:sos"), ("URN:service:SOS.fire", "urn:service:sos.fire"),
        ("urn:service:sos.animal-control", "urn:service:sos.animal-control"), ("urn:service:sosx", nil), ("urn:service:sos.", nil),
        ("urn:service:sos.fire;x=1", nil), ("urn:service:counseling", nil), ("urn:service:so", nil), ("sip:112@a", nil), ("tel:112", nil),
    ])
    func emergencyServices(text: String, name: String?) throws {
        #expect(try #require(URI(text)).emergencyService == name)
        #expect(EmergencyService.isNamed(by: Array(text.utf8).span) == (name != nil))
    }

    @Test("RFC 3966 §3, §5.1.1: the number of a tel URI has neither parameters nor visual separators", arguments: [
        ("tel:+1-201-555-0123", "+12015550123"), ("tel:7042;phone-context=example.com", "7042"), ("TEL:(03)5555.1234", "0355551234"),
        ("tel:*21#", "*21#"), ("tel:+", nil), ("tel:bob", nil), ("tel:1+2", nil), ("sip:112@a", nil), ("urn:service:sos", nil),
    ])
    func telephoneNumbers(text: String, number: String?) throws {
        #expect(try #require(URI(text)).telephoneNumber == number)
    }

    @Test("RFC 3261 §19.1.4: who is called is what the user part stands for, never what it is spelled like; control characters are nobody", arguments: [
        ("sip:*21%23@a", "*21#"), ("sip:1002@a", "1002"), ("sip:%31%30%30%32@a;gr=urn:uuid:1", "1002"), ("tel:*21#", "*21#"), ("sip:100%25@a", "100%"),
        ("sip:1002%00@a", nil), ("sip:1002%0D%0AVia@a", nil), ("sip:%7f@a", nil), ("sip:a", nil), ("urn:service:sos", nil),
    ])
    func calledUsers(text: String, user: String?) throws {
        let uri = try #require(URI(text))
        #expect(uri.calledUser == user)
        if let user { #expect(URI(URI(calling: user, at: "a").description)?.calledUser == user) }
    }
}
