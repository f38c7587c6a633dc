import Contracts
import Flow
import Foundation
import FoundationNetworking

/// The API of the running suite, as a customer's program asks it, and the admin ports of its services.
struct SuiteAPI {
    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    private let address: String
    private let key: String

    init() throws(Settings.Missing) {
        guard let address = Settings.variable("TANDEM_API_URL"), let key = Settings.variable("TANDEM_API_KEY") else {
            throw Settings.Missing(text: "set TANDEM_API_URL and TANDEM_API_KEY, for example with `source .run/demo.env`")
        }
        (self.address, self.key) = (address, key)
    }

    func post(_ path: String, _ body: JSONValue) async throws -> JSONValue { try await ask("POST", path, body) }
    func get(_ path: String) async throws -> JSONValue { try await ask("GET", path, nil) }

    private func ask(_ method: String, _ path: String, _ body: JSONValue?) async throws -> JSONValue {
        guard let url = URL(string: address + path) else { throw Refused(description: "\(address + path) is no address") }
        var request = URLRequest(url: url, timeoutInterval: 15)
        request.httpMethod = method
        request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
        if let body {
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(body.json)
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, (200..<300).contains(status) else {
            throw Refused(description: "\(method) \(path): \(String(decoding: data.prefix(300), as: UTF8.self))")
        }
        return data.isEmpty ? .null : try JSONDecoder().decode(JSONValue.self, from: data)
    }

    /// What an admin port shows.
    static func metrics(at address: String) async throws -> String {
        guard let url = URL(string: "http://\(address)/metrics") else { throw Refused(description: "\(address) is no address") }
        return String(decoding: try await URLSession.shared.data(from: url).0, as: UTF8.self)
    }
}
