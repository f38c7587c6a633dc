import Phone
import Suite

/// What the tests of two call servers do alike: `SCALE="CallServer=2"`.
struct TwoCallServers: Sendable {
    static let service = "CallServer"

    let suite: RunningSuite

    /// How many legs the instance has begun.
    func begun(_ instance: Int) async throws -> Double { try await suite.metric("tandem_call_legs_total", of: Self.service, instance) }

    /// Something that begins with a leg on this server: rendezvous sends half of all calls to each; what began on the other is ended again.
    func made<Made>(on instance: Int, ended end: (Made) async throws -> Void, _ make: () async throws -> Made) async throws -> Made {
        for _ in 0..<40 {
            let before = try await begun(instance)
            let made = try await make()
            if try await begun(instance) > before { return made }
            try await end(made)
        }
        throw PhoneError.timedOut("a call of server \(instance)")
    }

    /// Two phones that talk.
    func talking(_ caller: PhoneLine, _ callee: PhoneLine, on instance: Int) async throws -> (PhoneCall, PhoneCall) {
        try await made(on: instance, ended: { (pair: (PhoneCall, PhoneCall)) in
            try await pair.0.hangup()
            _ = try await pair.1.ended()
        }) { try await connect(caller, callee) }
    }

    /// A call of a number that answers by itself.
    func answered(_ caller: PhoneLine, _ number: String, on instance: Int) async throws -> PhoneCall {
        try await made(on: instance, ended: { (call: PhoneCall) in try await call.hangup() }) {
            let call = try await caller.call(number)
            try await call.answered()
            return call
        }
    }

    /// Kills a server, and has it started again when the body has ended, however it ended.
    func without(_ instance: Int, _ body: (_ killed: ContinuousClock.Instant) async throws -> Void) async throws {
        let old = try suite.pid(of: Self.service, instance)
        try suite.leaveAlone(Self.service, instance)
        defer { try? suite.supervise(Self.service, instance) }
        try suite.killProcess(of: Self.service, instance)
        do { try await body(.now) } catch {
            // The next one wants a suite that runs.
            try suite.supervise(Self.service, instance)
            try await suite.waitUntilBack(Self.service, instance, insteadOf: old, within: .seconds(30))
            throw error
        }
        try suite.supervise(Self.service, instance)
        try await suite.waitUntilBack(Self.service, instance, insteadOf: old, within: .seconds(30))
        try await bothServe()
    }

    /// The edge has heard of both.
    func bothServe() async throws {
        try await suite.eventually("both call servers serve") {
            _ = try await begun(1) + begun(2)
            return try await suite.metric("tandem_edge_servers_alive", "kind=\"call\"", of: "EdgeProxy") == 2
        }
    }
}
