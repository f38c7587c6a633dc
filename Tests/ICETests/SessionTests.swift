import Addresses
import Deadlines
import Foundation
import ICE
import Testing

private let left = address("192.0.2.1:1000")
private let right = address("192.0.2.2:2000")

@Suite("ICE: restarts, consent, successors")
struct SessionTests {
    private func connected(_ first: Mode = .full, _ second: Mode = .full, seed: UInt64 = 1) -> Simulation {
        let simulation = Simulation(seed: seed)
        _ = simulation.add(first, .controlling, at: [left])
        _ = simulation.add(second, .controlled, at: [right])
        simulation.exchange(0, 1)
        #expect(simulation.runUntilConnected(limit: .seconds(5)))
        simulation.events = [[], []]
        return simulation
    }

    @Test("RFC 8445 §9: the old path goes on until the restart has one", arguments: [Mode.full, .lite])
    func restart(mode: Mode) {
        let simulation = connected(.full, mode)
        let before = simulation.agents.map(\.localCredentials)
        // A restart that leads nowhere for a while.
        simulation.unreachable = [right]
        let (one, two) = (simulation.credentials(), simulation.credentials())
        simulation.agents[0].restart(local: one)
        simulation.agents[1].restart(local: two)
        simulation.exchange(0, 1)
        simulation.run(for: .seconds(10))
        #expect(simulation.agents.allSatisfy { $0.isRestarting && $0.isConnected })
        #expect(simulation.agents[0].path()?.remote == right && simulation.agents[1].path()?.remote == left)
        #expect(simulation.agents[1].isValidated(left, on: right))
        #expect(simulation.isQuiet)
        simulation.unreachable = []
        #expect(simulation.runUntilConnected(limit: .seconds(15)))
        #expect(simulation.events[0] == [.selected(Path(component: .rtp, base: left, remote: right)), .connected, .restarted])
        #expect(simulation.agents.map(\.localCredentials) == [one, two] && before != [one, two])
        #expect(simulation.isSymmetric(0, 1) && simulation.agents[1].isValidated(left, on: right))
    }

    @Test("RFC 8445 §9: checks with the old credentials are answered while the old path is in use, and not after")
    func oldCredentials() {
        let simulation = connected()
        var old = simulation.agents[0]
        simulation.agents[1].restart(local: simulation.credentials())
        func ask() -> Int {
            simulation.now = simulation.now + .seconds(7)
            var outbox = Outbox()
            old.expire(now: simulation.now, into: &outbox)
            return outbox.datagrams.reduce(0) { count, datagram in
                let answers = simulation.inject(datagram.bytes, into: 1, from: left, on: right).datagrams
                return count + answers.count { $0.bytes.starts(with: [1, 1]) }
            }
        }
        #expect(ask() == 1)
        simulation.agents[0].restart(local: simulation.credentials())
        simulation.exchange(0, 1)
        #expect(simulation.runUntilConnected(limit: .seconds(5)))
        #expect(ask() == 0)
    }

    @Test("a restart that is refused leaves all as it was")
    func cancelled() {
        let simulation = connected()
        let before = simulation.agents[0].localCredentials
        simulation.agents[0].restart(local: simulation.credentials())
        #expect(simulation.agents[0].isRestarting)
        simulation.agents[0].cancelRestart()
        #expect(simulation.agents[0].localCredentials == before && !simulation.agents[0].isRestarting && simulation.agents[0].isConnected)
        simulation.run(for: .seconds(120))
        #expect(simulation.isQuiet && simulation.isSymmetric(0, 1))
    }

    @Test("other credentials without a restart of ours are not taken")
    func credentials() throws {
        let simulation = connected()
        let other = simulation.credentials()
        #expect(simulation.agents[0].isRestart(other) && !simulation.agents[0].isRestart(simulation.agents[1].localCredentials))
        var outbox = Outbox()
        let now = simulation.now
        let isTaken = simulation.agents[0].setRemote(other, now: now, into: &outbox)
        #expect(!isTaken && simulation.agents[0].remoteCredentials == simulation.agents[1].localCredentials)
    }

    @Test("RFC 7675 §5.1: with answers consent lasts; a full agent asks every five seconds or so")
    func consentLasts() {
        let simulation = connected(.full, .lite)
        let before = simulation.sent
        simulation.run(for: .seconds(600))
        #expect(simulation.isQuiet && simulation.isSymmetric(0, 1))
        // Each check has its answer, and the lite agent keeps its side of the path open every 15 seconds.
        let checks = (simulation.sent - before - 40) / 2
        #expect((100...150).contains(checks))
    }

    @Test("RFC 7675 §5.1: a network that loses some datagrams loses no consent")
    func consentOverLoss() {
        let simulation = connected()
        simulation.conditions.loss = 0.05
        simulation.run(for: .seconds(600))
        #expect(simulation.isQuiet)
    }

    @Test("RFC 7675 §5.1: 30 seconds after the last answer nothing may be sent any more, until a restart")
    func consentLost() {
        let simulation = connected()
        simulation.unreachable = [right]
        simulation.run(for: .seconds(24))
        #expect(simulation.events[0].isEmpty && simulation.agents[0].path() != nil)
        simulation.run(for: .seconds(7))
        #expect(simulation.events[0] == [.consentLost(Path(component: .rtp, base: left, remote: right))])
        #expect(simulation.agents[0].path() == nil && !simulation.agents[0].isValidated(right, on: left))
        simulation.unreachable = []
        simulation.run(for: .seconds(60))
        #expect(simulation.agents[0].path() == nil && simulation.events[0].count == 1)
        for index in 0...1 { simulation.agents[index].restart(local: simulation.credentials()) }
        simulation.exchange(0, 1)
        #expect(simulation.run(limit: .seconds(5)) { simulation.agents[0].path() != nil })
    }

    @Test("RFC 7675 §5.1: a lite agent takes their checks for consent; 30 seconds after the last one it sends no more, until a restart")
    func liteLosesConsent() {
        let simulation = connected(.full, .lite)
        simulation.unreachable = [right, left]
        simulation.run(for: .seconds(23))
        #expect(simulation.events[1].isEmpty && simulation.agents[1].path()?.remote == left)
        simulation.run(for: .seconds(8))
        #expect(simulation.events[1] == [.consentLost(Path(component: .rtp, base: right, remote: left))])
        #expect(simulation.agents[1].path() == nil && simulation.agents[1].deadline == nil)
        simulation.unreachable = []
        for index in 0...1 { simulation.agents[index].restart(local: simulation.credentials()) }
        simulation.exchange(0, 1)
        #expect(simulation.run(limit: .seconds(5)) { simulation.agents[1].path() != nil })
    }

    @Test("RFC 5245 §10: who makes no checks once it has a path keeps it by authentic media")
    func liteHearsMedia() {
        let simulation = connected(.full, .lite)
        simulation.unreachable = [right, left]
        for _ in 0..<60 {
            simulation.run(for: .seconds(10))
            simulation.agents[1].consented(at: simulation.now)
        }
        #expect(simulation.events[1].isEmpty && simulation.agents[1].path()?.remote == left)
        simulation.run(for: .seconds(31))
        #expect(simulation.agents[1].path() == nil)
        // What comes too late gives nothing back.
        simulation.agents[1].consented(at: simulation.now)
        #expect(simulation.agents[1].path() == nil)
    }

    @Test("§8.2: between two lite agents nobody asks, and nothing is lost")
    func liteAndLiteStay() {
        let simulation = connected(.lite, .lite)
        simulation.run(for: .seconds(600))
        #expect(simulation.isQuiet && simulation.agents.allSatisfy { $0.path() != nil })
    }

    @Test("RELIABILITY §4.5: a successor answers the next check as its predecessor would have", arguments: [Mode.full, .lite])
    func successor(mode: Mode) throws {
        let simulation = connected(.full, mode)
        for round in 0..<3 {
            simulation.run(for: .seconds(7))
            let text = try JSONEncoder().encode(simulation.agents[1].snapshot)
            let snapshot = try JSONDecoder().decode(Snapshot.self, from: text)
            let (before, random, now) = (simulation.agents[1], simulation.random(), simulation.now)
            simulation.agents[1] = Agent(restoring: snapshot, random: random, now: now)
            #expect(simulation.agents[1].snapshot == snapshot && simulation.agents[1].isConnected, "\(round)")
            #expect(simulation.agents[1].path() == before.path() && simulation.agents[1].role == before.role)
            #expect(simulation.agents[1].isValidated(left, on: right))
            #expect(simulation.agents[1].localCredentials == before.localCredentials)
        }
        simulation.run(for: .seconds(120))
        #expect(simulation.isQuiet && simulation.isSymmetric(0, 1))
        #expect(simulation.agents[1].counters.answered > 10 && simulation.agents[1].counters.unauthentic == 0)
    }

    @Test("a successor goes on with a restart, and with checks that had no answer yet")
    func successorOfRestart() throws {
        let simulation = connected()
        simulation.unreachable = [right]
        for index in 0...1 { simulation.agents[index].restart(local: simulation.credentials()) }
        simulation.exchange(0, 1)
        simulation.run(for: .seconds(2))
        for index in 0...1 {
            let snapshot = try JSONDecoder().decode(Snapshot.self, from: JSONEncoder().encode(simulation.agents[index].snapshot))
            let (random, now) = (simulation.random(), simulation.now)
            simulation.agents[index] = Agent(restoring: snapshot, random: random, now: now)
            #expect(simulation.agents[index].isRestarting && simulation.agents[index].path() != nil)
        }
        simulation.unreachable = []
        #expect(simulation.runUntilConnected(limit: .seconds(5)) && simulation.isSymmetric(0, 1))
        #expect(simulation.events[0].last == .restarted)
    }

    @Test("RFC 8445 §7.3.1.3: checks before the description are answered, and count once it comes", arguments: [Mode.full, .lite])
    func early(mode: Mode) {
        let simulation = Simulation()
        // The answerer is full, and knows the offer; its answer is still on its way.
        _ = simulation.add(mode, mode == .full ? .controlling : .controlled, at: [left])
        _ = simulation.add(.full, mode == .full ? .controlled : .controlling, at: [right])
        simulation.tell(1, of: 0)
        simulation.run(for: .seconds(1))
        #expect(simulation.agents[0].counters.answered > 0 && !simulation.agents[0].isValidated(right, on: left))
        #expect(simulation.agents[0].path() == nil && simulation.events[0].isEmpty)
        // Without any candidate: it was seen where it is.
        simulation.tell(0, of: 1, candidates: false)
        #expect(simulation.runUntilConnected(limit: .seconds(5)) && simulation.isSymmetric(0, 1))
        #expect(simulation.agents[0].isValidated(right, on: left))
    }

    @Test("the early checks of another fork of the call are not those of the one that answered")
    func otherFork() {
        let simulation = Simulation()
        _ = simulation.add(.lite, .controlled, at: [left])
        _ = simulation.add(.full, .controlling, at: [right])
        _ = simulation.add(.full, .controlling, at: [address("192.0.2.3:3000")])
        simulation.tell(1, of: 0)
        simulation.tell(2, of: 0)
        simulation.run(for: .seconds(1))
        simulation.tell(0, of: 2)
        simulation.run(for: .seconds(1))
        #expect(simulation.agents[0].path()?.remote == address("192.0.2.3:3000"))
        #expect(!simulation.agents[0].isValidated(right, on: left))
        // It knows our password, as both forks do; but its fragment is not the one that answered.
        simulation.run(for: .seconds(60))
        #expect(!simulation.agents[0].isValidated(right, on: left) && simulation.agents[0].counters.unauthentic > 0)
    }

    @Test("a restart finds a phone again whose NAT forgot it")
    func forgottenByNAT() {
        let simulation = Simulation()
        simulation.nats = [NAT(IPAddress(v4: 0xc633_6401))]
        let phone = simulation.add(.full, .controlling, at: [address("10.0.0.5:5000")], behind: 0)
        let relay = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(phone, relay)
        #expect(simulation.runUntilConnected(limit: .seconds(5)))
        let first = simulation.agents[relay].path()
        simulation.nats[0].forget()
        for index in [phone, relay] { simulation.agents[index].restart(local: simulation.credentials()) }
        simulation.exchange(phone, relay)
        #expect(simulation.runUntilConnected(limit: .seconds(5)))
        #expect(simulation.agents[relay].path() != first && simulation.isSymmetric(phone, relay))
    }
}
