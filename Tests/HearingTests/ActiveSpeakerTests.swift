import Hearing
import Testing

@Suite("Who dominates (docs/hearing.md)")
struct ActiveSpeakerTests {
    /// Runs a conversation: at each 20 ms who says something, loudly; every fifth frame is looked at.
    private func changes(_ script: [(milliseconds: Int, loud: [Int])]) -> [(at: Int, id: Int)] {
        var presences = [ActiveSpeaker.Presence](repeating: .init(), count: 4)
        var speaker = ActiveSpeaker()
        var changes: [(Int, Int)] = []
        var frame = 0
        for (milliseconds, loud) in script {
            for _ in 0..<(milliseconds / 20) {
                frame += 1
                for id in presences.indices { presences[id].hear(amplitude: loud.contains(id) ? 3000 : 0) }
                guard frame % 5 == 0 else { continue }
                let scores = presences.enumerated().map { (id: $0.offset, score: $0.element.score) }
                if speaker.look(scores), let current = speaker.current { changes.append((frame * 20, current)) }
            }
        }
        return changes
    }

    @Test("Who begins is told within 400 ms; who takes over, once it dominates; a cough and a yes change nothing")
    func turns() {
        let told = changes([(3000, [0]), (200, [0, 1]), (3000, [0]), (300, [1]), (2000, [0]), (4000, [2]), (2000, [])])
        #expect(told.map(\.id) == [0, 2])
        #expect(told[0].at <= 400)
        let turn = 8500
        #expect((turn + 500...turn + 2000).contains(told[1].at))
    }

    @Test("Two who talk at the same time do not flap")
    func together() {
        let alternating = (0..<100).map { (200, [$0 % 2]) }
        #expect(changes([(2000, [0, 1])] + alternating).count == 1)
    }

    @Test("Nobody is told while nobody speaks")
    func silence() { #expect(changes([(10_000, [])]).isEmpty) }
}
