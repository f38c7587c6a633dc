import Contracts

/// What happened to plays in a tick.
struct PlayNews {
    var began: [Play] = []
    var ended: [Play] = []
    var isEmpty: Bool { began.isEmpty && ended.isEmpty }
}

/// What is to be played to one ear, or into one room: one after the other, and something behind all of them.
struct PlayQueue: Sendable {
    private(set) var plays: [Play] = []
    /// Heard whenever nothing else is; at most one.
    private(set) var background: [Play] = []

    init(plays: [Play] = [], background: [Play] = []) { (self.plays, self.background) = (plays, background) }

    var isEmpty: Bool { plays.isEmpty && background.isEmpty }

    /// All, the one that is heard first.
    var all: [Play] { plays + background }

    /// Whether a voice would end what is heard.
    var waitsForSpeech: Bool {
        if !plays.isEmpty { return plays[0].stopsOnSpeech && !plays[0].isPaused }
        return !background.isEmpty && background[0].stopsOnSpeech && !background[0].isPaused
    }

    func contains(_ id: String) -> Bool { plays.contains { $0.id == id } || background.contains { $0.id == id } }

    func state(of id: String) -> PlayState? { all.first { $0.id == id }?.state }

    /// Takes a play in; gives back those that it ended.
    mutating func add(_ play: Play) -> [Play] {
        var ended: [Play] = []
        switch play.request.placement ?? .queue {
        case .queue:
            if let last = plays.last, last.isEndless { ended.append(plays.removeLast()) }
            plays.append(play)
        case .replace:
            (ended, plays) = (plays, [play])
        case .interrupt:
            if !plays.isEmpty { plays[0].fadeIn() }
            plays.insert(play, at: 0)
        case .background:
            (ended, background) = (background, [play])
        }
        return ended
    }

    /// True when the play is in this queue.
    mutating func change(_ id: String, _ change: (inout Play) -> Void) -> Bool {
        if let index = plays.firstIndex(where: { $0.id == id }) {
            change(&plays[index])
        } else if let index = background.firstIndex(where: { $0.id == id }) {
            change(&background[index])
        } else {
            return false
        }
        return true
    }

    mutating func remove(_ id: String) -> Play? {
        if let index = plays.firstIndex(where: { $0.id == id }) { return removePlay(at: index) }
        return background.firstIndex { $0.id == id }.map { background.remove(at: $0) }
    }

    /// Takes out what a digit ends: what is heard, when it asked for that.
    mutating func removeForDigit() -> Play? { removeHeard { $0.stopsOnDigit } }

    /// Takes out what a voice ends.
    mutating func removeForSpeech() -> Play? { removeHeard { $0.stopsOnSpeech } }

    private mutating func removeHeard(where isEnded: (Play) -> Bool) -> Play? {
        if let first = plays.first { return isEnded(first) ? removePlay(at: 0) : nil }
        guard let play = background.first, isEnded(play) else { return nil }
        return background.removeFirst()
    }

    private mutating func removePlay(at index: Int) -> Play {
        let play = plays.remove(at: index)
        if plays.isEmpty, !background.isEmpty { background[0].fadeIn() }
        return play
    }

    /// The next frame; a play that ended makes room for the following one within the same tick.
    mutating func next(into frame: inout [Int16], isAlone: Bool, news: inout PlayNews) -> Bool {
        while !plays.isEmpty {
            switch Self.advance(&plays[0], into: &frame, isAlone: isAlone, news: &news) {
            case .sound: return true
            case .nothing: return false
            case .finished: news.ended.append(removePlay(at: 0))
            }
        }
        guard !background.isEmpty else { return false }
        switch Self.advance(&background[0], into: &frame, isAlone: isAlone, news: &news) {
        case .sound: return true
        case .nothing: return false
        case .finished:
            news.ended.append(background.removeFirst())
            return false
        }
    }

    private static func advance(
        _ play: inout Play, into frame: inout [Int16], isAlone: Bool, news: inout PlayNews
    ) -> Play.Step {
        if play.request.whileAlone == true, !isAlone {
            play.fadeIn()
            return .nothing
        }
        let hadBegun = play.hasBegun
        let step = play.next(into: &frame)
        if !hadBegun, play.hasBegun { news.began.append(play) }
        return step
    }
}
