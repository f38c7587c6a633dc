import Deadlines

/// When the owner of a session is told that its phone has fallen silent, and when the relay gives the session up by itself.
struct SilenceWatch {
    enum Action: Equatable {
        case none, tell, end
    }

    /// A phone that has never sent is ringing or being rung, so it is given longer.
    private static let patience = 4
    /// The owner has been told this often without ending the session: it is gone.
    private static let tellings = 3

    let limit: Interval
    private var told = 0

    init(limit: Interval) { self.limit = limit }

    /// `silence`: since the last packet; nil while the phone need not send.
    mutating func check(_ silence: Interval?, hasEverHeard: Bool) -> Action {
        guard let silence else {
            told = 0
            return .none
        }
        let patient = hasEverHeard ? limit : limit * Self.patience
        if silence < patient { told = 0 }
        guard silence >= patient + limit * told else { return .none }
        told += 1
        return told > Self.tellings ? .end : .tell
    }
}
