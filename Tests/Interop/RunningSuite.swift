import Addresses
import Foundation

/// The suite under test, as `make test` started it and describes it in the environment; its API makes the accounts of a test.
struct RunningSuite {
    /// Where phones reach it over UDP and TCP.
    let sip: SocketAddress
    let domain: String
    private let api: String
    private let key: String

    enum Missing: Error, CustomStringConvertible {
        case variable(String)
        case refused(String)

        var description: String {
            switch self {
            case .variable(let name): "\(name) is not set: these tests want a running suite, run them with `make test`"
            case .refused(let answer): "the API refused: \(answer)"
            }
        }
    }

    /// A phone's account, made for one test so that tests running beside each other do not meet.
    struct Account {
        let id: String
        let number: String
        let password: String
    }

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        func value(_ name: String, in values: [String: String]) throws -> String {
            guard let value = values[name] else { throw Missing.variable(name) }
            return value
        }
        let address = try value("TANDEM_TEST_SIP", in: environment)
        guard let sip = SocketAddress(address) else { throw Missing.variable("TANDEM_TEST_SIP=ADDRESS:PORT") }
        let file = try String(contentsOfFile: value("TANDEM_TEST_ENV", in: environment), encoding: .utf8)
        let demo = Dictionary(
            file.split(separator: "\n").compactMap { line -> (String, String)? in
                let parts = line.split(separator: "=", maxSplits: 1)
                return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
            }, uniquingKeysWith: { _, last in last })
        self.sip = sip
        domain = try value("TANDEM_SIP_DOMAIN", in: demo)
        api = try value("TANDEM_API_URL", in: demo)
        key = try value("TANDEM_API_KEY", in: demo)
    }

    func makeAccount() async throws -> Account {
        let number = String(Int.random(in: 200_000...899_999))
        let password = "interop-\(UInt64.random(in: 0...UInt64.max))"
        let body = try JSONEncoder().encode(["number": number, "name": "Interop \(number)", "password": password])
        let answer = try await request("POST", "/v1/extensions", body: String(decoding: body, as: UTF8.self))
        guard let id = answer["id"] as? String else { throw Missing.refused("\(answer)") }
        return Account(id: id, number: number, password: password)
    }

    /// Whether the extension has a live binding, as the API tells.
    func isRegistered(_ account: Account) async throws -> Bool {
        try await request("GET", "/v1/extensions/\(account.id)")["registered"] as? Bool ?? false
    }

    private func request(_ method: String, _ path: String, body: String? = nil) async throws -> [String: Any] {
        var arguments = ["-sS", "-m", "10", "-X", method, "-H", "Authorization: Bearer \(key)"]
        if let body { arguments += ["-H", "Content-Type: application/json", "-d", body] }
        let curl = try Program("curl", arguments + [api + path])
        guard try await curl.end(within: .seconds(12)) == 0,
            let answer = try JSONSerialization.jsonObject(with: Data(curl.output.utf8)) as? [String: Any]
        else { throw Missing.refused(curl.output) }
        return answer
    }
}
