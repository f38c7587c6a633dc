import Deadlines
import Testing

@testable import Succession

@Suite("Succession: what the keeper holds")
struct VaultTests {
    private func drain(_ vault: inout Vault<Int>, limit: Int = .max) -> [String] {
        var told: [String] = []
        vault.drain { change in
            guard told.count < limit else { return false }
            switch change {
            case .put(let key, let entry, let withAttachments): told.append("\(key)=\(entry.bytes.count)\(withAttachments ? "+\(entry.attachments)" : "")")
            case .remove(let key): told.append("-\(key)")
            }
            return true
        }
        return told
    }

    @Test("Changes are told once, the last of each key, in the order they began; attachments only when they changed")
    func changes() {
        var vault = Vault<Int>()
        vault.put(.fixture, "thread", [1], [7])
        vault.put(.work, "a", [1], [1, 2])
        vault.put(.work, "a", [1, 2], [])
        vault.put(.work, "b", [1], [3])
        vault.remove("b")
        #expect(drain(&vault) == ["thread=1+[7]", "a=2+[1, 2]", "-b"])
        #expect(vault.works == 1 && vault.count == 2 && !vault.hasChanges)
        vault.put(.work, "a", [1, 2, 3], [])
        #expect(drain(&vault) == ["a=3"])
    }

    @Test("What was not taken is told later, and who comes new hears all, oldest first")
    func flow() {
        var vault = Vault<Int>()
        for number in 0..<5 { vault.put(.work, "\(number)", [], [number]) }
        #expect(drain(&vault, limit: 2).count == 2)
        #expect(drain(&vault) == ["2=0+[2]", "3=0+[3]", "4=0+[4]"])
        vault.put(.work, "0", [1], [])
        vault.changeAll()
        #expect(drain(&vault) == ["0=1+[0]", "1=0+[1]", "2=0+[2]", "3=0+[3]", "4=0+[4]"])
        for number in 0..<5 { vault.remove("\(number)") }
        #expect(vault.works == 0)
        vault.forgetChanges()
        #expect(drain(&vault) == [])
    }

    @Test("A message is read as it was written; what is none is none")
    func messages() throws {
        let message = KeeperMessage(.work, "leg/ä", [0, 1, 255])
        #expect(KeeperMessage(parsing: try #require(message.encoded)) == message)
        #expect(KeeperMessage(parsing: [2, 0, 9, 65]) == nil && KeeperMessage(parsing: [77, 0, 0]) == nil && KeeperMessage(parsing: []) == nil)
        #expect(KeeperMessage(.work, String(repeating: "x", count: 70_000)).encoded == nil)
    }

    @Test("RELIABILITY V8: one death is followed at once, deaths in infancy ever more slowly, and an old age forgives them")
    func restarts() {
        var policy = RestartPolicy()
        let begin = Instant(nanoseconds: 0)
        let pauses = (0..<12).map { _ in policy.died(begun: begin, now: begin + .seconds(1)) }
        #expect(pauses.prefix(2).allSatisfy { $0 == .zero } && pauses[2] == .milliseconds(100) && pauses[3] == .milliseconds(200))
        #expect(pauses.last == .seconds(5))
        let old = policy.died(begun: begin, now: begin + .seconds(60))
        #expect(old == .zero)
    }

    @Test("RELIABILITY K9: who answered once and then is silent for the given time is given up; who starts is waited for")
    func pulse() {
        var starting = Pulse(timeout: .seconds(1))
        let isWaitedFor = (0..<100).map { _ in starting.beat() }
        #expect(!isWaitedFor.contains(false))
        var running = Pulse(timeout: .seconds(1))
        running.answered()
        let beats = (0..<5).map { _ in running.beat() }
        #expect(beats == [true, true, true, true, false])
        running.answered()
        let isAlive = running.beat()
        #expect(isAlive)
    }
}
