import Addresses
import Audio
import Foundation
import Suite
import Testing

/// baresip: a real phone with a tone for a microphone and a recorder for an ear.
struct Baresip {
    let program: Program
    let domain: String
    /// Where its keys are pressed (`BaresipKeys`).
    let control: UInt16
    /// How it protects its sound. (Its ICE gathers nothing on a loopback.)
    enum Protection: String, CaseIterable {
        case sdes = "srtp-mand"
        case dtls = "dtls_srtp"
    }

    /// - Parameters:
    ///   - tone: the frequency it sends in calls.
    ///   - dial: whom it calls as soon as it runs; without, it answers whatever comes.
    ///   - life: after which it hangs up and ends.
    init(
        as account: RunningSuite.Account, in suite: RunningSuite, transport: Sipp.Transport = .udp, tone: Double = 700,
        codec: String = "PCMU", protection: Protection? = nil, dial: String? = nil, life: Duration
    ) throws {
        try self.init(
            account.number, password: account.password, domain: suite.domain, server: suite.sip, transport: transport, tone: tone, codec: codec,
            protection: protection, dial: dial, life: life)
    }

    /// The same behind any server.
    init(
        _ number: String, password: String = "none", domain: String, server address: SocketAddress, transport: Sipp.Transport = .udp,
        tone: Double = 700, codec: String = "PCMU", protection: Protection? = nil, dial: String? = nil, life: Duration
    ) throws {
        let port = LocalPort.ten() // SIP on the first, its TLS on the second, its keys on the third, RTP of three calls on the rest
        (self.domain, control) = (domain, UInt16(port + 2))
        let server = "sip:\(address);transport=\(transport)"
        var arguments = ["-s", "-f", ".", "-t", String(Int(life / .seconds(1)))]
        if let dial { arguments += ["-e", "/dial sip:\(dial)@\(domain)"] }
        program = try Program("baresip", arguments) { folder in
            try FileManager.default.createDirectory(at: folder.appending(path: "heard"), withIntermediateDirectories: true)
            try Self.wave(tone, as: codec).write(to: folder.appending(path: "tone.wav"))
            let config = """
                sip_listen 127.0.0.1:\(port)
                net_interface 127.0.0.1
                rtp_ports \(port + 4)-\(port + 9)
                module_path /usr/lib/baresip/modules
                module g711.so
                module g722.so
                module opus.so
                module aufile.so
                module aubridge.so
                module sndfile.so
                module srtp.so
                module dtls_srtp.so
                module_app account.so
                module_app menu.so
                module_app ctrl_tcp.so
                ctrl_tcp_listen 127.0.0.1:\(port + 2)
                audio_source aufile,\(folder.path)/tone.wav
                audio_player aubridge,nobody
                snd_path \(folder.path)/heard

                """
            let line = """
                <sip:\(number)@\(domain);transport=\(transport)>;auth_pass=\(password);outbound="\(server)"\
                ;regint=60;answermode=auto;audio_codecs=\(codec.contains("/") ? codec : codec + "/8000/1")\
                \(protection.map { ";mediaenc=\($0.rawValue)" } ?? "")

                """
            try Data(config.utf8).write(to: folder.appending(path: "config"))
            try Data(line.utf8).write(to: folder.appending(path: "accounts"))
            try Data().write(to: folder.appending(path: "contacts"))
        }
    }

    /// A minute of a tone at the sampling rate and with the channels of a codec: baresip converts neither.
    private static func wave(_ frequency: Double, as codec: String) -> Data {
        let parts = codec.split(separator: "/").compactMap { Int($0) }
        let (rate, channels) = (parts.first ?? Samples.rate, parts.dropFirst().first ?? 1)
        var sound: [UInt8] = []
        for place in 0..<60 * rate {
            let value = UInt16(bitPattern: Int16(7_300 * sin(2 * .pi * frequency * Double(place) / Double(rate))))
            for _ in 0..<channels { sound += [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] }
        }
        func number(_ value: Int, _ width: Int) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let format = number(1, 2) + number(channels, 2) + number(rate, 4) + number(rate * channels * 2, 4) + number(channels * 2, 2) + number(16, 2)
        return Data(
            Array("RIFF".utf8) + number(36 + sound.count, 4) + Array("WAVEfmt ".utf8) + number(16, 4) + format + Array("data".utf8)
                + number(sound.count, 4) + sound)
    }

    func registers() async throws { try await program.prints("200 OK", within: .seconds(8)) }

    func talks() async throws { try await program.prints("Call established", within: .seconds(10)) }

    /// Waits for the end of its life.
    func ends() async throws { _ = try await program.end(within: .seconds(20)) }

    /// How loud each frequency was in what it heard, in dBFS, over the last 400 ms before the end.
    func heard(_ frequencies: [Double]) throws -> [Double] {
        let file = try #require(recording, "it recorded nothing:\n\(program.output)")
        let samples = try SoundFile.decode(Array(try Data(contentsOf: file)))
        var meter = ToneMeter(window: 3200)
        // The last packets before a hang-up may be missing: leave out 200 ms.
        meter.append(samples.values.dropLast(1600).suffix(3200))
        return frequencies.map { meter.hears($0) }
    }

    /// What it has heard in its latest call.
    var recording: URL? {
        let folder = program.folder.appending(path: "heard")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        // They are named after their time.
        return names.filter { $0.hasSuffix("-dec.wav") }.max().map { folder.appending(path: $0) }
    }
}
