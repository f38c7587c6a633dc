import Audio
import Contracts
import Hearing

/// What listens to one seat: features are made once a frame, and every watch looks at them. A seat that nobody listens to has
/// no ear.
///
/// Belongs to its mixer's thread. Frames allocate nothing; findings do.
final class SeatEar {
    /// A seat that more is asked of is a mistake of whoever asks.
    static let mostWatches = 8

    private var extractor = FeatureExtractor()
    private var voice = VoiceActivity()
    private var speechFrames = 0
    private var watchers: [Watcher] = []
    private var taps: [(id: String, end: TapWriter)] = []
    /// Whether anybody takes what the seat says, and what it hears.
    private(set) var tapsIn = false
    private(set) var tapsOut = false
    private var analyses = false

    init() {}

    /// Goes on with watches that another process kept; nil without any. Where sound is written down, `Wiring.revive` begins that anew.
    init?(_ watches: [Watch]) {
        guard !watches.isEmpty else { return nil }
        for watch in watches.prefix(Self.mostWatches) { _ = add(watch) }
    }

    var isIdle: Bool { watchers.isEmpty }
    var watches: [Watch] { watchers.map(\.watch) }

    /// False when there are too many.
    func add(_ watch: Watch, _ tap: TranscriptionTap? = nil) -> Bool {
        let watcher = Watcher(watch)
        defer { look() }
        if let index = watchers.firstIndex(where: { $0.watch.id == watch.id }) {
            watchers[index] = watcher
            taps.removeAll { $0.id == watch.id }
            if let tap { taps.append((watch.id, TapWriter(tap))) }
            return true
        }
        guard watchers.count < Self.mostWatches else { return false }
        watchers.append(watcher)
        if let tap { taps.append((watch.id, TapWriter(tap))) }
        return true
    }

    func remove(_ id: String) {
        watchers.removeAll { $0.watch.id == id }
        taps.removeAll { $0.id == id }
        look()
    }

    private func look() {
        tapsIn = taps.contains { $0.end.tap.sides.contains(.in) }
        tapsOut = taps.contains { $0.end.tap.sides.contains(.out) }
        analyses = watchers.contains { $0.isAnalysing }
    }

    /// Hands a frame of codes to those who write down that side.
    func put(_ codes: Span<UInt8>, _ side: Transcription.Side) {
        for (_, end) in taps where end.tap.sides.contains(side) { end.tap.put(codes, side) }
    }

    /// Takes the next frame of the seat's voice; nil when nothing came, which is silence.
    func hear(_ frame: Span<Int16>, hasCome: Bool, _ tell: (_ watchID: String, Finding) -> Void) {
        guard analyses else { return }
        let features: Features
        if hasCome {
            features = extractor.hear(frame)
        } else {
            extractor.pause()
            features = .silence
        }
        let change = voice.hear(features)
        if change == .began { speechFrames = 0 }
        speechFrames += 1
        let moment = Watcher.Moment(
            features: features, change: change, isSpeaking: voice.isSpeaking, isActive: voice.isActive,
            speechMilliseconds: max(0, speechFrames * 20 - voice.hangoverMilliseconds))
        for index in watchers.indices { watchers[index].hear(moment, tell) }
    }
}

/// One watch at work.
struct Watcher {
    /// A frame, and what it means.
    struct Moment {
        let features: Features
        let change: VoiceActivity.Change?
        let isSpeaking: Bool
        let isActive: Bool
        let speechMilliseconds: Int
    }

    let watch: Watch
    /// Whether it looks at features at all.
    var isAnalysing: Bool { watch.speech || silence != nil || machine != nil || tones != nil }
    private var silence: SilenceWatch?
    private var machine: AnsweringMachine?
    private var tones: ToneWatch?

    init(_ watch: Watch) {
        self.watch = watch
        silence = watch.silence.map { SilenceWatch(milliseconds: $0) }
        machine = watch.machine.map { AnsweringMachine(AnsweringMachine.Settings($0)) }
        if watch.beep || watch.fax || machine != nil { tones = ToneWatch() }
    }

    mutating func hear(_ moment: Moment, _ tell: (String, Finding) -> Void) {
        if watch.speech, let change = moment.change {
            tell(watch.id, change == .began ? .speechStarted : .speechEnded(milliseconds: moment.speechMilliseconds))
        }
        if silence?.hear(isSpeaking: moment.isSpeaking) == true, let milliseconds = watch.silence {
            tell(watch.id, .silence(milliseconds: milliseconds))
        }
        // Once it is known who answered, nobody is asked any more.
        if let verdict = machine?.hear(isActive: moment.isActive, isVoiced: moment.features.isVoiced) { decide(verdict, tell) }
        guard let finding = tones?.hear(moment.features, isSpeaking: moment.isSpeaking) else { return }
        hear(finding, tell)
    }

    private mutating func hear(_ finding: ToneWatch.Finding, _ tell: (String, Finding) -> Void) {
        switch finding {
        case .beep(let frequency, let milliseconds):
            if let verdict = machine?.hear(tone: .beep) { decide(verdict, tell) }
            if watch.beep { tell(watch.id, .beep(frequency: frequency, milliseconds: milliseconds)) }
        case .faxAnswering:
            if let verdict = machine?.hear(tone: .fax) { decide(verdict, tell) }
            if watch.fax { tell(watch.id, .fax(.answering)) }
        case .faxCalling:
            if watch.fax { tell(watch.id, .fax(.calling)) }
        }
    }

    private mutating func decide(_ verdict: AnsweringMachine.Verdict, _ tell: (String, Finding) -> Void) {
        let answerer: Finding.Answerer =
            switch verdict.result {
            case .human: .human
            case .machine: .machine
            case .notsure: .notsure
            }
        tell(watch.id, .answerer(answerer, reason: verdict.reason.rawValue, milliseconds: verdict.milliseconds))
    }
}

extension AnsweringMachine.Settings {
    init(_ wanted: MachineDetection) {
        self.init()
        initialSilence = wanted.initialSilence ?? initialSilence
        greeting = wanted.greeting ?? greeting
        afterGreetingSilence = wanted.afterGreetingSilence ?? afterGreetingSilence
        totalAnalysisTime = wanted.totalAnalysisTime ?? totalAnalysisTime
        minimumWordLength = wanted.minimumWordLength ?? minimumWordLength
        betweenWordsSilence = wanted.betweenWordsSilence ?? betweenWordsSilence
        maximumWords = wanted.maximumWords ?? maximumWords
    }
}
