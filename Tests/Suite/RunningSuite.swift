public import Addresses
public import Flow
public import Foundation
import FoundationNetworking
public import SIP

/// The suite under test, as `make test` started it and describes it in the environment.
public struct RunningSuite: Sendable {
    /// Where phones reach it over UDP and TCP.
    public let sip: SocketAddress
    public let domain: String
    public let api: String
    public let key: String
    /// Its folder of logs and pids.
    public let folder: String
    private let demo: [String: String]

    public enum Missing: Error, CustomStringConvertible {
        case variable(String)
        case refused(String)

        public var description: String {
            switch self {
            case .variable(let name): "\(name) is not set: these tests want a running suite, run them with `make test`"
            case .refused(let answer): "the API refused: \(answer)"
            }
        }
    }

    /// A phone's account, made for one test so that tests running beside each other do not meet.
    public struct Account: Sendable {
        public let id: String
        public let number: String
        public let password: String

        public init(id: String, number: String, password: String) { (self.id, self.number, self.password) = (id, number, password) }
    }

    public init() throws {
        let environment = ProcessInfo.processInfo.environment
        func value(_ name: String, in values: [String: String]) throws -> String {
            guard let value = values[name] else { throw Missing.variable(name) }
            return value
        }
        let address = try value("TANDEM_TEST_SIP", in: environment)
        guard let sip = SocketAddress(address) else { throw Missing.variable("TANDEM_TEST_SIP=ADDRESS:PORT") }
        let path = try value("TANDEM_TEST_ENV", in: environment)
        let file = try String(contentsOfFile: path, encoding: .utf8)
        demo = Dictionary(
            file.split(separator: "\n").compactMap { line -> (String, String)? in
                let parts = line.split(separator: "=", maxSplits: 1)
                return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
            }, uniquingKeysWith: { _, last in last })
        self.sip = sip
        folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        domain = try value("TANDEM_SIP_DOMAIN", in: demo)
        api = try value("TANDEM_API_URL", in: demo)
        key = try value("TANDEM_API_KEY", in: demo)
    }

    /// Where phones reach it over this transport.
    public func proxy(over transport: Transport) throws -> SocketAddress {
        let name =
            switch transport {
            case .udp, .tcp: ""
            case .tls: "TANDEM_SIP_TLS"
            case .ws: "TANDEM_SIP_WS"
            case .wss: "TANDEM_SIP_WSS"
            }
        guard !name.isEmpty else { return sip }
        guard let address = demo[name].flatMap({ SocketAddress($0) }) else { throw Missing.variable(name) }
        return address
    }

    /// Where the second edge has the same: ten ports further, as deploy/local lays them out.
    public func standby(over transport: Transport) throws -> SocketAddress {
        let first = try proxy(over: transport)
        return SocketAddress(first.address, port: first.port + 10)
    }

    /// The file with the certificate it shows to phones.
    public var certificate: String { demo["TANDEM_SIP_CERTIFICATE"] ?? "" }

    // MARK: API

    public struct Answer: Sendable {
        public let status: Int
        public let body: JSONValue
        /// Names in lower case.
        public let headers: [String: String]
    }

    /// One request with the tenant's key, or another; JSON in and out.
    public func request(
        _ method: String, _ path: String, _ body: JSONValue? = nil, key: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        try await request(method, path, bytes: body.map { Data($0.json) }, key: key, headers: headers)
    }

    public func request(
        _ method: String, _ path: String, bytes: Data?, key: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        guard let url = URL(string: api + path) else { throw Missing.refused("\(path) is no path") }
        var request = URLRequest(url: url, timeoutInterval: 15)
        request.httpMethod = method
        request.setValue("Bearer \(key ?? self.key)", forHTTPHeaderField: "Authorization")
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        if let bytes {
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = bytes
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw Missing.refused("no HTTP response") }
        let json = data.isEmpty ? JSONValue.null : (try? JSONDecoder().decode(JSONValue.self, from: data)) ?? .string(String(decoding: data, as: UTF8.self))
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields { headers["\(name)".lowercased()] = "\(value)" }
        return Answer(status: response.statusCode, body: json, headers: headers)
    }

    /// Makes a resource and returns it; once, even when the connection breaks and the request is sent again.
    public func create(_ plural: String, _ body: JSONValue) async throws -> JSONValue {
        let key = "suite-\(UInt64.random(in: 0...UInt64.max))"
        let answer = try await request("POST", "/v1/\(plural)", body, headers: ["Idempotency-Key": key])
        guard answer.status == 201 else { throw Missing.refused("\(answer.status) \(answer.body.jsonText)") }
        return answer.body
    }

    public func makeAccount(flow: String? = nil) async throws -> Account {
        // Nine digits: two tests of one run do not meet.
        let number = String(Int.random(in: 200_000_000...899_999_999))
        let password = "test-\(UInt64.random(in: 0...UInt64.max))"
        var body: [String: JSONValue] = ["number": .string(number), "name": .string("Test \(number)"), "password": .string(password)]
        if let flow { body["flow_id"] = .string(flow) }
        let answer = try await create("extensions", .object(body))
        guard let id = answer["id"]?.string else { throw Missing.refused(answer.jsonText) }
        return Account(id: id, number: number, password: password)
    }

    /// Whether the extension has a live binding, as the API tells.
    public func isRegistered(_ account: Account) async throws -> Bool {
        try await request("GET", "/v1/extensions/\(account.id)").body["registered"]?.bool ?? false
    }

    /// An account of its own whose number runs this flow.
    public func makeNumber(running actions: JSONValue) async throws -> Account {
        let flow = try await create("flows", ["name": "test", "actions": actions])
        return try await makeAccount(flow: flow["id"]?.string)
    }

    // MARK: Processes

    public func pid(of service: String, _ instance: Int = 1) throws -> Int32 {
        let text = try String(contentsOfFile: "\(folder)/pids/\(service)-\(instance).pid", encoding: .utf8)
        guard let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { throw Missing.refused("no pid of \(service)") }
        return pid
    }

    /// Ends a process without warning, as a crash does.
    public func killProcess(of service: String, _ instance: Int = 1) throws {
        guard kill(try pid(of: service, instance), SIGKILL) == 0 else { throw Missing.refused("\(service) cannot be killed") }
    }

    /// Asks a process to stop, as an operator does: it finishes what it has first.
    public func terminateProcess(of service: String, _ instance: Int = 1) throws {
        guard kill(try pid(of: service, instance), SIGTERM) == 0 else { throw Missing.refused("\(service) cannot be stopped") }
    }

    /// Keeps the supervisor from starting an instance again, until `supervise` lets it.
    public func leaveAlone(_ service: String, _ instance: Int = 1) throws { try signalSupervisor(of: service, instance, SIGSTOP) }

    public func supervise(_ service: String, _ instance: Int = 1) throws { try signalSupervisor(of: service, instance, SIGCONT) }

    private func signalSupervisor(of service: String, _ instance: Int, _ signal: Int32) throws {
        let path = "\(folder)/supervisors/\(service)-\(instance).pid"
        let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let pid = Int32(text), kill(pid, signal) == 0 else { throw Missing.refused("no supervisor of \(service)") }
    }

    /// What its admin port says of an instance.
    func isReady(_ service: String, _ instance: Int) async -> Bool {
        let name = "TANDEM_ADMIN_LISTEN="
        let settings = (try? String(contentsOfFile: "\(folder)/settings/\(service)-\(instance)", encoding: .utf8)) ?? ""
        guard let line = settings.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let url = URL(string: "http://\(line.dropFirst(name.count))/readyz"),
            let (_, response) = try? await URLSession.shared.data(for: URLRequest(url: url, timeoutInterval: 2))
        else { return false }
        return (response as? HTTPURLResponse)?.statusCode == 200
    }

    /// Waits until the supervisor has started the service again and it is ready for work.
    public func waitUntilBack(_ service: String, _ instance: Int = 1, insteadOf old: Int32, within limit: Duration = .seconds(15)) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if let pid = try? pid(of: service, instance), pid != old, kill(pid, 0) == 0, await isReady(service, instance) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Missing.refused("\(service) did not come back")
    }
}
