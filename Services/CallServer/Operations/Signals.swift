import Bus
import Contracts
import Threads

/// What rooms and relays tell the instance that owns a call.
enum Signals {
    static func serve(on bus: Bus, _ engine: CallEngine) {
        serve(DigitPressed.self, on: bus, engine) { ($0.callID, .digit($0.digit)) }
        serve(PlayFinished.self, on: bus, engine) { ($0.callID, .playFinished(playID: $0.playID, $0.reason)) }
        serve(ParticipantRemoved.self, on: bus, engine) { ($0.callID, .removedFromRoom(roomID: $0.roomID)) }
        serve(MediaTimedOut.self, on: bus, engine) { ($0.callID, .mediaSilent) }
        serve(MediaFailed.self, on: bus, engine) { ($0.callID, .mediaLost(reason: $0.reason)) }
    }

    private static func serve<C: Command>(
        _ command: C.Type, on bus: Bus, _ engine: CallEngine, _ event: @escaping @Sendable (C) -> (String, LegEvent)
    ) where C.Reply == Done {
        bus.serve(immediately: command, on: .thisInstance) { command, _, respond in
            let (id, event) = event(command)
            engine.loop.post { engine.assumeIsolated { $0.handle(id, event) } }
            respond(.success(Done()))
        }
    }
}
