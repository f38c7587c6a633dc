import Addresses
import Contracts

extension MediaLoop {
    /// `relay.session.capture`: the session's datagrams go to a pcap file, or do no more.
    func capture(_ command: CaptureMediaSession, _ respond: @escaping Recorder.Respond) {
        let name = Self.tapName("capture", command.sessionID, command.captureID)
        do throws(RPCError) {
            guard let leg = try tapped(command.sessionID, epoch: command.epoch) else { return remembered(name, respond) }
            switch command.action {
            case .start:
                if let use = leg.tap?.capture { return try again(use, name, respond) }
                let recorder = try recorder(writing: \.captures, as: "TANDEM_CAPTURES")
                let seconds = try Self.bounded(command.seconds, recorder.settings.captureSeconds, "/seconds")
                let bytes = try Self.bounded(command.bytes, recorder.settings.captureBytes, "/bytes")
                begin(.capture(addresses: [settings.media, settings.place6?.media].compactMap(\.self), seconds: seconds, bytes: bytes), \.capture, name, leg, recorder, respond)
                leg.tap?.capture?.isPlain = command.plain ?? false
            case .stop:
                guard let use = leg.tap?.capture, use.name == name else { return remembered(name, respond) }
                leg.tap?.capture = nil
                letGo(leg)
                recorder?.finish(use.id, name, dropped: use.dropped, .stopped, respond)
            }
        } catch {
            respond(.failure(error))
        }
    }
}
