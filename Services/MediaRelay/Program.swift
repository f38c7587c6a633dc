import Addresses
import Bus
import Bytes
import Contracts
import DTLS
import ServiceKit
import Succession
import Telemetry
import Threads

/// The media relay: the codec and security edge between phones and rooms (DESIGN §7). Wiring only.
@main
struct Program {
    static let declaration = ServiceProgram.Declaration(
        .mediaRelay, settings: RelaySettings.declared + RelaySettings.kept.declared + TapSettings.declared, needs: [.bus, .cacheAside],
        standsAlone: NGSettings.standsAlone, check: { _ = try RelaySettings($0) })

    private static let sessions = Gauge("tandem_relay_sessions", "Media sessions that are open.")

    static func main() async {
        let link = KeeperLink.inherited(RelaySettings.kept)
        if link == nil, RelaySettings.wantsKeeper { await Keeper.run(RelaySettings.kept) }
        var declaration = declaration
        if let link {
            link.start()
            declaration.hold = { await link.turn.wait() }
        }
        await ServiceProgram.run(declaration) { runtime in
            let settings = try RelaySettings(runtime.settings, priority: SoundThreads.priority(runtime.settings, runtime.logger))
            if let listen = settings.ng.listen { return try serveNG(listen, settings, runtime) }
            let archive = Archive(
                cache: runtime.cache, instance: runtime.instance, key: runtime.key(for: "snapshots of media sessions"), logger: runtime.logger)
            let bus = runtime.bus
            let owners = OwnerSignals(bus: bus, cache: runtime.cache)
            let events = SessionEvents(
                began: archive.sessionBegan, changed: archive.save, ended: archive.sessionEnded,
                silent: { command, owner in owners.tell(command, about: command.callID, to: owner) },
                failed: { command, owner in owners.tell(command, about: command.callID, to: owner) },
                digit: { command, owner in
                    var command = command
                    let key = owners.newKey()
                    command.pressID = key
                    owners.tell(command, about: command.callID, to: owner, key: key)
                }, tookOver: archive.tookOver, transport: archive.transport)
            let occupancy = Occupancy(limit: settings.sessionLimit) { load in
                Self.sessions.set(Int((load * Double(settings.sessionLimit)).rounded()))
                runtime.announce { $0.load = load }
            }
            let legacy = await Inheritance.find(link)
            // One certificate for the life of the relay: it vouches by its fingerprint in each description.
            let certificate = legacy.certificate ?? .make(now: WallClock.milliseconds() / 1000)
            let security = Security(Endpoint(certificate), settings.preferences, second: settings.place6?.media)
            let recorder = Recorder(TapSettings(runtime.settings), logger: runtime.logger)
            let relay = try Relay(
                settings: settings, security: security, occupancy: occupancy, events: events, recorder: recorder,
                custody: try legacy.custody(link, settings), fastPath: try settings.fastPath.open(settings, inherits: !legacy.threads.isEmpty, runtime.logger))
            serve(relay, on: bus)
            let handOver = HandOver(
                relay: relay, runtime: runtime, pause: runtime.settings.integer("TANDEM_DRAIN_HANDOVER"),
                rate: runtime.settings.integer("TANDEM_DRAIN_RATE"))
            runtime.announce {
                $0.addresses["media"] = settings.media.description
                // It lives as long as the sessions do: whoever sees another here knows that they are lost.
                $0.addresses["lineage"] = Hexadecimal.encode(Array(certificate.fingerprint.hash.prefix(8)))
            }
            runtime.cache.onReconnect {
                for loop in relay.loops { loop.post { $0.saveAllSoon() } }
            }
            runtime.background { await archive.keepLeases() }
            runtime.background {
                await archive.watchOwners { id, epoch in relay.loop(of: id).post { $0.abandon(id, epoch: epoch) } }
            }
            archive.loop.start()
            recorder.loop.start()
            if let link {
                relay.standBy(link, certificate)
                runtime.whenReady { link.serve() }
            } else {
                for loop in relay.loops { loop.start() }
            }
            runtime.whenDraining {
                await handOver.run()
                relay.stop()
                await recorder.finishAll()
            }
        }
    }

    /// Alone: whoever speaks `ng` says which calls there are.
    private static func serveNG(_ listen: SocketAddress, _ settings: RelaySettings, _ runtime: Runtime) throws {
        let logger = runtime.logger
        let events = SessionEvents(
            began: { _ in }, changed: { _ in },
            ended: { record, statistics in
                logger.debug("leg ended", metadata: ["call": "\(record.callID)", "port": "\(record.port)", "in": "\(statistics.outsideIn)", "out": "\(statistics.outsideOut)"])
            }, silent: { _, _ in })
        let security = Security(Endpoint(.make(now: WallClock.milliseconds() / 1000)), settings.preferences, second: settings.place6?.media)
        let recorder = Recorder(TapSettings(runtime.settings), logger: logger)
        let settings = settings.marked(.random(in: .min ... .max))
        let relay = try Relay(
            settings: settings, security: security, occupancy: Occupancy(limit: settings.sessionLimit) { _ in }, events: events,
            recorder: recorder, fastPath: try settings.fastPath.open(settings, inherits: false, logger))
        let control = try ControlSocket(listen, settings: settings.ng, relay: relay)
        recorder.loop.start()
        for loop in relay.loops { loop.start() }
        runtime.whenReady {
            control.start()
            logger.info("works alone, controlled over ng", metadata: ["address": "\(control.address)", "media": "\(settings.media)", "threads": "\(relay.loops.count)"])
        }
        runtime.whenDraining {
            control.drain()
            await relay.drained()
            control.stop()
            relay.stop()
            await recorder.finishAll()
        }
    }

    /// One file per command in `Operations`.
    private static func serve(_ relay: Relay, on bus: Bus) {
        relay.serve(CreateMediaSession.self, bus, about: { $0.sessionID }, later: { $0.create($1, over: bus, $2) })
        relay.serve(UpdateMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.update(command) }
        bus.serve(immediately: LinkMediaSession.self, on: .thisInstance) { command, _, respond in relay.link(command, respond) }
        relay.serve(OwnMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.own(command) }
        relay.serve(SetMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.set(command) }
        relay.serve(PressInMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.press(command) }
        relay.serve(TrickleInMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.trickle(command) }
        relay.serve(DeleteMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.delete(command) }
        bus.serve(immediately: DeleteMediaSessions.self, on: .thisInstance) { command, _, respond in relay.delete(command, respond) }
        relay.serve(QueryMediaSession.self, bus, about: { $0.sessionID }) { loop, command throws(RPCError) in try loop.query(command) }
        relay.serve(RecordMediaSession.self, bus, about: { $0.sessionID }, later: { $0.record($1, $2) })
        relay.serve(CaptureMediaSession.self, bus, about: { $0.sessionID }, later: { $0.capture($1, $2) })
    }
}
