public import Foundation
import FoundationNetworking

extension RunningSuite {
    /// The sum of a metric over all its labels that contain `label`.
    public func metric(_ name: String, _ label: String = "", of service: String, _ instance: Int = 1) async throws -> Double {
        let address = try setting("TANDEM_ADMIN_LISTEN", of: service, instance)
        guard let url = URL(string: "http://\(address)/metrics") else { throw Missing.refused("\(address) is no address") }
        let (data, response) = try await URLSession.shared.data(for: URLRequest(url: url, timeoutInterval: 5))
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw Missing.refused("no metrics of \(service)") }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix(name) && (label.isEmpty || $0.contains(label)) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    /// A page of the instance's admin port.
    public func adminURL(of service: String, _ instance: Int = 1, _ path: String) throws -> URL {
        let address = try setting("TANDEM_ADMIN_LISTEN", of: service, instance)
        guard let url = URL(string: "http://\(address)\(path)") else { throw Missing.refused("\(address) is no address") }
        return url
    }

    /// Waits until the instance takes nothing new any more.
    public func untilDraining(_ service: String, _ instance: Int = 1) async throws {
        let address = try setting("TANDEM_ADMIN_LISTEN", of: service, instance)
        guard let url = URL(string: "http://\(address)/healthz") else { throw Missing.refused("\(address) is no address") }
        try await eventually("\(service) drains") {
            let (data, _) = try await URLSession.shared.data(for: URLRequest(url: url, timeoutInterval: 5))
            return String(decoding: data, as: UTF8.self).contains("\"draining\":true")
        }
    }

    /// Waits for a condition; in vain is a failure.
    public func eventually(_ what: String, within limit: Duration = .seconds(15), _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + limit
        // A service that is starting does not answer.
        while (try? await condition()) != true {
            guard ContinuousClock.now < end else { throw Missing.refused("not within \(limit): \(what)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// The operator's key, by which customers are made.
    public func bootstrapKey() throws -> String {
        try String(contentsOfFile: "\(folder)/secrets/bootstrap", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What an instance was started with.
    public func setting(_ name: String, of service: String, _ instance: Int) throws -> String {
        let settings = try String(contentsOfFile: "\(folder)/settings/\(service)-\(instance)", encoding: .utf8)
        let value = settings.split(separator: "\n").first { $0.hasPrefix("\(name)=") }?.dropFirst(name.count + 1)
        guard let value else { throw Missing.refused("\(service) has no \(name)") }
        return String(value)
    }

    /// Another value from its next start on.
    public func change(_ name: String, to value: String, of service: String, _ instance: Int) throws {
        let path = "\(folder)/settings/\(service)-\(instance)"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
        let changed = lines.map { $0.hasPrefix("\(name)=") ? "\(name)=\(value)" : String($0) }.joined(separator: "\n")
        // In place: it may be read by its owner alone.
        try changed.write(toFile: path, atomically: false, encoding: .utf8)
    }
}
