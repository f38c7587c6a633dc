import Foundation
import FoundationNetworking

/// What a process counts, as Prometheus would read it.
public struct MetricValues: Sendable {
    private let values: [String: Double]

    /// `admin` is the address and port of its admin server.
    public init(at admin: String) async throws {
        guard let url = URL(string: "http://\(admin)/metrics") else { throw RunningSuite.Missing.refused("\(admin) is no address") }
        let (data, _) = try await URLSession.shared.data(from: url)
        self.init(String(decoding: data, as: UTF8.self))
    }

    public init(_ text: String) {
        values = Dictionary(
            text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line -> (String, Double)? in
                guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { return nil }
                return (String(line[..<space]), value)
            }, uniquingKeysWith: { _, last in last })
    }

    /// The sum of all lines of this name whose labels contain each of `labels`, like `method="INVITE"`.
    public func sum(_ name: String, _ labels: String...) -> Double {
        values.reduce(0) { sum, entry in
            let isWanted = (entry.key == name || entry.key.hasPrefix(name + "{")) && labels.allSatisfy { entry.key.contains($0) }
            return isWanted ? sum + entry.value : sum
        }
    }
}

extension RunningSuite {
    public func metrics(of service: String, _ instance: Int = 1) async throws -> MetricValues {
        try await MetricValues(at: admin(of: service, instance))
    }

    /// Waits until the instance takes nothing new any more.
    public func untilDraining(_ service: String, _ instance: Int = 1) async throws {
        guard let url = URL(string: "http://\(try admin(of: service, instance))/healthz") else { throw Missing.refused(service) }
        for _ in 0..<500 {
            let (data, _) = try await URLSession.shared.data(from: url)
            if String(decoding: data, as: UTF8.self).contains("\"draining\":true") { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Missing.refused("\(service) does not drain")
    }

    private func admin(of service: String, _ instance: Int) throws -> String {
        let settings = try String(contentsOfFile: "\(folder)/settings/\(service)-\(instance)", encoding: .utf8)
        let value = settings.split(separator: "\n").first { $0.hasPrefix("TANDEM_ADMIN_LISTEN=") }?.split(separator: "=").last
        guard let value else { throw Missing.refused("\(service) has no admin port") }
        return String(value)
    }
}
