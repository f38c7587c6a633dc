import Testing

@testable import CallServer

@Suite("The legs of a call are taken over together, and each once (RELIABILITY K2)")
struct ClaimTests {
    @Test("Who comes upon a leg that is being taken leaves all it has to who takes it, and nothing is looked at twice")
    func goesOn() {
        let (first, second) = (Claim("a", "b", from: "x"), Claim("c", "b", from: nil))
        (first.place, second.place) = (2, 1)
        second.add(["b", "d"], of: second.names[0])
        second.missing["c"] = .over
        second.goOn(in: first)
        #expect(first.names.map(\.id) == ["a", "b", "d"], "b is taken already")
        #expect(first.names.last?.former == nil, "each as whoever it was looked for from")
        #expect(second.whole === first && first.missing == ["c": .over])
        let third = Claim("e", "a", from: nil)
        first.goOn(in: third)
        #expect(second.whole === third && third.missing["c"] == .over)
        #expect(third.names.map(\.id) == ["e", "a", "d"])
    }

    @Test("Whoever has the first leg has the call: the others of it are not asked for, those of another call are")
    func owned() {
        let (claim, other) = (Claim("a", "b", from: nil), Claim("c", "d", from: nil))
        other.goOn(in: claim)
        claim.place = 1
        claim.isOwned(claim.names[0], by: "y")
        #expect(claim.names.map(\.id) == ["a", "c", "d"])
        #expect(claim.missing == ["a": .owned(by: "y"), "b": .owned(by: "y")])
        claim.place = 3
        claim.isOwned(claim.names[2], by: "z")
        #expect(claim.missing["d"] == .owned(by: "z") && claim.missing["c"] == nil)
    }
}
