import Contracts

extension Wiring {
    func listen(_ command: ListenInRoom, on loop: isolated MixerLoop) throws(RPCError) -> Done {
        try loop.listen(command, try tap(command, on: loop))
        return Done()
    }

    /// Where the sound goes that is to be written down.
    private func tap(_ command: ListenInRoom, on loop: isolated MixerLoop) throws(RPCError) -> TranscriptionTap? {
        guard let transcription = command.watch.transcription else { return nil }
        do { try transcriptions.assertProvided(transcription) } catch {
            throw RPCError(.invalid, error.detail, problems: [Problem(pointer: "", code: error.code, detail: error.detail)])
        }
        guard let settings = loop.settings(of: command.participantID, in: command.roomID) else {
            throw RPCError(.notFound, "no such participant")
        }
        let age = runtime.timestamp().milliseconds - transcription.startedAt.milliseconds
        let order = Transcriptions.Order(
            transcription: transcription, watchID: command.watch.id, callID: settings.callID, owner: settings.owner,
            offset: Int(clamping: max(0, age)))
        guard let tap = transcriptions.begin(order) else { throw RPCError(.exhausted, "too many transcriptions are made here") }
        return tap
    }

    func stopListening(_ command: StopListening, on loop: isolated MixerLoop) -> Done {
        loop.stopListening(command)
        return Done()
    }
}
