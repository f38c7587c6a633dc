/// Nobody is flooded through us (RELIABILITY V17): who has not shown that an address is theirs gets there at most one and a
/// half times the bytes they sent.
struct AmplificationLimit: Sendable {
    /// Of the bytes that came in; zero: no limit.
    let percent: Int

    init(percent: Int = 150) { self.percent = percent }

    func admits(_ answer: Int, to request: Int) -> Bool { percent == 0 || answer * 100 <= request * percent }

    /// The first of the answers, best first, that is short enough; nil: none, silence.
    func choose(_ answers: [Int], for request: Int) -> Int? { answers.firstIndex { admits($0, to: request) } }
}
