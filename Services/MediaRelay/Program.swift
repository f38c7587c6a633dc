import Contracts
import ServiceKit

/// The media relay: the codec and security edge between phones and rooms (DESIGN §7). Wiring only.
@main
struct Program {
    static let declaration = ServiceProgram.Declaration(.mediaRelay, settings: RelaySettings.declared, needs: [.bus, .cache])

    static func main() async {
        await ServiceProgram.run(declaration) { runtime in
            let settings = try RelaySettings(runtime.settings)
            let archive = Archive(cache: runtime.cache, instance: runtime.instance, logger: runtime.logger)
            let relay = try Relay(runtime: runtime, settings: settings, archive: archive)
            serve(runtime, relay)
            runtime.announce { $0.addresses["media"] = settings.media.description }
            runtime.cache.onReconnect {
                for loop in relay.loops { loop.post { $0.saveAllSoon() } }
            }
            runtime.background { await archive.keepLeases() }
            archive.loop.start()
            for loop in relay.loops { loop.start() }
            runtime.whenDraining {
                await relay.drained()
                relay.stop()
            }
        }
    }

    /// One file per command in `Operations`.
    private static func serve(_ runtime: Runtime, _ relay: Relay) {
        let bus = runtime.bus
        relay.serve(CreateMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.create(command) }
        relay.serve(UpdateMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.update(command) }
        relay.serve(LinkMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.link(command) }
        relay.serve(DeleteMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.delete(command) }
        relay.serve(QueryMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.query(command) }
    }
}
