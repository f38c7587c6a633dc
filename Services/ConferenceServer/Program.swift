import Addresses
import Bus
import Contracts
import Database
import Datagrams
import Deadlines
import FoundationEssentials
import Logging
import ServiceKit
import Succession
import Threads

/// Rooms: every call is in one. Mixes, plays, speaks, hears digits; keeps the customers' conferences.
@main
struct Program {
    static func main() async {
        let link = KeeperLink.inherited(RoomInheritance.kept)
        if link == nil, RoomInheritance.kept.isWanted { await Keeper.run(RoomInheritance.kept) }
        var declaration = declaration
        if let link {
            link.start()
            declaration.hold = { await link.turn.wait() }
        }
        await ServiceProgram.run(declaration) { runtime in
            let legacy = await RoomInheritance.find(link)
            let wiring = try wire(runtime, legacy, link)
            wiring.serve()
            let (snapshots, rendering, outbox) = (wiring.snapshots, wiring.rendering, wiring.outbox)
            runtime.cache.onReconnect { snapshots.noteAll() }
            let capacity = runtime.settings.integer("TANDEM_CAPACITY")
            let silence = Interval.seconds(runtime.settings.integer("TANDEM_SEAT_TIMEOUT"))
            runtime.background { await Upkeep(wiring: wiring, capacity: capacity, seatSilence: silence).run() }
            // Before the bus is there: rooms that are taken over go on playing.
            let renders = Task { await rendering.run() }
            let lineage = legacy.lineage ?? RoomInheritance.makeLineage()
            runtime.announce { $0.addresses["lineage"] = lineage }
            wiring.loops.begin(link, lineage: lineage, rendering, runtime.logger)
            let signals = wiring.signals
            runtime.whenReady {
                signals.open()
                if let link { link.serve() }
                snapshots.noteAll()
                Task {
                    for room in await wiring.loops.takeHalted(at: runtime.timestamp()) { await wiring.revive(room) }
                }
            }
            runtime.background { for await room in wiring.halted { await wiring.revive(room) } }
            let transcriptions = wiring.transcriptions
            runtime.background { await transcriptions.run() }
            let minutes = wiring.minutes
            runtime.background { await minutes.run() }
            let (recorder, recordings) = (wiring.recorder, wiring.recordings)
            runtime.background { await recordings.run() }
            runtime.background { await outbox.run() }
            let (plays, store, logger) = (wiring.plays, wiring.store, runtime.logger)
            runtime.background { await plays.run(snapshots, store, wake: { outbox.wake() }, logger) }
            runtime.background { await sealOldPINs(wiring) }
            runtime.background { await wiring.tellOfStreams() }
            let loops = wiring.loops
            let patience = max(0, runtime.settings.integer("TANDEM_DRAIN_SECONDS") - 1)
            runtime.whenDraining {
                await emptied(loops, within: patience)
                if loops.seatCount > 0, runtime.fleet.hasOther(.conferenceServer, than: runtime.instance) {
                    await snapshots.handOver()
                    try? await Task.sleep(for: .milliseconds(500))
                } else {
                    await snapshots.flush()
                    await snapshots.yield()
                }
                await recorder.close()
                await recordings.settle()
                await minutes.flush()
                await outbox.flush()
                wiring.streams.shutDown()
                // Not the mixers' threads: what has to end may still ask them something.
                renders.cancel()
            }
        }
    }

    /// New rooms are placed elsewhere from now on; those that end soon may do so here.
    private static func emptied(_ loops: MixerLoops, within seconds: Int) async {
        for _ in 0..<(seconds * 10) where loops.seatCount > 0 && !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    private static func sealOldPINs(_ wiring: Wiring) async {
        do { try await wiring.store.sealOldPINs() } catch {
            wiring.runtime.logger.error("PINs from before they were sealed could not be sealed: \(error)")
        }
    }

    private static let own: [Setting] = [
        Setting(
            "TANDEM_POOL", as: .choice(["all", "calls", "conferences"]), default: "all",
            "which rooms this instance takes: calls, conferences or all"),
        Setting("TANDEM_MEDIA_THREADS", .integer(0...64), default: "0", "mixer threads; 0: one per processor"),
        SoundThreads.setting,
        Setting("TANDEM_CAPACITY", .integer(1...100_000), default: "2000", "participants at which this instance is full"),
        Setting(
            "TANDEM_SEAT_TIMEOUT", .integer(5...86_400), default: "120",
            "seconds of silence after which a seat is freed if nobody owns its call"),
        Setting("TANDEM_ROOM_LIMIT", .integer(2...10_000), default: "5000", "participants at which a room is full"),
        Setting("TANDEM_ROOM_LINK", .flag, default: "1", "two who are alone in a room and need nothing from it are linked by their relays"),
        Setting("TANDEM_PIN_TRIES", .integer(1...10), default: "3", "wrong PINs after which a conference lets nobody in"),
        Setting("TANDEM_PIN_SECONDS", .integer(2...120), default: "10", "silence after which a PIN is waited for no more"),
        Setting(
            "TANDEM_MODERATOR_GRACE", .integer(0...3600), default: "10",
            "seconds in which a moderator may come back to a conference that ends with its moderators"),
        Setting("TANDEM_CONFERENCE_VOICE", .flag, default: "1", "conferences speak their prompts; without, they have tones alone"),
        Setting("TANDEM_CONFERENCE_LANGUAGE", default: "en", "what conferences speak that name no language (BCP 47)"),
        Setting(
            "TANDEM_CONFERENCE_NAMES", .integer(0...100), default: "5",
            "names that may wait in a conference to be announced; beyond them one tone tells that somebody came or left"),
        Setting(
            "TANDEM_SOUNDS", default: "",
            "folder of sounds that can be played by name; music/CUSTOMER.wav (ogg, mp3, flac) is that customer's music on hold"),
        Setting(
            "TANDEM_FETCH_ALLOW", as: FetchPolicy.setting.list, default: "",
            "private addresses, ranges or host names that sounds may be fetched from; none by default"),
    ]

    private static let declaration = ServiceProgram.Declaration(
        .conferenceServer,
        settings: own + SoundSettings.declared + RecordingSettings.declared + RecognitionProviders.declared + MediaStreams.declared
            + RoomInheritance.kept.declared,
        needs: [.bus, .database, .cache, .fleet], hears: [.callServer], schema: ConferenceStore.schema,
        migrations: [
            Migration(number: 1, name: "conferences", sql: PackageResources._001_conferences_sql),
            Outbox.migration(number: 2),
            Migration(number: 3, name: "conference_policies", sql: PackageResources._003_conference_policies_sql),
            Migration(number: 4, name: "recordings", sql: PackageResources._004_recordings_sql),
            Migration(number: 5, name: "speaker_events", sql: PackageResources._005_speaker_events_sql),
            Migration(
                number: 6, name: "conference_announcements", sql: PackageResources._006_conference_announcements_sql),
        ],
        check: ObjectStore.check)

    private static func meetings(_ settings: Settings) -> MeetingRules {
        var rules = MeetingRules()
        rules.entrance.tries = settings.integer("TANDEM_PIN_TRIES")
        rules.entrance.silence = .seconds(settings.integer("TANDEM_PIN_SECONDS"))
        rules.grace = .seconds(settings.integer("TANDEM_MODERATOR_GRACE"))
        if settings.flag("TANDEM_CONFERENCE_VOICE") {
            rules.voice = ConferenceVoice(
                language: settings.text("TANDEM_CONFERENCE_LANGUAGE"), names: settings.integer("TANDEM_CONFERENCE_NAMES"))
        }
        return rules
    }

    private static func wire(_ runtime: Runtime, _ legacy: RoomInheritance, _ link: KeeperLink?) throws -> Wiring {
        let settings = runtime.settings
        let (pool, inside) = (settings.text("TANDEM_POOL"), settings.ipAddress("TANDEM_INSIDE_ADDRESS"))
        let policy = try FetchPolicy(allowing: settings.list("TANDEM_FETCH_ALLOW"))
        let threads = settings.integer("TANDEM_MEDIA_THREADS")
        let store = ConferenceStore(runtime: runtime)
        let outbox = Outbox(schema: ConferenceStore.schema, runtime: runtime)
        let minutes = Minutes(store: store, outbox: outbox, logger: runtime.logger)
        let plays = PlayEvents()
        let recording = try RecordingSettings(runtime)
        let recorder = Recorder(recording, logger: runtime.logger)
        let recordings = RecordingArchive(
            store: RecordingStore(runtime: runtime), settings: recording, runtime: runtime, outbox: outbox,
            objects: try ObjectStore(settings) { runtime.timestamp() })
        let links = LinkOrders(bus: runtime.bus, logger: runtime.logger)
        let spoken = SpokenOrders()
        let signals = Signals(
            owners: OwnerSignals(bus: runtime.bus, cache: runtime.cache), plays: plays, minutes: minutes, recorder: recorder,
            logger: runtime.logger, links: links, spoken: spoken)
        let largestRoom = settings.integer("TANDEM_ROOM_LIMIT")
        let count = threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
        let loops = try MixerLoops(
            count: count, priority: SoundThreads.priority(settings, runtime.logger), address: inside, largestRoom: largestRoom, linksPairs: settings.flag("TANDEM_ROOM_LINK"),
            custody: try legacy.custody(link, threads: count)
        ) { signals.tell($0) }
        links.work(for: loops)
        let library = try SoundSettings.library(settings, policy, runtime.logger) { id, customer throws(SoundProblem) in
            try await recordings.sound(id, customer: customer)
        }
        let (rendering, bus) = (Rendering(library: library, loops: loops, logger: runtime.logger), runtime.bus)
        spoken.work(for: loops, rendering)
        let (halted, halt) = AsyncStream.makeStream(of: RoomSnapshot.self)
        let snapshots = RoomSnapshots(
            cache: runtime.cache, loops: loops, instance: runtime.instance, now: { runtime.timestamp() }, logger: runtime.logger,
            render: { rendering.render($0) }, revive: { halt.yield($0) }, tellLost: { bus.tell($0, to: .instance($1)) })
        let transcriptions = Transcriptions(
            providers: try RecognitionProviders(settings, policy), limit: settings.integer("TANDEM_TRANSCRIPTIONS"), bus: runtime.bus,
            logger: runtime.logger)
        minutes.write(changesTo: snapshots)
        recorder.connect(loops) { recordings.ended($0) }
        runtime.announce { $0.pool = pool }
        return Wiring(
            runtime: runtime, loops: loops, rendering: rendering,
            signals: signals, transcriptions: transcriptions, plays: plays,
            streams: MediaStreams(settings, policy, loops: loops, key: runtime.key(for: MediaStreams.purpose)), store: store,
            snapshots: snapshots, outbox: outbox, minutes: minutes, recorder: recorder, recordings: recordings, halted: halted,
            rules: ConferenceRules(largestRoom: largestRoom), meetings: meetings(settings), pool: pool,
            startedAt: MonotonicClock.now())
    }
}

/// A setting whose mistake only this service can see.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
