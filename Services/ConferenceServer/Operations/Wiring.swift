import Bus
import Contracts
import Deadlines
import Logging
import ServiceKit

/// What the operations work with.
struct Wiring: Sendable {
    let runtime: Runtime
    let loops: MixerLoops
    let rendering: Rendering
    let signals: Signals
    let transcriptions: Transcriptions
    let plays: PlayEvents
    let streams: MediaStreams
    let store: ConferenceStore
    let snapshots: RoomSnapshots
    let outbox: Outbox
    let minutes: Minutes
    let recorder: Recorder
    let recordings: RecordingArchive
    /// Rooms of instances that are gone, where more than the mixer is to go on.
    let halted: AsyncStream<RoomSnapshot>
    let rules: ConferenceRules
    /// What holds for every conference, whatever its own policy.
    let meetings: MeetingRules
    /// `calls`, `conferences` or `all`: a busy conference must not hurt ordinary calls.
    let pool: String
    let startedAt: Instant

    var bus: Bus { runtime.bus }

    func serve() {
        bus.serve(JoinRoom.self, on: .thisInstance, join)
        bus.serve(LeaveRoom.self, on: .thisInstance, leave)
        bus.serve(LeaveRooms.self, on: .thisInstance, leave)
        bus.serve(LocateRoom.self, on: .anyInstance, locate)
        serve(PlayInRoom.self, about: { $0.roomID }) { command, loop throws(RPCError) in try play(command, on: loop) }
        serve(StopPlay.self, about: { $0.roomID }) { command, loop throws(RPCError) in stop(command, on: loop) }
        serve(ControlPlay.self, about: { $0.roomID }) { command, loop throws(RPCError) in try control(command, on: loop) }
        serve(SetParticipant.self, about: { $0.roomID }) { command, loop throws(RPCError) in try set(command, on: loop) }
        serve(SendDigits.self, about: { $0.roomID }, isKept: false) { command, loop throws(RPCError) in try sendDigits(command, on: loop) }
        serve(ListenInRoom.self, about: { $0.roomID }) { command, loop throws(RPCError) in try listen(command, on: loop) }
        serve(StopListening.self, about: { $0.roomID }) { command, loop throws(RPCError) in stopListening(command, on: loop) }
        bus.serve(StartStream.self, on: .thisInstance, startStream)
        bus.serve(StopStream.self, on: .thisInstance, stopStream)
        bus.serve(StreamConference.self, on: .both, streamConference)
        bus.serve(JoinConference.self, on: .both, joinConference)
        bus.serve(ListParticipants.self, on: .both, listParticipants)
        bus.serve(UpdateParticipant.self, on: .both, updateParticipant)
        bus.serve(RemoveParticipant.self, on: .both, removeParticipant)
        bus.serve(ControlConference.self, on: .both, controlConference)
        bus.serve(ResolveConference.self, on: .anyInstance, resolveConference)
        bus.serve(CreateConference.self, on: .anyInstance, createConference)
        bus.serve(GetConference.self, on: .anyInstance, getConference)
        bus.serve(ListConferences.self, on: .anyInstance, listConferences)
        bus.serve(UpdateConference.self, on: .anyInstance, updateConference)
        bus.serve(DeleteConference.self, on: .anyInstance, deleteConference)
        serveRecordings()
    }

    /// Serves a command on its room's thread, in the order the commands came: tasks might let a stop overtake its play, or
    /// the second half of a number the first. What it changed `isKept` for a successor before it is answered.
    private func serve<C: Command>(
        _ command: C.Type, about room: @escaping @Sendable (C) -> String, isKept: Bool = true,
        _ perform: @escaping @Sendable (C, isolated MixerLoop) throws(RPCError) -> C.Reply
    ) {
        bus.serve(immediately: command, on: .thisInstance) { command, _, respond in
            let room = room(command)
            loops.loop(of: room).post { loop in
                let result = Result { () throws(RPCError) in try perform(command, loop) }
                guard isKept, case .success = result else { return respond(result) }
                Task {
                    await snapshots.keep(room)
                    respond(result)
                }
            }
        }
    }
}
