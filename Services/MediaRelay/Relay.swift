import Bus
import Bytes
import Contracts
import Datagrams
import FastPath

/// The media threads of this process, and which of them a session lives on.
struct Relay: Sendable {
    let loops: [MediaLoop]
    let occupancy: Occupancy
    /// Nil: every packet comes to its socket.
    let fastPath: FastPath?

    /// With `custody` for each thread, there are as many as there were.
    init(
        settings: RelaySettings, security: Security, occupancy: Occupancy, events: SessionEvents, recorder: Recorder? = nil,
        custody: [Custody] = [], fastPath: FastPath? = nil
    ) throws(RelaySettings.Mistake) {
        (self.occupancy, self.fastPath) = (occupancy, fastPath)
        var settings = settings
        if !custody.isEmpty { settings.threads = custody.count }
        do throws(SocketError) {
            loops = try (0..<settings.threads).map { index throws(SocketError) in
                try MediaLoop(
                    index: index, settings: settings, security: security, occupancy: occupancy, events: events, recorder: recorder,
                    custody: custody.isEmpty ? nil : custody[index], fastPath: fastPath)
            }
        } catch {
            throw RelaySettings.Mistake(description: error.description(setting: "TANDEM_INSIDE_ADDRESS"))
        }
    }

    /// All commands about a session go to one thread, in the order they came.
    ///
    /// A session is named after its call, and a call that was made for another begins with the same time: so the two lie on one thread and,
    /// once they are linked, a packet is read and sent once.
    func loop(of sessionID: String) -> MediaLoop {
        let name = sessionID.hasPrefix("sess_") ? sessionID.prefix(Self.timePart) : sessionID[...]
        return loops[Int(StableHash.hash(name.utf8) % UInt64(loops.count))]
    }

    /// `sess_` and the ten letters of a ULID that are its time.
    private static let timePart = 15

    /// Serves a command on the thread of its session.
    func serve<C: Command>(
        _ command: C.Type, _ bus: Bus, about sessionID: @escaping @Sendable (C) -> String,
        _ perform: @escaping @Sendable (isolated MediaLoop, C) throws(RPCError) -> C.Reply
    ) {
        bus.serve(immediately: command, on: .thisInstance) { command, _, respond in
            loop(of: sessionID(command)).post { loop in
                respond(Result { () throws(RPCError) in try perform(loop, command) })
            }
        }
    }

    /// The same for a command whose answer comes later.
    func serve<C: Command>(
        _ command: C.Type, _ bus: Bus, about sessionID: @escaping @Sendable (C) -> String,
        later perform: @escaping @Sendable (isolated MediaLoop, C, @escaping @Sendable (Result<C.Reply, RPCError>) -> Void) -> Void
    ) {
        bus.serve(immediately: command, on: .thisInstance) { command, _, respond in
            loop(of: sessionID(command)).post { perform($0, command, respond) }
        }
    }

    /// Returns when no session is left.
    func drained() async {
        while occupancy.count > 0 {
            do { try await Task.sleep(nanoseconds: 100_000_000) } catch { return }
        }
    }

    func stop() {
        for loop in loops { loop.loop.stop() }
    }
}
