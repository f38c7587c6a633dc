import Addresses
import DTLS
import Deadlines
import FoundationEssentials
import ICE
import MediaSession
import SRTP
import Testing

/// Two transports and the network between them, in virtual time: a relay, which is lite and waits, and a browser, which checks and begins.
private struct Pair: ~Copyable {
    static let relayAddress = SocketAddress(IPAddress(v4: 0xc000_0201), port: 30_000)
    static let browserAddress = SocketAddress(IPAddress(v4: 0xc633_6401), port: 50_000)
    static let (relayEndpoint, browserEndpoint) = (Endpoint(.make(now: 1_700_000_000)), Endpoint(.make(now: 1_700_000_000)))

    var relay = MediaTransport(base: relayAddress)
    var browser = MediaTransport(base: browserAddress)
    var now = Instant(nanoseconds: 1_000_000_000)
    /// Every how-manieth datagram is lost; 0: none.
    var lossPeriod = 0
    private var sent = 0
    var relayEvents: [MediaTransport.Event] = []

    init(expecting fingerprint: DTLS.Fingerprint? = nil) {
        let (own, other) = (Credentials(random: (1, 2, 3)), Credentials(random: (4, 5, 6)))
        var (lite, full) = (
            ICE.Agent(mode: .lite, role: .controlled, local: own, random: (7, 8)), ICE.Agent(mode: .full, role: .controlling, local: other, random: (9, 10))
        )
        lite.addLocal(Candidate(Self.relayAddress), now: now)
        full.addLocal(Candidate(Self.browserAddress), now: now)
        relay.use(lite)
        browser.use(full)
        let time = now
        relay.withAgent { agent, outbox in _ = agent.setRemote(other, now: time, into: &outbox) }
        browser.withAgent { agent, outbox in
            agent.setRemote(own, isLite: true, now: time, into: &outbox)
            agent.addRemote(Candidate(Self.relayAddress), now: time)
            agent.endOfCandidates(now: time, into: &outbox)
        }
        relay.shake(Self.relayEndpoint, .passive, [fingerprint ?? Self.browserEndpoint.certificate.fingerprint])
        browser.shake(Self.browserEndpoint, .active, [Self.relayEndpoint.certificate.fingerprint])
        relay.begin(now: now)
        browser.begin(now: now)
    }

    /// Until both have keys, or the time is over.
    mutating func run(for duration: Interval = .seconds(20)) {
        let end = now + duration
        while now < end, !(relay.isKeyed && browser.isKeyed) {
            exchange()
            now = now + .milliseconds(10)
            relay.expire(now: now)
            browser.expire(now: now)
        }
        exchange()
    }

    /// Whatever happens in that time.
    mutating func pass(_ duration: Interval) {
        let end = now + duration
        while now < end {
            exchange()
            now = now + .milliseconds(20)
            relay.expire(now: now)
            browser.expire(now: now)
        }
        exchange()
    }

    mutating func exchange() {
        while relay.hasOutgoing || browser.hasOutgoing {
            for datagram in browser.takeOutgoing() where datagram.to == Self.relayAddress && !isLost() {
                var bytes = datagram.bytes
                var span = bytes.mutableSpan
                _ = relay.receive(&span, count: datagram.bytes.count, from: Self.browserAddress, now: now)
            }
            for datagram in relay.takeOutgoing() where datagram.to == Self.browserAddress && !isLost() {
                var bytes = datagram.bytes
                var span = bytes.mutableSpan
                _ = browser.receive(&span, count: datagram.bytes.count, from: Self.relayAddress, now: now)
            }
            relayEvents += relay.takeEvents()
            _ = browser.takeEvents()
        }
    }

    private mutating func isLost() -> Bool {
        sent += 1
        return lossPeriod > 0 && sent % lossPeriod == 0
    }
}

private let packet: [UInt8] = [0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9] + [UInt8](repeating: 0x55, count: 160)

@Suite("The transport of a leg (RFC 7983)")
struct MediaTransportTests {
    @Test("RFC 8445, RFC 5764: checks find the path, a handshake the keys, and packets pass protected, whatever is lost", arguments: [0, 3, 5, 7])
    func comesUp(lossPeriod: Int) throws {
        var pair = Pair()
        pair.lossPeriod = lossPeriod
        pair.run()
        #expect(pair.relay.path == Pair.browserAddress && pair.relayEvents.contains(.path(Pair.browserAddress)))
        let (relaySuite, browserSuite) = (pair.relay.suite, pair.browser.suite)
        #expect(relaySuite == .aeadAES128GCM && browserSuite == relaySuite)

        var bytes = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        var span = bytes.mutableSpan
        let length = try #require(pair.browser.protect(&span, count: packet.count))
        let wire = Array(bytes.prefix(length))
        #expect(Array(wire[12..<172]) != Array(packet[12...]))

        // A stranger who has seen it, a flipped bit and the phone: only the last is heard, once.
        let stranger = SocketAddress(IPAddress(v4: 0xc633_6402), port: 50_000)
        var flipped = wire
        flipped[20] ^= 1
        #expect(Self.receive(wire, from: stranger, &pair.relay, pair.now) == .dropped(.stranger))
        #expect(Self.receive(flipped, from: Pair.browserAddress, &pair.relay, pair.now) == .dropped(.unauthentic))
        #expect(Self.receive(wire, from: Pair.browserAddress, &pair.relay, pair.now) == .sound(packet.count))
        #expect(Self.receive(wire, from: Pair.browserAddress, &pair.relay, pair.now) == .dropped(.replayed))
    }

    @Test("RELIABILITY V5: another certificate than the description's gives no keys")
    func wrongFingerprint() {
        var pair = Pair(expecting: Pair.relayEndpoint.certificate.fingerprint)
        pair.run(for: .seconds(3))
        let isKeyed = pair.relay.isKeyed
        #expect(!isKeyed && pair.relayEvents.contains(.failed(.wrongFingerprint)))
        #expect(Self.receive(packet, from: Pair.browserAddress, &pair.relay, pair.now) == .dropped(.unkeyed))
    }

    @Test("RELIABILITY V4: a handshake is begun with nobody whom checks have not validated")
    func strangersHandshake() {
        var pair = Pair()
        let hello: [UInt8] = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0]
        #expect(Self.receive(hello, from: Pair.browserAddress, &pair.relay, pair.now) == .dropped(.stranger))
        let isSilent = pair.relay.takeOutgoing().isEmpty
        #expect(isSilent)
    }

    @Test("RFC 7675 §5.1: when checks stop for 30 seconds nothing is sent any more")
    func consentEnds() {
        var pair = Pair()
        pair.run()
        pair.pass(.seconds(60))
        let path = pair.relay.path
        #expect(path == Pair.browserAddress && !pair.relayEvents.contains(.consentLost))
        pair.lossPeriod = 1
        pair.pass(.seconds(31))
        let lost = pair.relay.path
        #expect(lost == nil && pair.relayEvents.contains(.consentLost))
    }

    @Test("RFC 5245 §10: packets with the right tag stand for checks")
    func mediaConsents() throws {
        var pair = Pair()
        pair.run()
        pair.lossPeriod = 1
        for number in UInt8(1)...10 {
            pair.pass(.seconds(10))
            let wire = try Self.protected(by: &pair.browser, sequence: number)
            #expect(Self.receive(wire, from: Pair.browserAddress, &pair.relay, pair.now) == .sound(packet.count))
        }
        let path = pair.relay.path
        #expect(path == Pair.browserAddress)
    }

    @Test("RFC 8842 §3.1: a client that shakes hands anew with the same certificate is followed; till then the old keys serve", arguments: [0, 3, 5])
    func newAssociation(lossPeriod: Int) throws {
        var pair = Pair()
        pair.run()
        let before = try Self.protected(by: &pair.browser, sequence: 1)
        pair.lossPeriod = lossPeriod
        pair.browser.shake(Pair.browserEndpoint, .active, [Pair.relayEndpoint.certificate.fingerprint])
        let isStillKeyed = pair.browser.isKeyed && pair.relay.isKeyed
        #expect(isStillKeyed)
        pair.browser.begin(now: pair.now)
        pair.pass(.seconds(10))
        #expect(Self.receive(before, from: Pair.browserAddress, &pair.relay, pair.now) == .dropped(.unauthentic))
        let after = try Self.protected(by: &pair.browser, sequence: 2)
        #expect(Self.receive(after, from: Pair.browserAddress, &pair.relay, pair.now) == .sound(packet.count))
        #expect(!pair.relayEvents.contains { if case .failed = $0 { true } else { false } })
    }

    @Test("RELIABILITY V4, V5: nobody else's handshake on an established path changes its keys")
    func strangersAssociation() throws {
        var pair = Pair()
        pair.run()
        // The right path, another certificate.
        var thief = MediaTransport(base: Pair.browserAddress)
        thief.aim(at: Pair.relayAddress)
        thief.shake(Endpoint(.make(now: 1_700_000_000)), .active, [Pair.relayEndpoint.certificate.fingerprint])
        thief.begin(now: pair.now)
        for _ in 0..<200 {
            for datagram in thief.takeOutgoing() { _ = Self.receive(datagram.bytes, from: Pair.browserAddress, &pair.relay, pair.now) }
            for datagram in pair.relay.takeOutgoing() { _ = Self.receive(datagram.bytes, from: Pair.relayAddress, &thief, pair.now) }
            pair.now = pair.now + .milliseconds(50)
            thief.expire(now: pair.now)
            pair.relay.expire(now: pair.now)
        }
        let wire = try Self.protected(by: &pair.browser, sequence: 1)
        #expect(Self.receive(wire, from: Pair.browserAddress, &pair.relay, pair.now) == .sound(packet.count))
        // And the phone itself may still begin anew.
        pair.browser.shake(Pair.browserEndpoint, .active, [Pair.relayEndpoint.certificate.fingerprint])
        pair.browser.begin(now: pair.now)
        pair.pass(.seconds(10))
        let after = try Self.protected(by: &pair.browser, sequence: 2)
        #expect(Self.receive(after, from: Pair.browserAddress, &pair.relay, pair.now) == .sound(packet.count))
    }

    @Test("RELIABILITY V27: forked answers that go back to a line left before use no index of its key twice")
    func lineComesBack() throws {
        var transport = MediaTransport(base: Pair.relayAddress)
        let (first, second, theirs) = (Self.key(1), Self.key(2), Self.key(3))
        var reports: [[UInt8]] = []
        for sending in [first, second, first, second] {
            transport.key(sending: sending, receiving: theirs)
            var bytes: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 9] + [UInt8](repeating: 0, count: MediaTransport.overhead)
            var span = bytes.mutableSpan
            let length = try #require(transport.protectControl(&span, count: 8))
            reports.append(Array(bytes.prefix(length)))
        }
        #expect(Set(reports).count == 4)
        // An index is its packet's last four bytes before the tag.
        #expect(reports.map { $0[11] } == [0, 0, 1, 1])
        var wire = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        var span = wire.mutableSpan
        let isSent = transport.protect(&span, count: packet.count) != nil
        transport.key(sending: first, receiving: nil)
        transport.key(sending: second, receiving: nil)
        var again = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        var place = again.mutableSpan
        let isSentAgain = transport.protect(&place, count: packet.count) != nil
        #expect(isSent && !isSentAgain)
    }

    @Test("RFC 8445 §2.5: towards a lite agent we check and nominate, and the call comes up", arguments: [0, 3, 5])
    func fullTowardsLite(lossPeriod: Int) {
        // The same pair: what it calls browser is our full side here, and its relay the lite phone.
        var pair = Pair()
        pair.lossPeriod = lossPeriod
        pair.run()
        let (path, isKeyed) = (pair.browser.path, pair.browser.isKeyed)
        let role = pair.browser.agent?.role
        #expect(path == Pair.relayAddress && isKeyed && role == .controlling)
    }

    private static func protected(by transport: inout MediaTransport, sequence: UInt8) throws -> [UInt8] {
        var bytes = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        bytes[3] = sequence
        var span = bytes.mutableSpan
        let length = try #require(transport.protect(&span, count: packet.count))
        return Array(bytes.prefix(length))
    }

    @Test("RFC 4568: keys of the description protect at once, and others drop what the old ones made")
    func keys() throws {
        let (first, second, third) = (Self.key(1), Self.key(2), Self.key(3))
        var left = MediaTransport(base: Pair.relayAddress)
        var right = MediaTransport(base: Pair.browserAddress)
        left.key(sending: first, receiving: second)
        right.key(sending: second, receiving: first)
        var bytes = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        var span = bytes.mutableSpan
        let length = try #require(left.protect(&span, count: packet.count))
        #expect(Self.receive(Array(bytes.prefix(length)), from: Pair.relayAddress, &right, Instant(nanoseconds: 0)) == .sound(packet.count))
        right.key(sending: nil, receiving: third)
        #expect(Self.receive(Array(bytes.prefix(length)), from: Pair.relayAddress, &right, Instant(nanoseconds: 0)) == .dropped(.unauthentic))
    }

    @Test("RELIABILITY §4.5: a successor answers checks, opens and protects with the same keys, says no goodbye, and takes no other handshake")
    func survives() throws {
        var pair = Pair()
        pair.run()
        func protected(_ sequence: UInt8, _ transport: inout MediaTransport) throws -> [UInt8] {
            var plain = packet
            plain[3] = sequence
            var bytes = plain + [UInt8](repeating: 0, count: MediaTransport.overhead)
            var span = bytes.mutableSpan
            let length = try #require(transport.protect(&span, count: plain.count))
            return Array(bytes.prefix(length))
        }
        let (old, theirs) = (try protected(7, &pair.relay), try protected(1, &pair.browser))
        #expect(Self.receive(theirs, from: Pair.browserAddress, &pair.relay, pair.now) == .sound(packet.count))
        var position = MediaTransport.KeyPosition()
        pair.relay.write(&position)
        let kept = try JSONEncoder().encode(pair.relay.makeRecord())
        let record = try JSONDecoder().decode(MediaTransport.Record.self, from: kept)
        let fingerprint = Pair.browserEndpoint.certificate.fingerprint
        pair.relay = MediaTransport(
            resuming: record, position, handshake: (Pair.relayEndpoint, .passive, [fingerprint]), random: (21, 22), now: pair.now)
        #expect(pair.relay.path == Pair.browserAddress)
        let isSilent = pair.relay.takeOutgoing().isEmpty
        #expect(isSilent)

        // The next number, never the last one again.
        var again = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        again[3] = 7
        var span = again.mutableSpan
        let repeated = pair.relay.protect(&span, count: packet.count)
        #expect(repeated == nil)
        #expect(Self.receive(old, from: Pair.relayAddress, &pair.browser, pair.now) == .sound(packet.count))
        #expect(Self.receive(try protected(8, &pair.relay), from: Pair.relayAddress, &pair.browser, pair.now) == .sound(packet.count))
        #expect(Self.receive(theirs, from: Pair.browserAddress, &pair.relay, pair.now) == .dropped(.replayed))
        #expect(Self.receive(try protected(2, &pair.browser), from: Pair.browserAddress, &pair.relay, pair.now) == .sound(packet.count))

        // A minute of consent checks (RFC 7675), and a record of the association that is lost.
        var isConnected = true
        for _ in 0..<600 {
            pair.now = pair.now + .milliseconds(100)
            pair.browser.expire(now: pair.now)
            pair.relay.expire(now: pair.now)
            pair.exchange()
            isConnected = isConnected && pair.browser.path == Pair.relayAddress
        }
        #expect(isConnected)
        let stray: [UInt8] = [23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4]
        #expect(Self.receive(stray, from: Pair.browserAddress, &pair.relay, pair.now) == .dropped(.foreign))
        pair.relay.close()
        let saysNothing = pair.relay.takeOutgoing().isEmpty
        #expect(saysNothing)
    }

    @Test("RELIABILITY V27: keys that were used up to where nobody knows are not used again")
    func unknownPosition() throws {
        var left = MediaTransport(base: Pair.relayAddress)
        left.key(sending: Self.key(1), receiving: Self.key(2))
        let record = left.makeRecord()
        left.key(sending: Self.key(3), receiving: nil)
        var position = MediaTransport.KeyPosition()
        left.write(&position)
        // The newer key was used, and its record did not reach the keeper.
        var successor = MediaTransport(resuming: record, position, handshake: nil, random: (1, 2), now: Instant(nanoseconds: 0))
        var bytes = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        var span = bytes.mutableSpan
        let protected = successor.protect(&span, count: packet.count)
        #expect(protected == nil)
    }

    private static func key(_ byte: UInt8) -> MasterKey? {
        MasterKey(.aes128CounterModeSHA1_80, keyAndSalt: [UInt8](repeating: byte, count: 30))
    }

    private static func receive(
        _ datagram: [UInt8], from source: SocketAddress, _ transport: inout MediaTransport, _ now: Instant
    ) -> MediaTransport.Received {
        var bytes = datagram
        var span = bytes.mutableSpan
        return transport.receive(&span, count: datagram.count, from: source, now: now)
    }
}
