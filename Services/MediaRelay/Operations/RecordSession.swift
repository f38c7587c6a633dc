import Audio
import Contracts

extension MediaLoop {
    /// `relay.session.record`: what the phone says and hears goes to a file, or does no more.
    func record(_ command: RecordMediaSession, _ respond: @escaping Recorder.Respond) {
        let name = Self.tapName("record", command.sessionID, command.recordingID)
        do throws(RPCError) {
            guard let leg = try tapped(command.sessionID, epoch: command.epoch) else { return remembered(name, respond) }
            switch command.action {
            case .start:
                if let use = leg.tap?.recording { return try again(use, name, respond) }
                let recorder = try recorder(writing: \.recordings, as: "TANDEM_RECORDINGS")
                let terms = try terms(of: command, recorder.settings)
                begin(.recording(terms), \.recording, name, leg, recorder, respond)
            case .stop:
                guard let use = leg.tap?.recording, use.name == name else { return remembered(name, respond) }
                leg.tap?.recording = nil
                letGo(leg)
                recorder?.finish(use.id, name, dropped: use.dropped, .stopped, respond)
            }
        } catch {
            respond(.failure(error))
        }
    }

    private func terms(of command: RecordMediaSession, _ settings: TapSettings) throws(RPCError) -> Recording.Terms {
        let seconds = try Self.bounded(command.seconds, settings.recordingSeconds, "/seconds")
        let bytes = try Self.bounded(command.bytes, settings.recordingBytes, "/bytes")
        return Recording.Terms(
            isStereo: command.channels != .mono, encoding: command.encoding == .mulaw ? .g711(.ulaw) : .linear,
            keepsDigits: command.digits ?? true, longest: seconds * Samples.rate, largest: bytes)
    }
}
