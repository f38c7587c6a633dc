import Bus
import Contracts
import DTLS
import ServiceKit
import Threads

/// The media relay: the codec and security edge between phones and rooms (DESIGN §7). Wiring only.
@main
struct Program {
    static let declaration = ServiceProgram.Declaration(.mediaRelay, settings: RelaySettings.declared + TapSettings.declared, needs: [.bus, .cache])

    static func main() async {
        await ServiceProgram.run(declaration) { runtime in
            let settings = try RelaySettings(runtime.settings)
            let archive = Archive(cache: runtime.cache, instance: runtime.instance, logger: runtime.logger)
            let bus = runtime.bus
            let events = SessionEvents(
                began: archive.sessionBegan, changed: archive.save, ended: archive.sessionEnded,
                silent: { command, owner in bus.tell(command, to: .instance(owner)) },
                failed: { command, owner in bus.tell(command, to: .instance(owner)) }, transport: archive.transport)
            let occupancy = Occupancy(limit: settings.sessionLimit) { load in runtime.announce { $0.load = load } }
            // One certificate for the life of the process: it vouches by its fingerprint in each description.
            let security = Security(Endpoint(.make(now: WallClock.milliseconds() / 1000)), settings.preferences)
            let recorder = Recorder(TapSettings(runtime.settings), logger: runtime.logger)
            let relay = try Relay(settings: settings, security: security, occupancy: occupancy, events: events, recorder: recorder)
            serve(relay, on: bus)
            runtime.announce { $0.addresses["media"] = settings.media.description }
            runtime.cache.onReconnect {
                for loop in relay.loops { loop.post { $0.saveAllSoon() } }
            }
            runtime.background { await archive.keepLeases() }
            runtime.background {
                await archive.watchOwners { id, epoch in relay.loop(of: id).post { $0.abandon(id, epoch: epoch) } }
            }
            archive.loop.start()
            recorder.loop.start()
            for loop in relay.loops { loop.start() }
            runtime.whenDraining {
                await relay.drained()
                relay.stop()
                await recorder.finishAll()
            }
        }
    }

    /// One file per command in `Operations`.
    private static func serve(_ relay: Relay, on bus: Bus) {
        relay.serve(CreateMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.create(command) }
        relay.serve(UpdateMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.update(command) }
        relay.serve(LinkMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.link(command) }
        relay.serve(DeleteMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.delete(command) }
        relay.serve(QueryMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.query(command) }
        relay.serve(RecordMediaSession.self, bus, about: { $0.sessionID }, later: { $0.record($1, $2) })
        relay.serve(CaptureMediaSession.self, bus, about: { $0.sessionID }, later: { $0.capture($1, $2) })
    }
}
