import Foundation

// A service whose process is a keeper: the pid that its supervisor knows is the keeper's, and others do the work.
extension RunningSuite {
    /// The process that serves; found by its name, its settings and its network, which it shares with the test.
    public func worker(of service: String, _ instance: Int = 1) throws -> Int32 {
        guard let network = Self.network(of: "self") else { throw Missing.refused("no /proc") }
        let name = Data("TANDEM_INSTANCE=\(service)-\(instance)\0".utf8)
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let id = Int32(entry), (try? String(contentsOfFile: "/proc/\(id)/comm", encoding: .utf8))?.hasSuffix("-worker\n") == true,
                Self.network(of: entry) == network,
                let environment = try? Data(contentsOf: URL(filePath: "/proc/\(id)/environ")), (Data([0]) + environment).range(of: Data([0]) + name) != nil
            else { continue }
            return id
        }
        throw Missing.refused("\(service) has no worker")
    }

    /// All of the instance: keeper, worker and standby.
    public func processes(of service: String, _ instance: Int = 1) throws -> [Int32] {
        guard let network = Self.network(of: "self") else { throw Missing.refused("no /proc") }
        let name = Data("\0TANDEM_INSTANCE=\(service)-\(instance)\0".utf8)
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { id in
            guard Self.network(of: "\(id)") == network, let environment = try? Data(contentsOf: URL(filePath: "/proc/\(id)/environ")),
                let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/exe")
            else { return false }
            return program.hasSuffix("/\(service)") && (Data([0]) + environment).range(of: name) != nil
        }
    }

    /// Those of the suite's network whose command line begins so.
    func processes(titled title: String) throws -> [Int32] {
        guard let network = Self.network(of: "self") else { throw Missing.refused("no /proc") }
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { id in
            guard Self.network(of: "\(id)") == network, let line = try? Data(contentsOf: URL(filePath: "/proc/\(id)/cmdline")) else { return false }
            return line.starts(with: Data(title.utf8))
        }
    }

    private static func network(of process: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/net")
    }

    public func killWorker(of service: String, _ instance: Int = 1) throws { try signalWorker(of: service, instance, SIGKILL) }

    /// It stands still, as a process does that hangs.
    public func freezeWorker(of service: String, _ instance: Int = 1) throws { try signalWorker(of: service, instance, SIGSTOP) }

    private func signalWorker(of service: String, _ instance: Int, _ signal: Int32) throws {
        guard kill(try worker(of: service, instance), signal) == 0 else { throw Missing.refused("the worker of \(service) cannot be reached") }
    }

    /// Waits until another worker has gone on.
    public func waitUntilWorks(_ service: String, _ instance: Int = 1, insteadOf old: Int32, within limit: Duration = .seconds(15)) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if let worker = try? worker(of: service, instance), worker != old, await isReady(service, instance) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Missing.refused("\(service) has no other worker")
    }
}
