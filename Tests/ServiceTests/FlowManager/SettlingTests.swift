import Contracts
import Testing

@testable import FlowManager

@Suite("After a crash of PostgreSQL nobody waits longer than until all have written again what it had lost (DESIGN §5)")
struct SettlingTests {
    private let begin = ContinuousClock.now

    private func settling(_ lives: [String] = ["life_1"]) -> Settling {
        var settling = Settling()
        for life in lives { settling.saw(life, at: begin) }
        return settling
    }

    @Test("A life that is seen for the first time is a time of settling, which seeing it again does not renew")
    func begins() {
        var settling = settling()
        #expect(settling.isUnderWay(at: begin))
        settling.saw("life_1", at: begin + .seconds(2))
        #expect(!settling.isUnderWay(at: begin + Settling.limit), "by then everybody has had the time")
    }

    @Test("It is over as soon as all who live are through, whoever else is or was")
    func ends() {
        var settling = settling()
        settling.heard([], in: "life_1", others: ["inc_2", "inc_3"])
        settling.heard(["inc_2", "inc_9"], in: "life_1", others: ["inc_2", "inc_3"])
        #expect(settling.isUnderWay(at: begin))
        settling.heard(["inc_2", "inc_3"], in: "life_1", others: ["inc_2", "inc_3"])
        #expect(!settling.isUnderWay(at: begin))
        settling.saw("life_1", at: begin)
        #expect(!settling.isUnderWay(at: begin), "in that life it is over")
    }

    @Test("One that died meanwhile is waited for no longer; alone nobody is")
    func deaths() {
        var settling = settling()
        settling.heard(["inc_2"], in: "life_1", others: ["inc_2"])
        #expect(!settling.isUnderWay(at: begin))
        settling.saw("life_2", at: begin)
        #expect(settling.isUnderWay(at: begin))
        settling.heard([], in: "life_2", others: [])
        #expect(!settling.isUnderWay(at: begin))
    }

    @Test("Being through in one life says nothing of the next, and what is heard late of the one before nothing of this one")
    func nextLife() {
        var settling = settling()
        settling.heard(["inc_2"], in: "life_1", others: ["inc_2"])
        settling.saw("life_2", at: begin)
        settling.heard(["inc_2"], in: "life_1", others: ["inc_2"])
        #expect(settling.isUnderWay(at: begin))
    }
}
