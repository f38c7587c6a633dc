import Addresses
import Audio
import DTLS
import Datagrams
import Deadlines
import ICE
import MediaSession
import RTP
import SDP
import SIP
import SRTP
import Suite
import Threads

/// A phone with protected media: SIP word by word, media by a transport of its own over a socket that a test may misuse.
final class ProtectedCaller {
    enum Protection: CaseIterable { case sdes, dtls }

    private let sip: OutsideAgent
    private let account: RunningSuite.Account
    private let protection: Protection
    private let socket: DatagramSocket
    private var batch = ReceiveBatch(capacity: 32)
    private var transport: MediaTransport
    private let tone: [UInt8]
    private var sequence: UInt16 = 100
    private var answer: Message?
    private(set) var relay: SocketAddress?
    /// Protected packets of sound, as they left.
    private(set) var sent: [[UInt8]] = []
    private(set) var soundReceived = 0

    static let ssrc: UInt32 = 0x5ec_04e7
    private static let key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    private static let endpoint = Endpoint(.make(now: 1_700_000_000))

    init(_ suite: RunningSuite, _ protection: Protection, tone: Int) async throws {
        account = try await suite.makeAccount()
        self.protection = protection
        sip = try OutsideAgent(suite, account)
        socket = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: 0))
        transport = MediaTransport(base: socket.localAddress)
        var sine = Tone(frequency: Double(tone), level: .dBm0(-10))
        self.tone = G711.encode(sine.next(Samples.rate), .ulaw)
    }

    var number: String { account.number }
    var localAddress: SocketAddress { socket.localAddress }
    var isKeyed: Bool { transport.isKeyed }
    private var now: Instant { MonotonicClock.now() }

    // MARK: Signalling

    /// The status that ends the INVITE. `fingerprint`: what our description says of our certificate, when that is not the truth.
    func call(_ number: String, in suite: RunningSuite, fingerprint: String? = nil) async throws -> Int {
        let uri = "sip:\(number)@\(suite.domain)"
        let ours = Credentials(random: (.random(in: .min ... .max), .random(in: .min ... .max), .random(in: .min ... .max)))
        let digest = Self.endpoint.certificate.fingerprint
        let own = SDP.Fingerprint(algorithm: digest.algorithm.rawValue, digest: digest.hash)?.description ?? ""
        let body = Self.offer(protection, socket.localAddress, ours, fingerprint ?? own)
        let response = try await sip.request("INVITE", uri, callID: "protected", ["Content-Type: application/sdp"], body: body)
        guard response.status == 200 else { return response.status ?? 0 }
        answer = response
        try acknowledge(response)
        try follow(SessionDescription.parse(Array(response.body)), ours)
        return 200
    }

    private func acknowledge(_ response: Message) throws { try inDialog("ACK", response, number: response.cseq?.number ?? 1) }

    func hangUp() throws {
        guard let answer else { return }
        try inDialog("BYE", answer, number: (answer.cseq?.number ?? 1) + 1)
    }

    /// Whether the other side hangs up.
    func isHungUp(within limit: Duration = .seconds(10)) async throws -> Bool {
        let bye = try? await sip.agent.receive("a BYE", within: limit) { $0.isRequest && $0.method == .bye }
        guard let bye else { return false }
        try sip.agent.answer(bye, 200)
        return true
    }

    private func inDialog(_ method: String, _ response: Message, number: UInt32) throws {
        guard let target = response.value(.contact)?.split(separator: "<").last?.split(separator: ">").first,
            let from = response.value(.from), let to = response.value(.to), let callID = response.callID
        else { throw Loopback.Trouble.silence("a whole 200") }
        let routes = response.values(.recordRoute).flatMap { $0.split(separator: ",") }.reversed().map { "Route:\($0.hasPrefix(" ") ? "" : " ")\($0)" }
        try sip.agent.send(
            [
                "\(method) \(target) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(sip.agent.port);rport;branch=z9hG4bK\(UInt64.random(in: 1 ... .max))",
                "From: \(from)", "To: \(to)", "Call-ID: \(callID)", "CSeq: \(number) \(method)", "Max-Forwards: 70",
            ] + routes, to: sip.edge)
    }

    private static func offer(_ protection: Protection, _ address: SocketAddress, _ ice: Credentials, _ fingerprint: String) -> String {
        let profile = protection == .sdes ? "RTP/SAVP" : "UDP/TLS/RTP/SAVPF"
        let head = [
            "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(address.port) \(profile) 0", "a=rtcp-mux",
        ]
        let lines =
            switch protection {
            case .sdes: ["a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\(key)"]
            case .dtls:
                [
                    "a=ice-ufrag:\(ice.fragment)", "a=ice-pwd:\(ice.password)", "a=candidate:\(Candidate(address).description)",
                    "a=fingerprint:\(fingerprint)", "a=setup:actpass",
                ]
            }
        return (head + lines).map { $0 + "\r\n" }.joined()
    }

    private func follow(_ answer: SessionDescription, _ ours: Credentials) throws {
        let media = answer.media[0]
        relay = SocketAddress(.loopbackIPv4, port: media.port)
        switch protection {
        case .sdes:
            let line = try CryptoAttribute(parsing: media.crypto.first ?? "")
            transport.key(sending: MasterKey(line.suite, keyAndSalt: try Self.bytes(of: Self.key)), receiving: line.key)
            transport.aim(at: relay)
        case .dtls:
            guard let theirs = answer.connectivity(ofMedia: 0), let remote = Credentials(fragment: theirs.fragment, password: theirs.password),
                let print = answer.fingerprints(ofMedia: 0).first, let algorithm = DTLS.Fingerprint.Algorithm(rawValue: print.algorithm),
                let expected = DTLS.Fingerprint(algorithm, hash: print.digest)
            else { throw Loopback.Trouble.silence("ICE and a fingerprint in the answer") }
            var agent = Agent(mode: .full, role: .controlling, local: ours, random: (.random(in: .min ... .max), .random(in: .min ... .max)))
            agent.addLocal(Candidate(socket.localAddress), now: now)
            transport.use(agent)
            let time = now
            transport.withAgent { agent, outbox in
                agent.setRemote(remote, isLite: theirs.isLite, now: time, into: &outbox)
                for candidate in theirs.candidates.compactMap({ try? Candidate(parsing: $0) }) { agent.addRemote(candidate, now: time) }
                agent.endOfCandidates(now: time, into: &outbox)
            }
            transport.shake(Self.endpoint, .active, [expected])
            transport.begin(now: now)
        }
        flush()
    }

    private static func bytes(of key: String) throws -> [UInt8] {
        let line = try CryptoAttribute(parsing: "1 AES_CM_128_HMAC_SHA1_80 inline:\(key)")
        return line.key?.keyAndSalt ?? []
    }

    // MARK: Media

    /// Reads what has come and lets time pass for the transport.
    func tend() {
        while socket.receive(into: &batch) > 0 {
            for index in 0..<batch.count {
                let (source, count) = (batch[index].source, batch[index].bytes.count)
                var bytes = batch.mutableBytes(at: index)
                if case .sound = transport.receive(&bytes, count: count, from: source, now: now) { soundReceived += 1 }
            }
        }
        if let deadline = transport.deadline, deadline <= now { transport.expire(now: now) }
        flush()
    }

    private func flush() {
        for datagram in transport.takeOutgoing() { socket.send(datagram.bytes, to: datagram.to) }
        _ = transport.takeEvents()
    }

    /// Until there are keys; each time `meanwhile` is done.
    func connects(_ meanwhile: () throws -> Void = {}) async throws -> Bool {
        for _ in 0..<2_000 where !transport.isKeyed {
            try meanwhile()
            tend()
            try await Task.sleep(for: .milliseconds(5))
        }
        return transport.isKeyed
    }

    /// Sound for so many packets of 20 ms; before each of them `meanwhile` is done.
    func speak(_ count: Int, _ meanwhile: (Int) throws -> Void = { _ in }) async throws {
        let start = ContinuousClock.now
        for number in 0..<count {
            try meanwhile(number)
            tend()
            sendSound()
            try await Task.sleep(until: start + .milliseconds(20 * (number + 1)))
        }
    }

    private func sendSound() {
        guard let relay else { return }
        sequence &+= 1
        let header = Header(
            payloadType: PayloadType(0), sequence: SequenceNumber(sequence), timestamp: RTP.Timestamp(UInt32(sequence) * 160),
            ssrc: SSRC(Self.ssrc))
        var packet: [UInt8] = []
        header.append(to: &packet)
        let at = Int(sequence) % 50 * 160
        packet += tone[at..<at + 160]
        var bytes = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        var span = bytes.mutableSpan
        guard let length = transport.protect(&span, count: packet.count) else { return }
        sent.append(Array(bytes.prefix(length)))
        socket.send(sent[sent.count - 1], to: relay)
    }

    /// From our own port, as somebody on the way could.
    func send(raw bytes: [UInt8]) {
        guard let relay else { return }
        socket.send(bytes, to: relay)
    }
}
