import Bus
public import Contracts
import Logging

/// The suite's relays, told something over its bus as a call server would.
extension RunningSuite {
    /// Performs a command on an instance of its service.
    public func command<C: Command>(_ command: C, of service: String, _ instance: Int = 1) async throws -> C.Reply {
        try await perform(command, at: .instance("\(service)-\(instance)"), of: service)
    }

    /// Performs them at one moment, each on whatever instance takes it.
    public func atOnce<C: Command>(_ commands: [C], of service: String) async throws -> [Result<C.Reply, RPCError>] {
        try await withBus(of: service, 1) { bus in
            await withTaskGroup(of: Result<C.Reply, RPCError>.self) { group in
                for command in commands { group.addTask { await Self.result(of: command, at: .any, over: bus) } }
                var results: [Result<C.Reply, RPCError>] = []
                for await result in group { results.append(result) }
                return results
            }
        }
    }

    private func perform<C: Command>(_ command: C, at recipient: Recipient, of service: String, _ instance: Int = 1) async throws -> C.Reply {
        try await withBus(of: service, instance) { bus in await Self.result(of: command, at: recipient, over: bus) }.get()
    }

    private static func result<C: Command>(of command: C, at recipient: Recipient, over bus: Bus) async -> Result<C.Reply, RPCError> {
        do throws(RPCError) { return .success(try await bus.call(command, to: recipient)) } catch { return .failure(error) }
    }

    private func withBus<T>(of service: String, _ instance: Int, _ body: (Bus) async -> T) async throws -> T {
        let url = try setting("TANDEM_AMQP_URL", of: service, instance)
        guard let settings = Bus.Settings(url: url) else { throw Missing.refused("\(url) is no address of a broker") }
        // It serves nothing, so it takes nobody's work.
        let bus = Bus(
            settings: settings, service: .edgeProxy, instance: "tests-\(UInt64.random(in: 0 ... .max))",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await bus.start()
        let result = await body(bus)
        await bus.stop()
        return result
    }

    /// The ConferenceServer that has a room.
    public func host(ofRoom room: String, of customer: String) async throws -> String {
        var last: (any Error)?
        for _ in 0..<40 {
            do { return try await perform(LocateRoom(customerID: customer, roomID: room), at: .any, of: "ConferenceServer").instance } catch {
                last = error
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        throw last ?? Missing.refused("nobody has \(room)")
    }

    /// The media session of the latest call of this number.
    public func session(from number: String) async throws -> String {
        var found: String?
        try await eventually("a call from \(number)") {
            let calls = try await request("GET", "/v1/calls?from=\(number)").body
            found = calls["data"]?.array?.first { $0["direction"]?.string == "inbound" }?["id"]?.string
            return found != nil
        }
        guard let found, let underscore = found.firstIndex(of: "_") else { throw Missing.refused("no call from \(number)") }
        return "sess_" + found[found.index(after: underscore)...]
    }
}
