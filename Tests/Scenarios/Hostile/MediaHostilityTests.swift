import Addresses
import Datagrams
import Deadlines
import Hostile
import Phone
import Suite
import Testing

/// A stranger with sockets of its own, and datagrams of every kind that comes to a port of media.
private final class Stranger {
    private let first: DatagramSocket
    private let second: DatagramSocket
    private let third: DatagramSocket
    private var batch = ReceiveBatch(capacity: 64)
    private var number: UInt32 = 0

    init() throws {
        // Of the host that calls come from, and of others.
        first = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: 0))
        second = try DatagramSocket(bind: SocketAddress(Loopback.address(), port: 0))
        third = try DatagramSocket(bind: SocketAddress(Loopback.address(), port: 0))
    }

    func send(_ bytes: [UInt8], to port: SocketAddress) {
        switch number % 3 {
        case 0: first.send(bytes, to: port)
        case 1: second.send(bytes, to: port)
        default: third.send(bytes, to: port)
        }
        number &+= 1
    }

    /// What has come to any of them.
    func received() -> Int {
        var count = 0
        while first.receive(into: &batch) > 0 { count += batch.count }
        while second.receive(into: &batch) > 0 { count += batch.count }
        while third.receive(into: &batch) > 0 { count += batch.count }
        return count
    }
}

/// Datagrams that could be of a call, and are not.
private enum Bait {
    /// RTP with sound that is never silence.
    static func sound(_ number: Int, ssrc: UInt32 = .random(in: .min ... .max)) -> [UInt8] {
        var packet: [UInt8] = [0x80, 0, UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number), 0, 0, 0, 0]
        for shift in [24, 16, 8, 0] { packet.append(UInt8(truncatingIfNeeded: ssrc >> UInt32(shift))) }
        return packet + (0..<160).map { $0 % 8 < 4 ? 0x10 : 0x90 }
    }

    static let goodbye: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 203, 0, 1, 0, 0, 0, 9]
    static let clientHello: [UInt8] = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 46, 1, 0, 0, 34, 0, 0, 0, 0, 0, 0, 0, 34, 254, 253]
        + [UInt8](repeating: 0x41, count: 32)
    static let alert: [UInt8] = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40]
    static let binding: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 0x41, count: 12)

    /// Each of them whole, cut short at every length, and with each of its first bytes changed.
    static let all: [[UInt8]] = [sound(1), goodbye, clientHello, alert, binding].flatMap { whole in
        [whole] + (0..<min(whole.count, 64)).map { Array(whole.prefix($0)) }
            + (0..<min(whole.count, 24)).flatMap { place in
                [UInt8(0x00), 0x16, 0x80, 0xff].map { octet in
                    var changed = whole
                    changed[place] = octet
                    return changed
                }
            }
    }
}

@Suite("Hostile media at the ports of living calls (RELIABILITY V1-V6)", .timeLimit(.minutes(3)))
struct MediaHostilityTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// How many packets of a phone the relay took, as the record of its call tells when it is over.
    private func packetsTaken(_ query: String, _ direction: String) async throws -> Int {
        var taken = -1
        try await suite.eventually("the record of the call tells") {
            let calls = try await suite.request("GET", "/v1/calls?\(query)&direction=\(direction)").body["data"]?.array ?? []
            guard let count = calls.first?["media"]?["packets_in"]?.integer, calls.count == 1 else { return false }
            taken = Int(count)
            return calls[0]["ended_at"]?.string != nil
        }
        return taken
    }

    @Test("V1, V2: of 10,000 packets of strangers none is heard, none answers them, and the phones go on")
    func bleedAndInjection() async throws {
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await callee.hears(440))
            #expect(await caller.hears(620))
            let (left, right) = (try #require(await caller.relay), try #require(await callee.relay))
            let stranger = try Stranger()
            await caller.forgetWhatWasHeard()
            await callee.forgetWhatWasHeard()
            for round in 0..<200 {
                for number in 0..<25 {
                    stranger.send(Bait.sound(round * 25 + number), to: left)
                    stranger.send(Bait.sound(round * 25 + number), to: right)
                }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(stranger.received() == 0, "sound of the call went to a stranger")
            for (call, frequency) in [(caller, 620.0), (callee, 440.0)] {
                let report = await call.report.sound
                #expect(report.sources == 0 && report.unexpected == 0, "another stream came")
                #expect(report.packetsReceived > 60 && report.packetsReceived < 2_000)
                #expect(await call.hears(frequency))
                #expect(await call.level(of: 1_000) < -50, "the stranger is heard")
            }
            let sent = (await caller.report.sound.packetsSent, await callee.report.sound.packetsSent)
            try await caller.hangup()
            try await callee.ended()
            let taken = (try await packetsTaken("from=\(phones[0].number)", "inbound"), try await packetsTaken("to=\(phones[1].number)", "outbound"))
            // What left between the look and the hang-up is among them, and nothing else.
            #expect((1...sent.0 + 20).contains(taken.0) && (1...sent.1 + 20).contains(taken.1), "\(taken) taken of \(sent)")
        }
    }

    @Test("V2, V3, V6: with keys nothing of a stranger is heard at all, nor bad tags, replays and fragments from the phone's own port", arguments: ProtectedCaller.Protection.allCases)
    func protected(_ protection: ProtectedCaller.Protection) async throws {
        try await withPhones(1, in: suite) { phones in
            let caller = try await ProtectedCaller(suite, protection, tone: 1_010)
            #expect(try await caller.call(phones[0].number, in: suite) == 200)
            let call = try await phones[0].incomingCall()
            let stranger = try Stranger()
            let relay = try #require(caller.relay)
            // V4: others begin handshakes before the phone does.
            let isConnected = try await caller.connects {
                for bait in [Bait.clientHello, Bait.binding, Bait.alert] { stranger.send(bait, to: relay) }
            }
            #expect(isConnected)
            try await caller.speak(50)
            #expect(await call.hears(1_010))
            await call.forgetWhatWasHeard()
            try await caller.speak(250) { number in
                for index in 0..<40 { stranger.send(index % 2 == 0 ? Bait.sound(index) : Bait.all[(number * 20 + index) % Bait.all.count], to: relay) }
                // On the way: what was sent is sent again, and with another tag, and without one.
                guard let packet = caller.sent.last else { return }
                caller.send(raw: packet)
                caller.send(raw: caller.sent[number % caller.sent.count])
                var changed = packet
                changed[changed.count - 1] ^= 1
                caller.send(raw: changed)
                caller.send(raw: Array(packet.prefix(13 + number % (packet.count - 13))))
                caller.send(raw: Bait.all[(number * 7) % Bait.all.count])
                caller.send(raw: Bait.sound(number, ssrc: ProtectedCaller.ssrc))
            }
            let report = await call.report.sound
            #expect(report.sources == 0 && report.lost == 0 && report.unexpected == 0, "its sound was disturbed")
            #expect(await call.heard(frequency: 1_010))
            #expect(await call.level(of: 1_370) < -45, "something else is heard")
            caller.tend()
            #expect(caller.soundReceived > 100, "the phone hears on, too")
            // Who asks a port is told a little at most: errors of STUN, ten a second (V17). Of sound, nothing.
            #expect(stranger.received() < 120)
            try caller.hangUp()
            try await call.ended()
            // A busy machine may lose some of the phone's own in the flood; what would be too many are not the phone's.
            let taken = try await packetsTaken("from=\(caller.number)", "inbound")
            #expect((caller.sent.count * 9 / 10...caller.sent.count).contains(taken), "\(taken) taken of \(caller.sent.count)")
        }
    }

    @Test("V5: who shows another certificate than its description says gets no keys, the call ends, and its record says why")
    func wrongFingerprint() async throws {
        try await withPhones(1, in: suite) { phones in
            let caller = try await ProtectedCaller(suite, .dtls, tone: 1_010)
            let other = "sha-256 " + (0..<32).map { _ in "5A" }.joined(separator: ":")
            #expect(try await caller.call(phones[0].number, in: suite, fingerprint: other) == 200)
            let call = try await phones[0].incomingCall()
            // The client of a handshake has its keys before it learns what the server thinks of its certificate.
            _ = try await caller.connects()
            try await caller.speak(25)
            #expect(await call.report.sound.level < -60, "sound without the right certificate")
            #expect(try await caller.isHungUp())
            #expect(try await call.ended() == .hungUpThere)
            try await suite.eventually("the record says why") {
                let calls = try await suite.request("GET", "/v1/calls?from=\(caller.number)").body["data"]?.array ?? []
                return calls.contains { $0["hangup_reason"]?.string == "media_wrong_fingerprint" && $0["hangup_by"]?.string == "platform" }
            }
        }
    }

    @Test("Every description that is none, or that nobody can follow, is refused with 488 at once", .serialized, arguments: BadDescription.all)
    func badDescriptions(_ bad: BadDescription) async throws {
        let account = try await suite.makeAccount()
        let agent = try OutsideAgent(suite, account)
        // A number that answers by itself: there is no other reason to refuse.
        let response = try await agent.request(
            "INVITE", "sip:600@\(suite.domain)", callID: "bad", ["Content-Type: application/sdp"], body: bad.text)
        #expect(response.status == 488, "\(bad.name)")
    }
}
