import Addresses
import Bus
import Contracts
import Datagrams
import ServiceKit
import Streams
import TLS
import Threads

/// The stateless SIP edge (DESIGN §6): wiring only.
@main
struct Program {
    static func main() async {
        let declaration = ServiceProgram.Declaration(
            .edgeProxy, settings: EdgeSettings.declared, needs: [.bus, .fleet, .cacheAside], hears: [.registrar, .callServer],
            standsAlone: EdgeSettings.standsAlone, check: EdgeSettings.check)
        await ServiceProgram.run(declaration) { runtime in
            let settings = try EdgeSettings(runtime.settings)
            try assertFree(settings)
            OpenFiles.raiseLimit()
            Traffic.declare()
            let stamp = settings.certificate?.stamp
            let certificate = try settings.certificate?.load()
            let findAccount = FindAccount(bus: settings.alone == nil ? runtime.bus : nil)
            let findDomain = DomainLookup(bus: settings.alone == nil ? runtime.bus : nil)
            let stream = settings.alone == nil ? BanStream(cache: runtime.cache, longest: settings.admission.bans.longest) : nil
            let bans = BanBoard(stream: stream, logger: runtime.logger)
            let nonces = NonceMemory(
                capacity: settings.noncesRemembered, seed: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
            let fleet = runtime.fleet
            var loops: [EdgeLoop] = []
            for index in 0..<settings.loops {
                loops.append(
                    try EdgeLoop(
                        index: index, settings: settings, tokenKey: runtime.key(for: "sip.token"),
                        nonceKey: runtime.key(for: "sip.nonce"),
                        findAccount: findAccount, findDomain: findDomain, bans: bans, nonces: nonces, certificate: certificate,
                        fleet: fleet))
            }
            let edges = loops
            for edge in edges { bans.listen { news in edge.loop.post { edge.assumeIsolated { $0.hear(news) } } } }
            runtime.background { await bans.run() }
            if let alone = settings.alone {
                let servers = alone.servers.map(\.description).joined(separator: " ")
                runtime.logger.info("works alone in front of a fixed list of servers", metadata: ["servers": "\(servers)"])
                if alone.trusted.isEmpty {
                    runtime.logger.warning("nobody is trusted and nobody can be authenticated: new requests are refused with 403; set TANDEM_TRUSTED")
                }
            } else {
                runtime.bus.listen(to: ["extension.*", "domain.*"]) { event in
                    let key = AccountCache.Key(changedBy: event)
                    let domain = event.type == "domain.changed" ? event.resourceID : nil
                    for edge in edges {
                        edge.loop.post {
                            edge.assumeIsolated {
                                $0.invalidate(key)
                                if let domain { $0.forgetDomain(domain) }
                            }
                        }
                    }
                }
            }
            let use: @Sendable (TLSContext) -> Void = { renewed in
                for edge in edges { edge.loop.post { edge.assumeIsolated { $0.use(renewed) } } }
            }
            if let files = settings.certificate, let stamp {
                runtime.background { await files.watch(since: stamp, logger: runtime.logger, use: use) }
            }
            runtime.background { await settings.trunks.watch(logger: runtime.logger) }
            runtime.announce {
                $0.addresses["sip"] = settings.outside.plain.map(\.description).joined(separator: " ")
                $0.addresses["inside"] = edges.map(\.inside.description).joined(separator: " ")
            }
            runtime.whenReady {
                if settings.alone == nil { try await fleet.hear(of: [.registrar, .callServer]) }
                for edge in edges {
                    edge.loop.start()
                    try await edge.open(among: edges.map(\.inside))
                }
                runtime.logger.info("phones are served", metadata: ["address": "\(settings.listen.map(\.description).joined(separator: " "))", "loops": "\(edges.count)"])
            }
            runtime.whenDraining {
                for edge in edges { await edge.drain() }
            }
        }
    }

    /// With `SO_REUSEPORT` a second edge would quietly share the ports of the first: see that nobody has them.
    private static func assertFree(_ settings: EdgeSettings) throws {
        var setting = "TANDEM_SIP_LISTEN"
        do throws(SocketError) {
            for address in settings.listen { _ = try DatagramSocket(bind: address) }
            let probe = EventLoop(name: "probe")
            for port in settings.streams {
                setting = port.setting
                try StreamListener(bind: port.address, loop: probe) { $0.close() }.close()
            }
        } catch {
            throw EdgeSettings.Mistake(description: error.description(setting: setting))
        }
    }
}
