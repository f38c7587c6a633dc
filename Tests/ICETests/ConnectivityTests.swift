import Addresses
import Deadlines
import ICE
import Testing

private let left = address("192.0.2.1:1000")
private let right = address("192.0.2.2:2000")

@Suite("ICE: two agents over a network (RFC 8445)")
struct ConnectivityTests {
    @Test("§2: two full agents select the same pair, and both know it", arguments: [Role.controlling, .controlled])
    func fullAndFull(role: Role) {
        let simulation = Simulation()
        let first = simulation.add(.full, role, at: [left])
        let second = simulation.add(.full, role.other, at: [right])
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(2)))
        #expect(simulation.agents[first].path() == Path(component: .rtp, base: left, remote: right))
        #expect(simulation.isSymmetric(first, second))
        #expect(simulation.agents[first].role == role && simulation.agents[second].role == role.other)
        #expect(simulation.events[first].filter { $0 == .connected }.count == 1)
    }

    @Test("§2.5: a full agent and a lite one, whichever offers", arguments: [Mode.full, .lite])
    func fullAndLite(mode: Mode) {
        let simulation = Simulation()
        // Roles as the offer would give them: the lite one learns that it is controlled (§6.1.1).
        let first = simulation.add(mode, .controlling, at: [left])
        let second = simulation.add(mode == .full ? .lite : .full, .controlled, at: [right])
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(2)) && simulation.isSymmetric(first, second))
        #expect(simulation.agents[mode == .lite ? first : second].role == .controlled)
        #expect(simulation.agents[first].isValidated(right, on: left) && simulation.agents[second].isValidated(left, on: right))
    }

    @Test("§8.2: two lite agents take their addresses as they are")
    func liteAndLite() {
        let simulation = Simulation()
        let first = simulation.add(.lite, .controlling, at: [left])
        let second = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(1)) && simulation.isSymmetric(first, second))
    }

    @Test("§14: lost, doubled, late and overtaking datagrams change nothing but the time it takes", arguments: 0..<60)
    func badNetwork(seed: Int) {
        let simulation = Simulation(seed: UInt64(seed))
        simulation.conditions = Conditions(loss: 0.3, duplication: 0.1, delay: .milliseconds(20), jitter: .milliseconds(120))
        let first = simulation.add([Mode.full, .lite, .full][seed % 3], .controlling, at: [left, address("192.0.2.1:1002")])
        let second = simulation.add([Mode.full, .full, .lite][seed % 3], .controlled, at: [right, address("192.0.2.2:2002")])
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(40)))
        // A nomination may be answered and the answer lost: a moment later both agree.
        #expect(simulation.run(limit: .seconds(40)) { simulation.isSymmetric(first, second) })
    }

    @Test("§7.3.1.3: a full agent behind a NAT is found by a lite one where its checks come from", arguments: [false, true])
    func behindNAT(isSymmetric: Bool) {
        let simulation = Simulation()
        simulation.nats = [NAT(IPAddress(v4: 0xc633_6401), isSymmetric: isSymmetric)]
        let inside = address("10.0.0.5:5000")
        let phone = simulation.add(.full, .controlling, at: [inside], behind: 0)
        let relay = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(phone, relay)
        #expect(simulation.runUntilConnected(limit: .seconds(2)) && simulation.isSymmetric(phone, relay))
        let path = simulation.agents[relay].path()
        #expect(path?.remote.address == IPAddress(v4: 0xc633_6401))
        #expect(path.map { simulation.agents[relay].isValidated($0.remote, on: right) } == true)
        #expect(!simulation.agents[relay].isValidated(inside, on: right))
    }

    @Test("§2.3: two agents behind NATs that let in only who was written to")
    func behindTwoNATs() {
        let simulation = Simulation()
        simulation.nats = [NAT(IPAddress(v4: 0xc633_6401)), NAT(IPAddress(v4: 0xcb00_7101), isSymmetric: false)]
        let first = simulation.add(.full, .controlling, at: [address("10.0.0.5:5000")], behind: 0)
        let second = simulation.add(.full, .controlled, at: [address("10.0.0.6:5000")], behind: 1)
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(30)) && simulation.isSymmetric(first, second))
    }

    @Test("§6.1.2.2: IPv4 goes with IPv4 and IPv6 with IPv6, and the better of both is used")
    func families() {
        let simulation = Simulation()
        let (six, otherSix) = (address("[2001:db8::1]:1000"), address("[2001:db8::2]:2000"))
        let first = simulation.add(.full, .controlling, at: [six, left])
        let second = simulation.add(.full, .controlled, at: [otherSix, right])
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(2)))
        #expect(simulation.agents[first].path() == Path(component: .rtp, base: six, remote: otherSix))
    }

    @Test("§8.1.1: what cannot be reached is passed over, and the next best is used")
    func secondBest() {
        let simulation = Simulation()
        let (six, otherSix) = (address("[2001:db8::1]:1000"), address("[2001:db8::2]:2000"))
        simulation.unreachable = [otherSix]
        let first = simulation.add(.full, .controlling, at: [six, left])
        let second = simulation.add(.full, .controlled, at: [otherSix, right])
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(5)) && simulation.isSymmetric(first, second))
        #expect(simulation.agents[first].path() == Path(component: .rtp, base: left, remote: right))
    }

    @Test("§13: two components have a path each; with RTCP on the port of RTP the second is no more", arguments: [false, true])
    func components(multiplexed: Bool) {
        let simulation = Simulation()
        let first = simulation.add(.full, .controlling, at: [left], components: 2)
        let second = simulation.add(.full, .controlled, at: [right], components: 2)
        if multiplexed {
            for agent in [first, second] { simulation.command(agent) { $0.useOneComponent(into: &$1) } }
        } else {
            simulation.addLocal(first, address("192.0.2.1:1001"), component: .rtcp)
            simulation.addLocal(second, address("192.0.2.2:2001"), component: .rtcp)
        }
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(5)) && simulation.isSymmetric(first, second))
        #expect(simulation.isSymmetric(first, second, .rtcp) == !multiplexed)
        #expect(simulation.agents[first].path(.rtcp)?.remote == (multiplexed ? nil : address("192.0.2.2:2001")))
    }

    @Test("an answer that multiplexes ends the wait for the second component")
    func muxAfterwards() {
        let simulation = Simulation()
        let first = simulation.add(.full, .controlling, at: [left], components: 2)
        simulation.addLocal(first, address("192.0.2.1:1001"), component: .rtcp)
        let second = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(first, second)
        simulation.run(for: .seconds(2))
        #expect(simulation.agents[first].path() != nil && !simulation.agents[first].isConnected)
        simulation.command(first) { $0.useOneComponent(into: &$1) }
        #expect(simulation.agents[first].isConnected && simulation.events[first].last == .connected)
    }

    @Test(
        "§7.2.5.1, §7.3.1.1: two that want the same role settle it by their tie-breakers",
        arguments: [Role.controlling, .controlled], 0..<8)
    func roleConflict(role: Role, seed: Int) {
        let simulation = Simulation(seed: UInt64(seed))
        simulation.conditions.jitter = .milliseconds(30)
        let first = simulation.add(.full, role, at: [left])
        let second = simulation.add(.full, role, at: [right])
        simulation.exchange(first, second)
        #expect(simulation.runUntilConnected(limit: .seconds(10)) && simulation.isSymmetric(first, second))
        #expect(simulation.agents[first].role != simulation.agents[second].role)
        let changes = simulation.events.map { $0.filter { if case .roleChanged = $0 { true } else { false } }.count }
        #expect(changes[0] + changes[1] >= 1)
    }

    @Test("§6.1.1: a full agent that calls itself controlled is told otherwise by a lite one")
    func liteInsists() {
        let simulation = Simulation()
        let first = simulation.add(.full, .controlled, at: [left])
        let second = simulation.add(.lite, .controlled, at: [right])
        // It is not told that the other one is lite.
        var outbox = Outbox()
        let (credentials, candidates) = (simulation.agents[second].localCredentials, simulation.agents[second].localCandidates)
        simulation.agents[first].setRemote(credentials, isLite: false, now: simulation.now, into: &outbox)
        for candidate in candidates { simulation.agents[first].addRemote(candidate, now: simulation.now) }
        simulation.tell(second, of: first)
        #expect(simulation.runUntilConnected(limit: .seconds(5)))
        #expect(simulation.agents[first].role == .controlling && simulation.agents[second].role == .controlled)
    }

    @Test("RFC 8838: candidates that come later are used, those of another generation are not")
    func trickle() throws {
        let simulation = Simulation()
        let first = simulation.add(.full, .controlling, at: [left])
        let second = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(first, second, candidates: false)
        simulation.run(for: .seconds(3))
        #expect(!simulation.agents[first].isConnected && simulation.agents[first].deadline != nil)
        let old = try Candidate(parsing: "1 1 udp 2130706431 \(right.address) \(right.port) typ host ufrag another")
        #expect(!simulation.hear(first, of: old))
        simulation.run(for: .seconds(1))
        #expect(!simulation.agents[first].isConnected)
        let fragment = simulation.agents[second].localCredentials.fragment
        let new = try Candidate(parsing: "1 1 udp 2130706431 \(right.address) \(right.port) typ host ufrag \(fragment)")
        #expect(simulation.hear(first, of: new))
        #expect(simulation.hear(first, of: new), "the same again is no mistake")
        #expect(simulation.runUntilConnected(limit: .seconds(2)))
    }

    @Test("RFC 8838 §9: a base of ours may come later, too")
    func lateLocal() {
        let simulation = Simulation()
        let first = simulation.add(.full, .controlling, at: [])
        let second = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(first, second)
        simulation.run(for: .seconds(1))
        simulation.addLocal(first, left)
        #expect(simulation.runUntilConnected(limit: .seconds(2)))
    }

    @Test("RFC 8863 §4: nothing is given up before 39.5 seconds")
    func failed() {
        let simulation = Simulation()
        simulation.unreachable = [right, left]
        let first = simulation.add(.full, .controlling, at: [left])
        let second = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(first, second)
        simulation.run(for: .milliseconds(39_400))
        #expect(simulation.isQuiet)
        simulation.run(for: .seconds(30))
        // The lite one knows of no checks: whether any were to come, it cannot tell.
        #expect(simulation.events == [[.failed], []])
        #expect(simulation.agents.allSatisfy { $0.deadline == nil })
    }

    @Test("RFC 8863 §4: a lite agent gives up when checks came and none of them nominated in time")
    func neverNominated() {
        let simulation = Simulation()
        let first = simulation.add(.lite, .controlled, at: [left])
        let second = simulation.add(.full, .controlling, at: [right])
        // Its checks arrive, and our answers do not.
        simulation.unreachable = [right]
        simulation.exchange(first, second)
        simulation.run(for: .seconds(39))
        #expect(simulation.isQuiet && simulation.agents[first].counters.answered > 0)
        #expect(simulation.agents[first].path() == nil && simulation.agents[first].provisionalPath()?.remote == right)
        simulation.run(for: .seconds(2))
        #expect(simulation.events == [[.failed], [.failed]] && simulation.agents[first].deadline == nil)
    }

    @Test("RFC 8838 §14: a candidate that comes after giving up is checked all the same")
    func afterFailing() throws {
        let simulation = Simulation()
        let first = simulation.add(.full, .controlling, at: [left])
        let second = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(first, second, candidates: false)
        simulation.run(for: .seconds(60))
        #expect(simulation.events[first] == [.failed] && simulation.agents[first].deadline == nil)
        #expect(simulation.hear(first, of: Candidate(right)))
        #expect(simulation.runUntilConnected(limit: .seconds(2)) && simulation.events[first].last == .connected)
    }

    @Test("§14: checks are paced, and repeated with ever longer pauses")
    func pacing() {
        let simulation = Simulation()
        simulation.unreachable = [right]
        let first = simulation.add(.full, .controlling, at: [left])
        let second = simulation.add(.lite, .controlled, at: [right])
        simulation.exchange(first, second)
        simulation.run(for: .milliseconds(499))
        #expect(simulation.sent == 1)
        simulation.run(for: .seconds(60))
        // Rc: seven in all.
        #expect(simulation.sent == 7)
        simulation.run(for: .seconds(600))
        #expect(simulation.sent == 7)
    }
}
