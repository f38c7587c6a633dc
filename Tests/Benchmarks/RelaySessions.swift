import Bus
import Contracts
import Glibc
import Logging

/// Calls of the relay alone, begun over the bus, for a generator that has ports of its own for them (Tests/MediaLoad): a line for each end
/// with the relay's port and SDES key, and at the end of the input they are gone.
struct RelaySessions {
    /// How the called end is to be met; the calling one speaks PCMU in the clear.
    enum Kind: String, CaseIterable { case plain, srtp, dtls, g722 }

    let url: String
    var kind = Kind.plain
    var calls = 50
    var relay = "MediaRelay-1"
    /// Of the generator's certificate, for DTLS.
    var fingerprint = ""

    // The generator's.
    private static let firstPort = 20_000
    private static let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"

    func run() async throws {
        guard let settings = Bus.Settings(url: url) else { throw Settings.Missing(text: "TANDEM_AMQP_URL is not amqp://user:password@host:port/vhost") }
        var logger = Logger(label: "benchmark")
        logger.logLevel = .warning
        let bus = Bus(settings: settings, service: .apiGateway, instance: "benchmark-\(UInt32.random(in: .min ... .max))", logger: logger)
        await bus.start()
        let run = UInt32.random(in: .min ... .max)
        for number in 0..<calls { try await begin(number, run, bus) }
        fflush(nil)
        while readLine() != nil {}
        for number in 0..<calls {
            for side in 0...1 { _ = try await bus.call(DeleteMediaSession(sessionID: Self.name(run, number, side), epoch: 1), to: .instance(relay)) }
        }
        await bus.stop()
    }

    private static func name(_ run: UInt32, _ number: Int, _ side: Int) -> String { "load-\(run)-\(number)-\(side)" }

    /// Two sessions that are each other's room.
    private func begin(_ number: Int, _ run: UInt32, _ bus: Bus) async throws {
        let port = Self.firstPort + 2 * number
        let names = [Self.name(run, number, 0), Self.name(run, number, 1)]
        var ends: [InsideEndpoint] = []
        for (side, offer) in [Self.offer(2, port, "RTP/AVP", []), called(port)].enumerated() {
            let reply = try await bus.call(
                CreateMediaSession(sessionID: names[side], customerID: "load", callID: names[0], owner: "load", epoch: 1, offer: offer),
                to: .instance(relay))
            ends.append(reply.inside)
            print(try Self.line(reply.description))
        }
        for side in 0...1 {
            _ = try await bus.call(LinkMediaSession(sessionID: names[side], epoch: 1, inside: ends[1 - side]), to: .instance(relay))
        }
    }

    private func called(_ port: Int) -> String {
        switch kind {
        case .plain: Self.offer(3, port, "RTP/AVP", [])
        case .srtp: Self.offer(3, port, "RTP/SAVP", ["crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\(Self.key)"])
        case .dtls: Self.offer(3, port, "UDP/TLS/RTP/SAVP", ["setup:active", "fingerprint:sha-256 \(fingerprint)"])
        case .g722: Self.offer(3, port, "RTP/AVP", [], format: "9", "G722/8000")
        }
    }

    /// With events: who has none may press keys as tones, and what could be one is not passed on.
    private static func offer(
        _ host: Int, _ port: Int, _ profile: String, _ attributes: [String], format: String = "0", _ codec: String = "PCMU/8000"
    ) -> String {
        (["v=0", "o=- 1 1 IN IP4 127.0.0.\(host)", "s=-", "c=IN IP4 127.0.0.\(host)", "t=0 0", "m=audio \(port) \(profile) \(format) 101",
          "a=rtpmap:\(format) \(codec)", "a=rtpmap:101 telephone-event/8000", "a=ptime:20"] + attributes.map { "a=\($0)" }).map { $0 + "\r\n" }.joined()
    }

    /// `PORT KEY`, a dash where there is no key.
    private static func line(_ description: String) throws -> String {
        let lines = description.split(whereSeparator: \.isNewline)
        guard let media = lines.first(where: { $0.hasPrefix("m=audio ") }) else { throw Settings.Missing(text: "no audio in an answer") }
        let key = lines.first { $0.hasPrefix("a=crypto:") }?.split(separator: "inline:", maxSplits: 1).last?.prefix { $0 != "|" && $0 != " " }
        return "\(media.split(separator: " ")[1]) \(key ?? "-")"
    }
}
