import Bus
import Bytes
import Contracts
import Deadlines
import Threads

// Recordings over the bus: begun where the room is, ended where it is made, read by whoever can.
extension Wiring {
    func serveRecordings() {
        bus.serve(StartRecording.self, on: .both, startRecording)
        bus.serve(ControlRecording.self, on: .both, controlRecording)
        bus.serve(GetRecording.self, on: .anyInstance) { command, _ in try await recording(command.customerID, command.id).recording }
        bus.serve(ListRecordings.self, on: .anyInstance) { command, _ in try await recordings.store.list(command) }
        bus.serve(DeleteRecording.self, on: .both, deleteRecording)
        bus.serve(ReadRecording.self, on: .both, readRecording)
    }

    private func recording(_ customer: String, _ id: String) async throws -> RecordingStore.Kept {
        guard let found = try await recordings.store.find(customer: customer, id: id) else {
            throw RPCError(.notFound, "no such recording")
        }
        return found
    }

    private func startRecording(_ command: StartRecording, _ delivery: Delivery) async throws -> Recording {
        guard Identifier.isPlausible(command.recordingID, prefix: "rec") else { throw RPCError(.invalid, "no id of a recording") }
        if let known = try await recordings.store.find(customer: command.customerID, id: command.recordingID) { return known.recording }
        guard let snapshot = await loops.loop(of: command.roomID).snapshot(of: command.roomID) else {
            guard let host = try await host(ofRecorded: command.roomID), !isPassedOn(delivery) else {
                throw RPCError(.conflict, "nobody is in this room")
            }
            return try await bus.call(command, to: .instance(host), context: delivery.context(now: MonotonicClock.now()))
        }
        guard snapshot.customerID == command.customerID else { throw RPCError(.notFound, "no such room") }
        guard recorder.isOn else { throw RPCError(.unavailable, "no recordings are made here: TANDEM_RECORDINGS is not set") }
        let start = try prepare(command, in: snapshot)
        guard try await recordings.store.insert(start.recording, start.terms) else {
            throw RPCError(.conflict, "the recording's id is taken")
        }
        outbox.wake()
        do throws(RPCError) { try await recorder.start(start) } catch {
            recordings.ended(.init(recording: start.recording, reason: .failed, failure: error.detail))
            throw error
        }
        await snapshots.keep(command.roomID)
        return start.recording
    }

    /// Goes on with the recordings of a room that was taken over, each as a part more; the parts are joined when it is stored, so the
    /// folder is one that both can see. What cannot go on ends where its process died.
    func continueRecordings(of room: RoomSnapshot) async {
        for position in room.recordings ?? [] {
            do {
                guard let kept = try await recordings.store.find(customer: room.customerID, id: position.id), kept.recording.status.isLive,
                    try await recordings.store.claim(kept, goesOn: true)
                else { continue }
                let passed = position.paused ? 0 : room.takenAt.map { runtime.timestamp().milliseconds - $0.milliseconds } ?? 0
                var (recording, place) = (kept.recording, RecordingPlace(kept.recording))
                (recording.roomID, recording.participantID) = (room.id, position.participantID)
                (place.part, place.position) = (kept.parts + 1, (position.milliseconds + Int(clamping: max(0, passed))) / 20)
                do throws(RPCError) {
                    try await recorder.start(.init(recording: recording, terms: position.terms, place: place, isPaused: position.paused))
                } catch {
                    recordings.interrupted(kept, parts: kept.parts + 1)
                }
            } catch {
                runtime.logger.warning("a recording does not go on: \(error)", metadata: ["recording": "\(position.id)"])
            }
        }
    }

    private func prepare(_ command: StartRecording, in room: RoomSnapshot) throws(RPCError) -> Recorder.Start {
        var terms = command.terms
        var recording = Recording(
            id: command.recordingID, customerID: command.customerID, status: .recording, layout: terms.layout, format: terms.format,
            roomID: room.id, startedAt: runtime.timestamp())
        (recording.conferenceID, recording.callID) = (room.conferenceID, command.callID)
        if command.participantID != nil || command.callID != nil {
            let member = room.members.first {
                $0.settings.participantID == command.participantID
                    || (command.participantID == nil && $0.settings.callID == command.callID)
            }
            guard let member else { throw RPCError(.conflict, "nobody of that name is in this room") }
            (recording.participantID, recording.callID) = (member.settings.participantID, member.settings.callID)
        }
        if terms.layout == .stereo, recording.participantID == nil {
            throw Self.refusal("/layout", "stereo", "stereo is for a participant: what it says left, what it hears right")
        }
        if terms.layout == .tracks, recording.participantID != nil { recording.participantID = nil }
        if let keys = terms.endKeys, !keys.allSatisfy({ "0123456789*#ABCD".contains($0) }) || keys.count > 16 {
            throw Self.refusal("/end_of_key", "format", "keys are 0-9, A-D, * and #")
        }
        for (pointer, seconds) in [("/duration", terms.seconds), ("/end_of_silence", terms.endOfSilence)] {
            if let seconds, !(0...86_400).contains(seconds) { throw Self.refusal(pointer, "range", "0 to 86400 seconds") }
        }
        if terms.seconds == 0 { terms.seconds = nil }
        if terms.endOfSilence == 0 { terms.endOfSilence = nil }
        return Recorder.Start(
            recording: recording, terms: terms, place: RecordingPlace(recording), beeps: terms.beep == true)
    }

    private static func refusal(_ pointer: String, _ code: String, _ detail: String) -> RPCError {
        RPCError(.invalid, "a recording with mistakes", problems: [Problem(pointer: pointer, code: code, detail: detail)])
    }

    /// Another living instance that hosts the room.
    private func host(ofRecorded room: String) async throws -> String? {
        guard let host = try await snapshots.host(of: room), host != runtime.instance,
            runtime.fleet.isAlive(.conferenceServer, instance: host)
        else { return nil }
        return host
    }

    /// Whether another of us asks: it is not passed on again.
    private func isPassedOn(_ delivery: Delivery) -> Bool { delivery.sender.hasPrefix(ServiceName.conferenceServer.rawValue) }

    private func controlRecording(_ command: ControlRecording, _ delivery: Delivery) async throws -> Page<Recording> {
        let found = try await recordings.store.live(command)
        guard !found.isEmpty else {
            guard let id = command.recordingID else { throw RPCError(.conflict, "nothing is recorded") }
            _ = try await recording(command.customerID, id)
            throw RPCError(.conflict, "the recording is over")
        }
        var changed: [Recording] = []
        for kept in found {
            if kept.incarnation == runtime.incarnation {
                changed.append(try await control(kept, command.change))
            } else if !isPassedOn(delivery) {
                var command = command
                (command.recordingID, command.callID, command.conferenceID) = (kept.recording.id, nil, nil)
                changed += try await bus.call(
                    command, to: .instance(kept.instance), context: delivery.context(now: MonotonicClock.now())
                ).data
            }
        }
        return Page(data: changed)
    }

    private func control(_ kept: RecordingStore.Kept, _ change: ControlRecording.Change) async throws -> Recording {
        let (id, customer) = (kept.recording.id, kept.recording.customerID)
        var isHere = true
        switch change {
        case .stop:
            isHere = await recorder.stop(id)
            // Stored meanwhile, it is over all the same.
            _ = try await recordings.store.end(id, customer: customer, .stopped, at: runtime.timestamp())
        case .pause, .resume:
            isHere = await recorder.pause(id, change == .pause)
            if isHere, try await recordings.store.pause(id, customer: customer, change == .pause) != nil { outbox.wake() }
        }
        if !isHere { runtime.logger.debug("a recording has ended meanwhile", metadata: ["recording": "\(id)"]) }
        await snapshots.keep(kept.recording.roomID)
        return try await recording(customer, id).recording
    }

    private func deleteRecording(_ command: DeleteRecording, _ delivery: Delivery) async throws -> Done {
        let kept = try await recording(command.customerID, command.id)
        guard [.stored, .failed].contains(kept.recording.status) else { throw RPCError(.conflict, "the recording is not over") }
        if let other = keeper(kept, delivery) {
            return try await bus.call(command, to: .instance(other), context: delivery.context(now: MonotonicClock.now()))
        }
        guard try await recordings.remove(kept) else { throw RPCError(.notFound, "no such recording") }
        return Done()
    }

    /// The instance that has the files, when this one has not.
    private func keeper(_ kept: RecordingStore.Kept, _ delivery: Delivery) -> String? {
        guard !recordings.isHere(kept), kept.instance != runtime.instance, !isPassedOn(delivery),
            runtime.fleet.isAlive(.conferenceServer, instance: kept.instance)
        else { return nil }
        return kept.instance
    }

    private func readRecording(_ command: ReadRecording, _ delivery: Delivery) async throws -> ReadRecording.Reply {
        let kept = try await recording(command.customerID, command.id)
        guard kept.recording.status == .stored else { throw RPCError(.conflict, "the recording is not stored yet, or failed") }
        guard command.offset >= 0, (0...ReadRecording.longestPiece).contains(command.length) else {
            throw RPCError(.invalid, "a piece has at most \(ReadRecording.longestPiece) bytes")
        }
        let type = kept.recording.format == .wav ? "audio/wav" : "audio/ogg"
        if kept.recording.layout == .tracks, command.track == nil {
            let bytes = RecordingArchive.manifest(of: kept.recording)
            let piece = Array(bytes.dropFirst(command.offset).prefix(command.length))
            return .init(
                piece: Base64.encode(piece), size: bytes.count, contentType: "application/json", sha256: kept.recording.sha256 ?? "")
        }
        var sha256 = kept.recording.sha256 ?? ""
        if let track = command.track {
            guard let found = kept.recording.tracks?.first(where: { $0.track == track }) else {
                throw RPCError(.notFound, "the recording has no such track")
            }
            sha256 = found.sha256
        }
        if let other = keeper(kept, delivery) {
            return try await bus.call(command, to: .instance(other), context: delivery.context(now: MonotonicClock.now()))
        }
        do {
            let media = try await recordings.media(of: kept, track: command.track)
            let piece = try await media.read(command.offset, command.length)
            return .init(piece: Base64.encode(piece), size: media.length, contentType: type, sha256: sha256)
        } catch let trouble as RecordingTrouble {
            runtime.logger.error("a recording cannot be read: \(trouble)", metadata: ["recording": "\(command.id)"])
            throw RPCError(.unavailable, "the recording's sound cannot be had")
        }
    }
}
