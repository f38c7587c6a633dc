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
    let store: ConferenceStore
    let snapshots: RoomSnapshots
    let outbox: Outbox
    /// `calls`, `conferences` or `all`: a busy conference must not hurt ordinary calls.
    let pool: String
    let startedAt: Instant

    var bus: Bus { runtime.bus }

    func serve() {
        bus.serve(JoinRoom.self, on: .thisInstance, join)
        bus.serve(LeaveRoom.self, on: .thisInstance, leave)
        bus.serve(PlayInRoom.self, on: .thisInstance, play)
        bus.serve(StopPlay.self, on: .thisInstance, stop)
        bus.serve(SetParticipant.self, on: .thisInstance, set)
        bus.serve(SendDigits.self, on: .thisInstance, sendDigits)
        bus.serve(JoinConference.self, on: .both, joinConference)
        bus.serve(ListParticipants.self, on: .both, listParticipants)
        bus.serve(UpdateParticipant.self, on: .both, updateParticipant)
        bus.serve(RemoveParticipant.self, on: .both, removeParticipant)
        bus.serve(ResolveConference.self, on: .anyInstance, resolveConference)
        bus.serve(CreateConference.self, on: .anyInstance, createConference)
        bus.serve(GetConference.self, on: .anyInstance, getConference)
        bus.serve(ListConferences.self, on: .anyInstance, listConferences)
        bus.serve(UpdateConference.self, on: .anyInstance, updateConference)
        bus.serve(DeleteConference.self, on: .anyInstance, deleteConference)
    }
}
