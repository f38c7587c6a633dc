import Addresses
import Cryptography
import Deadlines
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy admission: a repeated INVITE (RFC 3261 §17.1.1.2)")
struct AdmissionRepeatedTests {
    private let bench = EdgeBench()

    private static func at(_ milliseconds: Int) -> Instant { EdgeBench.start + .milliseconds(milliseconds) }

    private static func admission(_ change: (inout AdmissionSettings) -> Void = { _ in }) -> Admission {
        var settings = AdmissionSettings()
        settings.emergencyNumbers = ["112"]
        change(&settings)
        return Admission(settings, seed: (1, 2), connections: 8)
    }

    private static func call(_ transaction: UInt64, isEmergency: Bool = false) -> Admission.Call {
        // Call-IDs of one hash: all of them are refused as soon as anything is.
        Admission.Call(transaction: transaction, callID: 0, server: 1, customer: 7, isEmergency: isEmergency)
    }

    @Test("takes no token of its customer's, and goes on when that has none left")
    func customer() {
        var admission = Self.admission { $0.rates.customer = TokenRate(perSecond: 1, burst: 2) }
        for _ in 0..<10 {
            let refusal = admission.refuse(Self.call(1), now: Self.at(0))
            #expect(refusal == nil)
        }
        #expect(admission.refuse(Self.call(2), now: Self.at(0)) == nil)
        #expect(admission.refuse(Self.call(3), now: Self.at(0)) == .customerRate)
        for transaction in [1, 2] as [UInt64] { #expect(admission.refuse(Self.call(transaction), now: Self.at(400)) == nil) }
        #expect(admission.refuse(Self.call(3), now: Self.at(400)) == .customerRate, "what was refused has not been let in")
    }

    @Test("goes on while its server is spared new calls, rings or not, until timer B ends it")
    func overload() {
        var admission = Self.admission()
        #expect(admission.refuse(Self.call(1), now: Self.at(0)) == nil)
        admission.answered(call: 0, now: Self.at(1))
        for number in 0..<300 {
            let call = Admission.Call(transaction: UInt64(100 + number), callID: .max - UInt64(number), server: 1, customer: nil, isEmergency: false)
            _ = admission.refuse(call, now: Self.at(number * 10))
        }
        #expect(admission.refuse(Self.call(2), now: Self.at(3_000)) == .overload)
        #expect(admission.refuse(Self.call(1), now: Self.at(3_000)) == nil)
        #expect(admission.refuse(Self.call(3, isEmergency: true), now: Self.at(3_000)) == nil)
        #expect(admission.refuse(Self.call(3), now: Self.at(3_100)) == nil)
        #expect(admission.isRepeated(invite: 1, now: Self.at(31_999)) == true)
        #expect(admission.isRepeated(invite: 1, now: Self.at(32_000)) == false)
    }

    private func isTurnedAway(
        _ message: Message, from source: SocketAddress = EdgeBench.phone, at milliseconds: Int = 0, _ admission: inout Admission
    ) -> Bool {
        let arrival = Arrival(source: source, transport: .udp, received: Self.at(milliseconds))
        let judgement = bench.core.receiveOutside(message, arrival, now: EdgeBench.now, bench.directory, &admission)
        if case .turnAway = judgement { return true }
        return false
    }

    /// As the loop does when it forwards it.
    private func letIn(_ message: Message, _ admission: inout Admission) throws {
        let name = admission.name(
            bench.core.transaction(message.view, try RequestHead(message.view)), of: admission.source(EdgeBench.phone.address))
        #expect(admission.refuse(Self.call(name), now: Self.at(0)) == nil)
    }

    @Test("passes the door when its source has used up its rate; another call, or another source, does not", arguments: [
        "sip:1002@demo.localhost", "sip:112@demo.localhost",
    ])
    func door(uri: String) throws {
        var admission = Self.admission()
        let call = try EdgeBench.request("INVITE", uri: uri, branch: "z9hG4bKlet-in")
        try letIn(call, &admission)
        for _ in 0..<3 { #expect(isTurnedAway(call, &admission) == false) }
        var other = 0
        while !isTurnedAway(try EdgeBench.request("INVITE", uri: uri, branch: "z9hG4bKother\(other)"), &admission) { other += 1 }
        #expect(other == (uri.contains("112") ? 20 : 100), "it has taken no token itself")
        let neighbour = SocketAddress(IPAddress(v4: 0xc633_6401), port: 40_000)
        var theirs = 0
        while !isTurnedAway(call, from: neighbour, &admission) { theirs += 1 }
        #expect(theirs == other)
        for _ in 0..<6 { #expect(isTurnedAway(call, &admission) == false) }
        #expect(isTurnedAway(try EdgeBench.request("INVITE", uri: uri, branch: "z9hG4bKnew"), &admission) == true)
    }

    @Test("is free as often as a client sends it and a network doubles it: a flood of it is a flood")
    func flood() throws {
        var admission = Self.admission { $0.rates.invite = TokenRate(perSecond: 1, burst: 5) }
        let call = try EdgeBench.request("INVITE")
        try letIn(call, &admission)
        var passed = 0
        while !isTurnedAway(call, &admission) { passed += 1 }
        #expect(passed == Int(AdmittedInvites.freeCopies) + 5)
    }

    @Test("passes a loop that is late, which refuses new calls")
    func lateLoop() throws {
        var admission = Self.admission()
        let call = try EdgeBench.request("INVITE")
        try letIn(call, &admission)
        for tick in 0..<60 { admission.measured(lag: .milliseconds(500), now: Self.at(tick * 50)) }
        #expect(isTurnedAway(try EdgeBench.request("INVITE", branch: "z9hG4bKnew"), at: 3_000, &admission) == true)
        #expect(isTurnedAway(call, at: 3_000, &admission) == false)
    }

    @Test("is forgotten when there are more calls than places, and then judged like a new one")
    func capacity() {
        var invites = AdmittedInvites(capacity: 8)
        for number in 1...9 as ClosedRange<UInt64> { invites.admitted(number, now: Self.at(Int(number))) }
        #expect(invites.contains(1, now: Self.at(10)) == false)
        #expect(invites.contains(9, now: Self.at(10)) == true)
        #expect(invites.isEmpty(now: Self.at(32_008)) == false)
        #expect(invites.isEmpty(now: Self.at(32_009)) == true)
    }
}
