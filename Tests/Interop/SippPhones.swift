import Flow
import Suite
import Testing

/// Phones that play scripts, each with an account of its own.
extension RunningSuite {
    /// A registered phone that waits for its call.
    func called(_ script: SippScript, dial: String? = nil) async throws -> (number: String, phone: Sipp) {
        let (account, port) = (try await makeAccount(), LocalPort.ten())
        try await Sipp("register", as: account, in: self, port: port).succeeds()
        return (account.number, try await Sipp(script, as: account, in: self, port: port, dial: dial).listening())
    }

    /// The same for an account that there is.
    func called(_ script: SippScript, as account: Account, dial: String? = nil) async throws -> Sipp {
        let port = LocalPort.ten()
        try await Sipp("register", as: account, in: self, port: port).succeeds()
        return try await Sipp(script, as: account, in: self, port: port, dial: dial).listening()
    }

    func calling(_ number: String, _ script: SippScript) async throws -> Sipp { try Sipp(script, as: try await makeAccount(), in: self, dial: number) }

    /// A call from the one script to the other, each of which goes as it says.
    func call(_ caller: SippScript, to callee: SippScript) async throws {
        let (number, phone) = try await called(callee)
        try await calling(number, caller).succeeds()
        try await phone.succeeds()
    }
}
