import Bus
import Contracts
import Threads

/// What rooms and relays tell the instance that owns a call.
enum Signals {
    static func serve(on bus: Bus, _ engine: CallEngine) {
        serve(DigitPressed.self, on: bus, engine, pressID: { $0.pressID }) {
            ($0.callID, $0.bypassesRoom == true ? .digitPastRoom($0.digit) : .digit($0.digit))
        }
        serve(PlayFinished.self, on: bus, engine) { ($0.callID, .playFinished(playID: $0.playID, $0.reason)) }
        serve(HeardInRoom.self, on: bus, engine) { ($0.callID, .heard(watchID: $0.watchID, $0.finding)) }
        serve(ParticipantRemoved.self, on: bus, engine) { ($0.callID, .removedFromRoom(roomID: $0.roomID, reason: $0.reason)) }
        serve(StreamEnded.self, on: bus, engine) { ($0.callID, .streamEnded(id: $0.streamID)) }
        serve(MediaTimedOut.self, on: bus, engine) { ($0.callID, $0.sessionID, .mediaSilent) }
        serve(MediaFailed.self, on: bus, engine) { ($0.callID, $0.sessionID, .mediaLost(reason: $0.reason)) }
        bus.serve(immediately: RoomLost.self, on: .thisInstance) { command, delivery, respond in
            let instance = String(delivery.sender.dropFirst(ServiceName.conferenceServer.rawValue.count + 1))
            engine.loop.post { engine.assumeIsolated { $0.roomLost(command.callID, room: command.roomID, at: instance) } }
            respond(.success(Done()))
        }
        bus.serve(immediately: MoveCallMedia.self, on: .thisInstance) { command, _, respond in
            engine.loop.post { engine.assumeIsolated { $0.move(command.callID, from: command.relay) } }
            respond(.success(Done()))
        }
    }

    /// What concerns one session of the call: to one that the call has left nothing happens.
    private static func serve<C: Command>(
        _ command: C.Type, on bus: Bus, _ engine: CallEngine, _ event: @escaping @Sendable (C) -> (String, String, LegEvent)
    ) where C.Reply == Done {
        bus.serve(immediately: command, on: .thisInstance) { command, _, respond in
            let (id, session, event) = event(command)
            engine.loop.post {
                engine.assumeIsolated { engine in
                    engine.hear(of: id, respond) { $0.happened(id, session: session, event) }
                }
            }
        }
    }

    private static func serve<C: Command>(
        _ command: C.Type, on bus: Bus, _ engine: CallEngine, pressID: @escaping @Sendable (C) -> String? = { _ in nil },
        _ event: @escaping @Sendable (C) -> (String, LegEvent)
    ) where C.Reply == Done {
        bus.serve(immediately: command, on: .thisInstance) { command, delivery, respond in
            let ((id, event), sender, press) = (event(command), delivery.sender, pressID(command))
            engine.loop.post {
                engine.assumeIsolated { engine in
                    engine.hear(of: id, respond) { engine in
                        guard engine.hears(sender, about: id), engine.isNews(press, for: id) else { return }
                        engine.handle(id, event)
                    }
                }
            }
        }
    }
}

extension CallEngine {
    private static let keysRemembered = 16

    /// Takes what a room or a relay tells, and says so when it is written down: until then it is told again, perhaps to a successor.
    func hear(
        of id: String, _ respond: @escaping @Sendable (Result<Done, RPCError>) -> Void, _ take: (isolated CallEngine) -> Void
    ) {
        // A call that is over has no use for it.
        guard legs[id] != nil else { return respond(journal.holds(id) ? .success(Done()) : .failure(RPCError(.notFound, "no such call"))) }
        let before = legs[id]?.leg.revision
        take(self)
        guard let revision = legs[id]?.leg.revision, revision != before else { return respond(.success(Done())) }
        legs[id]?.whenSaved.append((revision, { isOurs in
            respond(isOurs ? .success(Done()) : .failure(RPCError(.notFound, "the call is another server's by now")))
        }))
    }

    /// Whether a key was not heard before.
    func isNews(_ press: String?, for id: String) -> Bool {
        guard let press, legs[id] != nil else { return true }
        var heard = legs[id]?.leg.heardKeys ?? []
        guard !heard.contains(press) else { return false }
        heard.append(press)
        legs[id]?.leg.heardKeys = Array(heard.suffix(Self.keysRemembered))
        return true
    }
}
