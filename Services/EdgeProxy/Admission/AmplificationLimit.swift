/// Nobody is flooded through us (RELIABILITY V17): who has not shown that an address is theirs gets there at most one and a
/// half times the bytes they sent.
struct AmplificationLimit: Sendable {
    /// Of the bytes that came in; zero: no limit.
    let percent: Int

    init(percent: Int = 150) { self.percent = percent }

    /// Nil: no limit.
    func longestAnswer(to request: Int) -> Int? { percent == 0 ? nil : request * percent / 100 }
}
