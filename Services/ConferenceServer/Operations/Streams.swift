import Bus
import Contracts

extension Wiring {
    func startStream(_ command: StartStream, _ delivery: Delivery) async throws -> StartStream.Reply {
        let stream = try await streams.start(command, conferenceID: nil, at: runtime.timestamp())
        await snapshots.keep(command.roomID)
        return StartStream.Reply(stream: stream)
    }

    func stopStream(_ command: StopStream, _ delivery: Delivery) async throws -> Done {
        _ = await streams.stop(command.streamID, room: command.roomID, customer: command.customerID)
        await snapshots.keep(command.roomID)
        return Done()
    }

    func streamConference(_ command: StreamConference, _ delivery: Delivery) async throws -> Done {
        let room = Self.room(of: command.conferenceID)
        guard await hosted(room, customer: command.customerID) != nil else {
            return try await ask(
                command, hostOf: room, customer: command.customerID, conference: command.conferenceID, delivery)
        }
        switch command.change {
        case .start(let settings):
            let start = StartStream(
                roomID: room, customerID: command.customerID, callID: nil, participantID: nil, owner: nil, stream: settings)
            _ = try await streams.start(start, conferenceID: command.conferenceID, at: runtime.timestamp())
        case .stop(let id):
            guard await streams.stop(id, room: room, customer: command.customerID) else { throw RPCError(.notFound, "no such stream") }
        }
        await snapshots.keep(room)
        return Done()
    }

    /// For a successor of the room, once its members sit there again: their streams connect anew, as loud and as muted as they were.
    func resumeStreams(of snapshot: RoomSnapshot) async {
        for member in snapshot.streams ?? [] {
            do {
                _ = try await streams.start(member.request, conferenceID: snapshot.conferenceID, at: member.joinedAt)
                try await loops.loop(of: snapshot.id).set(
                    room: snapshot.id, participant: member.request.stream.id, muted: member.muted, deaf: member.deaf,
                    direction: member.direction?.asked)
            } catch {
                runtime.logger.warning(
                    "a media stream of a room that was taken over could not be begun: \(error)",
                    metadata: ["room": "\(snapshot.id)", "stream": "\(member.request.stream.id)"])
            }
        }
    }

    /// Writes down what becomes of streams, gives their seats up and tells their calls. Runs until its task is cancelled.
    func tellOfStreams() async {
        for await told in streams.news {
            let (request, stream) = (told.request, told.request.stream)
            if told.news.isLast {
                _ = await streams.stop(stream.id, room: request.roomID, customer: request.customerID)
                snapshots.note(request.roomID)
                if told.isOverForItsCall, let call = request.callID, let owner = request.owner {
                    bus.tell(StreamEnded(callID: call, streamID: stream.id), to: .instance(owner))
                }
            }
            do {
                try await store.record(told)
                outbox.wake()
            } catch {
                runtime.logger.error("an event of a stream could not be recorded: \(error)", metadata: ["stream": "\(stream.id)"])
            }
        }
    }
}
