import Addresses
import Contracts
import Database
import Deadlines
import SIP
import ServiceKit
import Threads

/// The call server: SIP dialogs, call legs and flow actions (DESIGN §2). Wiring only.
@main
struct Program {
    static let declaration = ServiceProgram.Declaration(
        .callServer,
        settings: [
            Setting("TANDEM_SIP_PORT", .integer(0...65_535), default: "0", "inside SIP port; 0 takes a free one"),
            Setting(
                "TANDEM_SIP_DATAGRAM_BYTES", .integer(200...65_535), default: "1300",
                "longer SIP messages go to the edges over TCP (RFC 3261 §18.1.1)"),
            Setting("TANDEM_SIP_DOMAIN", default: "demo.localhost", "domain of calls that name none"),
            Setting(
                "TANDEM_EMERGENCY_NUMBER", default: "112",
                "extension or conference that a call to urn:service:sos (RFC 5031) reaches; empty: none"),
            Setting("TANDEM_MAX_CALLS", .integer(1...1_000_000), default: "5000", "call legs this instance holds at once"),
            Setting("TANDEM_RING_SECONDS", .integer(1...600), default: "60", "how long a phone rings before no_answer"),
            Setting(
                "TANDEM_SLOW_ANSWER_MILLISECONDS", .integer(50...60_000), default: "200",
                "new calls are refused (503) while every answer of the other services has taken longer than this for two seconds"),
            Setting("TANDEM_MAX_CALL_SECONDS", .integer(1...86_400), default: "14400", "the longest a call may last"),
            Setting(
                "TANDEM_SESSION_EXPIRES", .integer(0...86_400), default: "1800",
                "seconds after which a phone that has not been heard of is hung up on (RFC 4028); 0: sessions do not expire"),
            Setting("TANDEM_MIN_SE", .integer(90...86_400), default: "90", "a phone that wants shorter sessions is told 422 (RFC 4028 §5)"),
            Setting("TANDEM_MAX_PLAY_SECONDS", .integer(1...86_400), default: "3600", "the longest a prompt may be"),
            Setting(
                "TANDEM_RECONNECT_SECONDS", .integer(0...60), default: "10",
                "how long a call waits for a phone that lost its connection to register anew"),
            Setting(
                "TANDEM_RELAY_LOST_SECONDS", .integer(0...3600), default: "5",
                "after so long without word of a media relay its calls are offered another; 0: never"),
            Setting(
                "TANDEM_LOST_CALL_SECONDS", .integer(1...86_400), default: "30",
                "after so long the record of a call whose server is gone, and that nobody could take over, is ended"),
            Setting(
                "TANDEM_FLOW_PATIENCE_SECONDS", .integer(10...3600), default: "90",
                "how long a call that is up waits for the flow manager to be back, or its database, before it is hung up"),
            Setting(
                "TANDEM_OUTCOME_SECONDS", .integer(10...86_400), default: "3600",
                "how long a flow manager that is away is told what the last action of an ended call has come to"),
            Setting("TANDEM_RECORD_SPOOL", .integer(100...10_000_000), default: "50000", "call events kept while PostgreSQL is away"),
        ] + Limits.settings + Timeline.settings + TimelineArchive.settings + InsideStreams.declared,
        needs: [.bus, .database, .cache, .fleet], hears: [.mediaRelay, .conferenceServer, .edgeProxy], schema: CallStore.schema,
        migrations: [Migration(number: 1, name: "calls", sql: PackageResources._001_calls_sql), Outbox.migration(number: 2),
            Migration(number: 3, name: "limits", sql: PackageResources._003_limits_sql),
            Migration(number: 4, name: "timelines", sql: PackageResources._004_timelines_sql), Lives.migration(number: 5),
            Migration(number: 6, name: "dialogs", sql: PackageResources._006_dialogs_sql),
            Migration(number: 7, name: "epochs", sql: PackageResources._007_epochs_sql),
        ],
        check: { _ = try InsideStreams($0) })

    static func main() async {
        await ServiceProgram.run(declaration) { runtime in
            let settings = runtime.settings
            let listen = SocketAddress(settings.ipAddress("TANDEM_INSIDE_ADDRESS"), port: UInt16(clamping: settings.integer("TANDEM_SIP_PORT")))
            var limits = Leg.Limits()
            limits.ring = .seconds(settings.integer("TANDEM_RING_SECONDS"))
            limits.play = .seconds(settings.integer("TANDEM_MAX_PLAY_SECONDS"))
            limits.flowRetries = settings.integer("TANDEM_FLOW_PATIENCE_SECONDS") * 1000 / Int(Leg.longestFlowPause.nanoseconds / 1_000_000)
            limits.closingRetries = settings.integer("TANDEM_OUTCOME_SECONDS") / Int(Leg.longestClosingPause.seconds)
            limits.duration = .seconds(settings.integer("TANDEM_MAX_CALL_SECONDS"))
            let engineSettings = EngineSettings(
                listen: listen, longestDatagram: settings.integer("TANDEM_SIP_DATAGRAM_BYTES"),
                streams: try InsideStreams(settings), domain: settings.text("TANDEM_SIP_DOMAIN"),
                emergencyNumber: settings.text("TANDEM_EMERGENCY_NUMBER"), maximumLegs: settings.integer("TANDEM_MAX_CALLS"),
                slowAnswer: .milliseconds(settings.integer("TANDEM_SLOW_ANSWER_MILLISECONDS")), limits: limits,
                relayPatience: .seconds(settings.integer("TANDEM_RELAY_LOST_SECONDS")),
                reconnectTime: .seconds(settings.integer("TANDEM_RECONNECT_SECONDS")),
                session: settings.integer("TANDEM_SESSION_EXPIRES") == 0
                    ? nil
                    : SessionTimer.Terms(interval: settings.integer("TANDEM_SESSION_EXPIRES"), minimum: settings.integer("TANDEM_MIN_SE")),
                callLimits: Limits.defaults(settings))

            let outbox = Outbox(schema: CallStore.schema, runtime: runtime)
            let store = CallStore(database: runtime.database, instance: runtime.instance)
            let writer = RecordWriter(
                store: store, capacity: settings.integer("TANDEM_RECORD_SPOOL"), logger: runtime.logger, committed: { outbox.wake() })
            let journal = Journal(runtime: runtime, writer: writer, life: await Journal.newLife(runtime))
            let archive = TimelineArchive(runtime)
            let engine = try CallEngine(runtime: runtime, journal: journal, archive: archive, settings: engineSettings)
            let address = engine.address
            runtime.announce { $0.addresses["sip"] = address.description }
            CallCounts.declare()
            runtime.health.countCalls { CallCounts.active.value }
            serve(runtime, engine, store, journal)
            let callLimits = Limits(engine: engine, store: LimitStore(database: runtime.database), runtime: runtime)
            callLimits.serve(on: runtime.bus)
            runtime.background { await callLimits.follow() }
            let readTimeline = ReadTimeline(store: store, archive: archive)
            runtime.bus.serve(GetTimeline.self) { command, _ in try await readTimeline.perform(command) }
            runtime.background { await archive.timeline.run() }
            runtime.background { await archive.run() }
            runtime.cache.onReconnect { engine.loop.post { engine.assumeIsolated { $0.saveAll() } } }
            runtime.background {
                await writer.run { life, asked in
                    engine.loop.post { engine.assumeIsolated { $0.sawPostgres(life, at: asked) } }
                } paid: { records in
                    journal.paid(records)
                    engine.loop.post { engine.assumeIsolated { $0.told(records) } }
                }
            }
            runtime.background { await writer.watch() }
            runtime.background { await outbox.run() }
            runtime.background {
                await journal.renewLeases { lost in
                    engine.loop.post { engine.assumeIsolated { for id in lost { $0.abandon(id) } } }
                } askOthers: {
                    await engine.callsOfOthers() ?? []
                }
            }
            runtime.background { await journal.giveWay() }
            runtime.background { await engine.announceLoad() }
            runtime.background { await engine.sweep() }
            let lost = LostRecords(
                database: runtime.database, journal: journal, engine: engine, runtime: runtime,
                patience: .seconds(settings.integer("TANDEM_LOST_CALL_SECONDS")), committed: { outbox.wake() })
            runtime.background { await lost.sweep() }
            runtime.whenReady {
                try await runtime.fleet.hear(of: [.mediaRelay, .conferenceServer])
                try await engine.start(limits: try await callLimits.read())
            }
            runtime.whenDraining {
                // Two seconds are left for writing down what there is.
                await engine.drained(within: .seconds(max(0, settings.integer("TANDEM_DRAIN_SECONDS") - 2)))
                await writer.finish()
                await archive.finish()
                try? await journal.releaseEnded()
                await outbox.flush()
            }
        }
    }

    private static func serve(_ runtime: Runtime, _ engine: CallEngine, _ store: CallStore, _ journal: Journal) {
        let bus = runtime.bus
        let create = Create(engine: engine, store: store, journal: journal, runtime: runtime)
        bus.serve(CreateCall.self) { command, _ in try await create.perform(command) }
        let read = ReadCall(engine: engine, store: store, bus: bus)
        bus.serve(GetCall.self, on: .both) { command, delivery in try await read.perform(command, delivery) }
        bus.serve(ListCalls.self) { command, _ in
            if let cursor = command.page.cursor, !Identifier.isPlausible(cursor, prefix: "call") {
                throw RPCError(.invalid, "no such cursor", problems: [Problem(pointer: "/cursor", detail: "give next_cursor of the page before")])
            }
            return try await store.list(command)
        }
        bus.serve(ListDialogs.self) { command, _ in try await store.dialogs(command) }
        let owners = CallOwners(store: store, bus: bus)
        let hangUp = HangUp(engine: engine, owners: owners)
        bus.serve(HangUpCall.self, on: .both) { command, delivery in try await hangUp.perform(command, delivery) }
        let move = Move(engine: engine, owners: owners)
        bus.serve(MoveCall.self, on: .both) { command, delivery in try await move.perform(command, delivery) }
        let meet = MeetOperation(engine: engine, owners: owners)
        bus.serve(MeetCall.self, on: .both) { command, _ in try await meet.perform(command) }
        let chain = ChainOperation(engine: engine, owners: owners)
        bus.serve(ChainCall.self, on: .both) { command, _ in try await chain.perform(command) }
        let record = Record(engine: engine, owners: owners)
        bus.serve(RecordCall.self, on: .both) { command, delivery in try await record.perform(command, delivery) }
        let streams = StreamOperation(engine: engine, owners: owners)
        bus.serve(StreamCall.self, on: .both) { command, delivery in try await streams.perform(command, delivery) }
        let supervise = Supervise(engine: engine, owners: owners)
        bus.serve(SuperviseCall.self, on: .both) { command, delivery in try await supervise.perform(command, delivery) }
        let control = ControlOperation(engine: engine, owners: owners)
        bus.serve(ControlCall.self, on: .both) { command, delivery in try await control.perform(command, delivery) }
        bus.serve(immediately: IsThere.self, on: .thisInstance) { _, _, respond in respond(.success(Done())) }
        bus.serve(HeldCalls.self, on: .thisInstance) { command, _ in
            HeldCalls.Reply(ids: await engine.taken(of: command.epochs))
        }
        bus.serve(immediately: PassMessage.self, on: .thisInstance) { command, _, respond in
            engine.loop.post {
                engine.assumeIsolated { engine in respond(Result { () throws(RPCError) in try engine.takePassed(command) }) }
            }
        }
        bus.serve(YieldCall.self, on: .thisInstance) { command, _ in try await engine.yield(command) }
        bus.serve(LocateCall.self, on: .thisInstance) { command, _ in
            guard let place = await engine.place(of: command.id, customer: command.customerID) else {
                throw RPCError(.notFound, "no such call")
            }
            return try place.get()
        }
        let listen = ListenToCalls(engine: engine, owners: owners)
        bus.serve(ListenToCall.self, on: .both) { command, delivery in try await listen.perform(command, delivery) }
        bus.serve(TranscribeCall.self, on: .both) { command, delivery in try await listen.perform(command, delivery) }
        Signals.serve(on: bus, engine)
    }
}
