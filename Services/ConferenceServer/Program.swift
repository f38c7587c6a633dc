import Addresses
import Bus
import Contracts
import Database
import Datagrams
import Deadlines
import FoundationEssentials
import ServiceKit
import Threads

/// Rooms: every call is in one. Mixes, plays, speaks, hears digits; keeps the customers' conferences.
@main
struct Program {
    static func main() async {
        await ServiceProgram.run(declaration) { runtime in
            let wiring = try wire(runtime)
            wiring.serve()
            let (snapshots, rendering, outbox) = (wiring.snapshots, wiring.rendering, wiring.outbox)
            runtime.cache.onReconnect { snapshots.noteAll() }
            let capacity = runtime.settings.integer("TANDEM_CAPACITY")
            let silence = Interval.seconds(runtime.settings.integer("TANDEM_SEAT_TIMEOUT"))
            runtime.background { await Upkeep(wiring: wiring, capacity: capacity, seatSilence: silence).run() }
            runtime.background { await rendering.run() }
            let minutes = wiring.minutes
            runtime.background { await minutes.run() }
            runtime.background { await outbox.run() }
            let (plays, store, logger) = (wiring.plays, wiring.store, runtime.logger)
            runtime.background { await plays.run(snapshots, store, wake: { outbox.wake() }, logger) }
            runtime.background { await sealOldPINs(wiring) }
            let loops = wiring.loops
            let patience = max(0, runtime.settings.integer("TANDEM_DRAIN_SECONDS") - 1)
            runtime.whenDraining {
                await emptied(loops, within: patience)
                await snapshots.flush()
                await snapshots.yield()
                await minutes.flush()
                await outbox.flush()
                loops.stop()
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

    private static let declaration = ServiceProgram.Declaration(
        .conferenceServer,
        settings: [
            Setting("TANDEM_POOL", default: "all", "which rooms this instance takes: calls, conferences or all"),
            Setting("TANDEM_MEDIA_THREADS", .integer(0...64), default: "0", "mixer threads; 0: one per processor"),
            Setting("TANDEM_CAPACITY", .integer(1...100_000), default: "2000", "participants at which this instance is full"),
            Setting(
                "TANDEM_SEAT_TIMEOUT", .integer(5...86_400), default: "120",
                "seconds of silence after which a seat is freed if nobody owns its call"),
            Setting("TANDEM_ROOM_LIMIT", .integer(2...10_000), default: "5000", "participants at which a room is full"),
            Setting("TANDEM_PIN_TRIES", .integer(1...10), default: "3", "wrong PINs after which a conference lets nobody in"),
            Setting("TANDEM_PIN_SECONDS", .integer(2...120), default: "10", "silence after which a PIN is waited for no more"),
            Setting(
                "TANDEM_MODERATOR_GRACE", .integer(0...3600), default: "10",
                "seconds in which a moderator may come back to a conference that ends with its moderators"),
            Setting(
                "TANDEM_SOUNDS", default: "",
                "folder of sounds that can be played by name; music/CUSTOMER.wav (ogg, mp3, flac) is that customer's music on hold"),
            Setting(
                "TANDEM_FETCH_ALLOW", default: "",
                "private addresses, ranges or host names that sounds may be fetched from; none by default"),
        ] + SoundSettings.declared,
        needs: [.bus, .database, .cache, .fleet], schema: ConferenceStore.schema,
        migrations: [
            Migration(number: 1, name: "conferences", sql: PackageResources._001_conferences_sql),
            Outbox.migration(number: 2),
            Migration(number: 3, name: "conference_policies", sql: PackageResources._003_conference_policies_sql),
        ])

    private static func meetings(_ settings: Settings) -> MeetingRules {
        var rules = MeetingRules()
        rules.entrance.tries = settings.integer("TANDEM_PIN_TRIES")
        rules.entrance.silence = .seconds(settings.integer("TANDEM_PIN_SECONDS"))
        rules.grace = .seconds(settings.integer("TANDEM_MODERATOR_GRACE"))
        return rules
    }

    private static func wire(_ runtime: Runtime) throws -> Wiring {
        let settings = runtime.settings
        let pool = settings.text("TANDEM_POOL")
        guard ["all", "calls", "conferences"].contains(pool) else {
            throw ConfigurationError("TANDEM_POOL is '\(pool)': give calls, conferences or all")
        }
        guard let inside = IPAddress(settings.text("TANDEM_INSIDE_ADDRESS")) else {
            throw ConfigurationError("TANDEM_INSIDE_ADDRESS is no IP address")
        }
        let policy = try FetchPolicy(allowing: settings.list("TANDEM_FETCH_ALLOW"))
        let threads = settings.integer("TANDEM_MEDIA_THREADS")
        let store = ConferenceStore(runtime: runtime)
        let outbox = Outbox(schema: ConferenceStore.schema, runtime: runtime)
        let minutes = Minutes(store: store, outbox: outbox, logger: runtime.logger)
        let plays = PlayEvents()
        let signals = Signals(bus: runtime.bus, plays: plays, minutes: minutes, logger: runtime.logger)
        let largestRoom = settings.integer("TANDEM_ROOM_LIMIT")
        let loops = try MixerLoops(
            count: threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount, address: inside,
            largestRoom: largestRoom
        ) { signals.tell($0) }
        let library = try SoundSettings.library(settings, policy, runtime.logger)
        let snapshots = RoomSnapshots(
            cache: runtime.cache, loops: loops, instance: runtime.instance, now: { runtime.timestamp() }, logger: runtime.logger)
        minutes.write(changesTo: snapshots)
        runtime.announce { $0.pool = pool }
        return Wiring(
            runtime: runtime, loops: loops, rendering: Rendering(library: library, loops: loops, logger: runtime.logger),
            plays: plays, store: store, snapshots: snapshots, outbox: outbox, minutes: minutes,
            rules: ConferenceRules(largestRoom: largestRoom), meetings: meetings(settings), pool: pool,
            startedAt: MonotonicClock.now())
    }
}

/// A setting whose mistake only this service can see.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
