import Addresses
import Glibc

/// What the self-test call is told: by arguments, by a file of NAME=VALUE lines (`--env`), or by the environment, in this order.
struct Options {
    struct Mistake: Error {
        let text: String
    }

    var proxy = SocketAddress(.loopbackIPv4, port: 5060)
    var domain = "demo.localhost"
    var caller = "1001"
    var callee = "1002"
    var callerPassword = ""
    var calleePassword = ""
    var usesTCP = false
    /// How long both sides listen.
    var seconds = 2
    var repetitions = 1

    static let usage = """
        usage: SelfCall [--env FILE] [--proxy ADDRESS:PORT] [--domain NAME] [--from NUMBER] [--to NUMBER] [--tcp] [--seconds N] [--repeat N]
        One extension calls another, both send a tone and listen. Settings: TANDEM_SIP_PROXY (127.0.0.1:5060), TANDEM_SIP_DOMAIN
        (demo.localhost), TANDEM_EXT_<NUMBER>_PASSWORD, from the environment or from FILE, for example .run/demo.env.
        """

    init(_ arguments: [String]) throws(Mistake) {
        var given: [String: String] = [:]
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--tcp": usesTCP = true
            case "--env", "--proxy", "--domain", "--from", "--to", "--seconds", "--repeat":
                guard let value = rest.popFirst() else { throw Mistake(text: "\(name) wants a value") }
                given[name] = value
            default:
                throw Mistake(text: "unknown argument \(name)\n\(Self.usage)")
            }
        }
        let file = try given["--env"].map(Self.readFile) ?? [:]
        func setting(_ name: String) -> String? { file[name] ?? environment(name) }

        if let text = given["--proxy"] ?? setting("TANDEM_SIP_PROXY") {
            guard let address = SocketAddress(text) else { throw Mistake(text: "\(text) is not ADDRESS:PORT (--proxy, TANDEM_SIP_PROXY)") }
            proxy = address
        }
        domain = given["--domain"] ?? setting("TANDEM_SIP_DOMAIN") ?? domain
        caller = given["--from"] ?? caller
        callee = given["--to"] ?? callee
        seconds = try Self.count("--seconds", given) ?? seconds
        repetitions = try Self.count("--repeat", given) ?? repetitions
        callerPassword = try Self.password(of: caller, setting)
        calleePassword = try Self.password(of: callee, setting)
    }

    private static func password(of number: String, _ setting: (String) -> String?) throws(Mistake) -> String {
        let name = "TANDEM_EXT_\(number)_PASSWORD"
        guard let password = setting(name) else {
            throw Mistake(text: "no password for extension \(number): set \(name), or name the file that has it (--env .run/demo.env)")
        }
        return password
    }

    private static func count(_ name: String, _ given: [String: String]) throws(Mistake) -> Int? {
        guard let text = given[name] else { return nil }
        guard let count = Int(text), (1...100_000).contains(count) else { throw Mistake(text: "\(name) wants a number from 1 to 100000") }
        return count
    }

    /// `NAME=VALUE` lines as `source` takes them; comments and empty lines are skipped, quotes around a value are removed.
    private static func readFile(_ path: String) throws(Mistake) -> [String: String] {
        guard let file = fopen(path, "r") else {
            throw Mistake(text: "\(path) cannot be read (\(String(cString: strerror(errno)))): run `make up` first, or set --env")
        }
        defer { fclose(file) }
        var values: [String: String] = [:]
        while let line = readLine(from: file) {
            let text = line.hasPrefix("export ") ? line.dropFirst(7) : line[...]
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !text.hasPrefix("#") else { continue }
            var value = parts[1]
            if let quote = value.first, quote == "'" || quote == "\"", value.last == quote, value.count > 1 {
                value = value.dropFirst().dropLast()
            }
            values[String(parts[0])] = String(value)
        }
        return values
    }

    private static func readLine(from file: UnsafeMutablePointer<FILE>) -> String? {
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        guard getline(&line, &capacity, file) >= 0, let line else { return nil }
        return String(cString: line).trimmingSuffix { $0.isNewline }
    }
}

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

extension String {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return String(text)
    }
}
