import Addresses
import Foundation
import FoundationNetworking

extension RunningSuite {
    /// What an instance counts under that name, over all label sets that contain every one of `labels` (like `transport="tcp"`).
    public func metric(_ name: String, of service: String, _ instance: Int = 1, labels: [String] = []) async throws -> Int {
        let settings = try String(contentsOfFile: "\(folder)/settings/\(service)-\(instance)", encoding: .utf8)
        let listen = settings.split(separator: "\n").first { $0.hasPrefix("TANDEM_ADMIN_LISTEN=") }?.split(separator: "=").last
        guard let listen, let url = URL(string: "http://\(listen)/metrics") else { throw Missing.refused("\(service) has no admin port") }
        let (data, _) = try await URLSession.shared.data(from: url)
        var total = 0.0
        var isThere = false
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            guard let end = line.lastIndex(of: " "), let value = Double(line[line.index(after: end)...]) else { continue }
            let series = line[..<end]
            guard series == name || series.hasPrefix(name + "{"), labels.allSatisfy({ series.contains($0) }) else { continue }
            (total, isThere) = (total + value, true)
        }
        guard isThere || !labels.isEmpty else { throw Missing.refused("\(service) counts no \(name)") }
        return Int(total)
    }
}
