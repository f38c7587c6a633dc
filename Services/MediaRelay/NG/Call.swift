import Deadlines
import NG
import SDP

/// A call that was asked for over `ng`: its dialogues, one for each branch or answer that came about (RFC 3261 §12).
final class Call {
    /// A proxy forks to a handful; more is somebody trying.
    static let dialogueLimit = 32

    let id: String
    /// Seconds since 1970.
    let created: Int64
    var lastSignal: Int64
    var dialogues: [Dialogue] = []
    var checkedAt: Instant
    /// How it is recorded; nil while it is not.
    var recording: CallRecording?
    /// Of recordings, that have begun.
    var files = 0
    /// How routers are to treat its packets; nil: as all others.
    var dscp: Int?
    /// Candidates that fit no description yet.
    var fragments: [Fragment] = []
    /// When it goes, once it has been deleted with a delay.
    var endsAt = Instant.distantFuture

    init(id: String, seconds: Int64, now: Instant) { (self.id, created, lastSignal, checkedAt) = (id, seconds, seconds, now) }

    var legs: [Leg] { dialogues.flatMap(\.legs) }

    /// The dialogue that an offer belongs to, and which side of it offers; nil for a new one.
    func dialogue(offering from: String, to: String?, branch: String?) -> (dialogue: Dialogue, side: Int)? {
        for dialogue in dialogues {
            if let to {
                for side in 0...1 where dialogue.parties[side].has(from) && dialogue.parties[1 - side].has(to) { return (dialogue, side) }
            } else if dialogue.parties[0].has(from), dialogue.parties[1].tags.isEmpty, branch == nil || branch == dialogue.branch {
                return (dialogue, 0)
            }
        }
        guard to != nil else { return nil }
        // The other side has not been heard of yet, at least not with its tag.
        return dialogues.first { $0.parties[0].has(from) && $0.parties[1].tags.isEmpty }.map { ($0, 0) }
    }

    /// The dialogue whose offer is answered: `from` made it.
    func dialogue(answering from: String, to: String, branch: String?) -> Dialogue? {
        let candidates = dialogues.filter { $0.offerer?.has(from) ?? false }
        if let known = candidates.first(where: { $0.answerer?.has(to) ?? false }) { return known }
        if let branch, let named = candidates.first(where: { $0.branch == branch }) { return named }
        return candidates.last { branch == nil || $0.branch == nil }
    }

    /// Those a deletion means.
    func dialogues(of from: String?, to: String?, branch: String?) -> [Dialogue] {
        var found = dialogues
        if let branch, found.contains(where: { $0.branch == branch }) { found = found.filter { $0.branch == branch } }
        guard let from else { return found }
        found = found.filter { $0.has(from) }
        guard let to, !to.isEmpty else { return found }
        let exact = found.filter { $0.has(to) }
        return exact.isEmpty ? found.filter { $0.parties[1].tags.isEmpty } : exact
    }
}

/// One offerer and one answerer, and the streams between them.
final class Dialogue {
    let branch: String?
    /// The first made the first offer.
    var parties = [Party(), Party()]
    var streams: [Stream] = []
    /// The offer under way, or the last one: an answer may come again, and the last one counts (RFC 6337 §3.1.1).
    var pending: PendingOffer?

    init(branch: String?) { self.branch = branch }

    var legs: [Leg] { streams.flatMap(\.legs) }

    func has(_ tag: String) -> Bool { parties.contains { $0.has(tag) } }

    /// Of the offer under way.
    var offerer: Party? { pending.map { parties[$0.side] } }
    var answerer: Party? { pending.map { parties[1 - $0.side] } }
}

/// Who takes part: a phone as its signalling names it.
struct Party {
    /// The last is the one that counts: a forked call answers with several.
    var tags: [String] = []
    var label: String?
    /// Seconds since 1970.
    var created: Int64 = 0

    func has(_ tag: String) -> Bool { tags.contains(tag) }

    mutating func name(_ tag: String, seconds: Int64) {
        if created == 0 { created = seconds }
        tags.removeAll { $0 == tag }
        tags = tags.suffix(Call.dialogueLimit - 1) + [tag]
    }
}

/// An offer as it came, and what was made of it.
struct PendingOffer {
    let side: Int
    let description: SessionDescription
    let options: Options
    let remote: [StreamDescription?]
    let local: [LocalStream?]
}

/// One media line: a leg towards each side; none while it is refused.
struct Stream {
    var legs: [Leg] = []
    var sides = [StreamSide(), StreamSide()]
    /// Its files have begun, and have perhaps become full.
    var isRecorded = false

    var isAgreed: Bool { legs.count == 2 && sides.allSatisfy { $0.agreement != nil } }
}

/// What is known of one side of a stream.
struct StreamSide {
    /// What the phone there was last told of us.
    var local: LocalStream?
    var agreement: Agreement?
    var origin: Origin?
    var remote: StreamDescription?
}

/// A call that is recorded.
struct CallRecording {
    let form: RecordingOptions.Form
    /// What its files are called; nil: after the call and the time.
    let name: String?
    /// Milliseconds since 1970.
    let began: Int64
    var isPaused = false
    /// So many of its files have begun.
    var files = 0
}

/// The calls of one media thread.
struct CallTable {
    private var calls: [String: Call] = [:]

    subscript(id: String) -> Call? {
        get { calls[id] }
        set { calls[id] = newValue }
    }

    var count: Int { calls.count }
    var all: some Collection<Call> { calls.values }
}
