import Addresses
import Audio
import NG
import ServiceKit
import Synchronization
import Telemetry
import Threads

// What both sides of a call say goes to files, for as long as somebody wants it.
extension MediaLoop {
    private static let refused = Counter("tandem_ng_refused_recordings_total", "Calls over ng that were to be recorded and could not be.")

    /// `start recording`, which goes on after `pause recording`; the answer comes when the files are there.
    func startRecording(_ request: Request, _ respond: @escaping @Sendable (Reply) -> Void) {
        do throws(NGRefusal) {
            let call = try known(request)
            try wantRecording(of: call, request.options.recording)
            record(call, respond)
        } catch {
            respond(error.reply)
        }
    }

    /// `stop recording`: what was said until now is in the files when the answer comes.
    func stopRecording(_ request: Request, _ respond: @escaping @Sendable (Reply) -> Void) {
        do throws(NGRefusal) {
            endRecording(of: try known(request)) { respond(.ok()) }
        } catch {
            respond(error.reply)
        }
    }

    /// `pause recording`: the files stay open, and are silent meanwhile.
    func pauseRecording(_ request: Request) throws(NGRefusal) -> Reply {
        let call = try known(request)
        call.recording?.isPaused = true
        for leg in call.legs { leg.tap?.isPaused = true }
        return .ok()
    }

    private func known(_ request: Request) throws(NGRefusal) -> Call {
        guard let call = attended(request.callID) else { throw NGRefusal("Unknown call-id") }
        return call
    }

    /// What an offer or answer says of it. A call goes on without a recording that cannot be made.
    func followRecording(of call: Call, _ options: Options) {
        switch options.recording.isWanted {
        case true?:
            do throws(NGRefusal) {
                try wantRecording(of: call, options.recording)
            } catch {
                Self.refused.add()
            }
        case false?: endRecording(of: call) {}
        case nil: break
        }
        record(call) { _ in }
    }

    private func wantRecording(of call: Call, _ options: RecordingOptions) throws(NGRefusal) {
        guard call.recording == nil else {
            call.recording?.isPaused = false
            for leg in call.legs { leg.tap?.isPaused = false }
            return
        }
        let form = options.form ?? settings.ng.recordingForm
        let (folder, setting) = form == .pcap ? (\TapSettings.captures, "TANDEM_CAPTURES") : (\TapSettings.recordings, "TANDEM_RECORDINGS")
        guard let recorder, !recorder.settings[keyPath: folder].isEmpty else {
            throw NGRefusal("this relay writes no such files: \(setting) is not set")
        }
        call.recording = CallRecording(form: form, name: try Self.fileName(options.name), began: WallClock.milliseconds())
    }

    /// Names come from outside, and files lie in one folder.
    private static func fileName(_ wanted: String?) throws(NGRefusal) -> String? {
        guard let wanted else { return nil }
        let base = [".wav", ".pcap"].first { wanted.hasSuffix($0) }.map { String(wanted.dropLast($0.count)) } ?? wanted
        guard !base.isEmpty, OutputFile.name(base) == base else {
            throw NGRefusal("a recording is named with letters, digits, '-' and '_', and lies in the relay's folder")
        }
        return base
    }

    // MARK: Files

    /// Begins the files of all lines that both sides have agreed on and that have none yet; `respond` when all of them are there.
    private func record(_ call: Call, _ respond: @escaping @Sendable (Reply) -> Void) {
        guard let recorder, let recording = call.recording else { return respond(.ok()) }
        let begun = Begun()
        for dialogue in call.dialogues {
            for index in dialogue.streams.indices {
                let stream = dialogue.streams[index]
                guard stream.isAgreed, !stream.isRecorded, recording.form == .pcap || stream.sides[0].remote?.kind == "audio" else { continue }
                dialogue.streams[index].isRecorded = true
                for legs in recording.form == .single ? stream.legs.map({ [$0] }) : [stream.legs] {
                    begin(recording.form, legs, of: call, recorder, begun)
                }
                for side in 0...1 { Self.teach(stream.legs[side], stream.sides[side]) }
            }
        }
        let id = call.id
        recorder.loop.post { [weak self] in
            guard let reason = begun.failure else { return respond(.ok()) }
            Self.refused.add()
            // All of it, or nothing.
            self?.post { loop in
                guard let call = loop.attended(id) else { return respond(.error(reason)) }
                loop.endRecording(of: call) { respond(.error(reason)) }
            }
        }
    }

    /// One file of what these phones send.
    private func begin(_ form: RecordingOptions.Form, _ legs: [Leg], of call: Call, _ recorder: Recorder, _ begun: Begun) {
        guard let id = recorder.reserve() else { return begun.fail("this relay writes as many files as it may (TANDEM_TAPS)") }
        let name = "ng/\(legs[0].id)/\(id)"
        for (leg, side) in zip(legs, [Tap.Kind.said, .heard]) {
            let tap = leg.tap ?? Tap(tapRing(recorder))
            var use = Tap.Use(name: name, id: id)
            use.isPlain = true
            if form == .pcap { tap.capture = use } else { tap.recording = use }
            (tap.side, tap.isPaused) = (side, call.recording?.isPaused ?? false)
            leg.tap = tap
        }
        let sessions = legs.map(\.insideSSRC)
        recorder.begin(
            id, name, session: call.id, file: Self.nextFile(of: call), order(form, recorder.settings),
            release: { [weak self] in self?.post { loop in for session in sessions { loop.untap(session, id) } } },
            { result in if case .failure(let error) = result { begun.fail(error.detail) } })
    }

    /// The lines and sides of a call have files of their own, numbered from the second on.
    private static func nextFile(of call: Call) -> String {
        call.files += 1
        call.recording?.files += 1
        let began = call.recording?.began ?? 0
        let (base, number) = call.recording?.name.map { ($0, call.recording?.files ?? 1) } ?? ("\(OutputFile.name(call.id))-\(began)", call.files)
        return number > 1 ? "\(base)-\(number)" : base
    }

    private func order(_ form: RecordingOptions.Form, _ limits: TapSettings) -> Recorder.Order {
        switch form {
        case .pcap:
            .capture(
                addresses: [settings.media, settings.place6?.media].compactMap(\.self), seconds: limits.captureSeconds, bytes: limits.captureBytes)
        case .stereo, .mixed, .single:
            .recording(
                Recording.Terms(isStereo: form == .stereo, longest: limits.recordingSeconds * Samples.rate, largest: limits.recordingBytes))
        }
    }

    /// What the phone's packets are, as it was agreed on.
    static func teach(_ leg: Leg, _ side: StreamSide) { leg.tap?.formats = side.agreement.map { SoundFormats($0.formats) } }

    private func endRecording(of call: Call, _ done: @escaping @Sendable () -> Void) {
        call.recording = nil
        for dialogue in call.dialogues {
            for index in dialogue.streams.indices { dialogue.streams[index].isRecorded = false }
        }
        var uses: [UInt32: Tap.Use] = [:]
        for tap in call.legs.compactMap(\.tap) {
            for use in [tap.recording, tap.capture].compactMap(\.self) {
                var whole = use
                whole.dropped += uses[use.id]?.dropped ?? 0
                uses[use.id] = whole
            }
        }
        for leg in call.legs { leg.tap = nil }
        guard let recorder else { return done() }
        for use in uses.values { recorder.finish(use.id, use.name, dropped: use.dropped, .stopped) }
        // Behind the last of them, on the same thread.
        recorder.loop.post(done)
    }
}

/// What became of files that were begun together.
private final class Begun: Sendable {
    private let reason = Mutex<String?>(nil)

    /// The first reason why one of them could not be made.
    var failure: String? { reason.withLock(\.self) }

    func fail(_ why: String) { reason.withLock { $0 = $0 ?? why } }
}
