public import Addresses

/// The settings of a process, read once from its environment and checked as a whole: an unknown name is an error, and every
/// mistake is reported in one go.
public struct Settings: Sendable {
    public struct Mistakes: Error, CustomStringConvertible {
        public let lines: [String]
        public var description: String { lines.joined(separator: "\n") }
    }

    private let values: [String: String]

    /// `readFile` gives the content of a file named by a `*_FILE` variable, or nil.
    public init(
        _ declared: [Setting], environment: [String: String], readFile: (String) -> String?
    ) throws(Mistakes) {
        try self.init(GivenSettings(declared, environment: environment, readFile: readFile))
    }

    init(_ given: GivenSettings) throws(Mistakes) {
        let lines = given.mistakes + given.missing.map { "\($0.name) is not set: \($0.help)" }
        guard lines.isEmpty else { throw Mistakes(lines: lines) }
        values = given.values
    }

    public func text(_ name: String) -> String {
        guard let value = values[name] else { preconditionFailure("\(name) is not declared by this service") }
        return value
    }

    public func integer(_ name: String) -> Int {
        guard let value = Int(text(name)) else { preconditionFailure("\(name) was checked to be an integer") }
        return value
    }

    public func flag(_ name: String) -> Bool { ["1", "true", "yes", "on"].contains(text(name).lowercased()) }

    /// Comma- or space-separated words.
    public func list(_ name: String) -> [String] { Self.words(of: text(name)) }

    /// Of a setting whose format is `ipAddress`.
    public func ipAddress(_ name: String) -> IPAddress {
        guard let address = IPAddress(text(name)) else { preconditionFailure("\(name) was checked to be an IP address") }
        return address
    }

    /// Of a setting whose format is `socketAddress`.
    public func socketAddress(_ name: String) -> SocketAddress {
        guard let address = SocketAddress(text(name)) else { preconditionFailure("\(name) was checked to be ADDRESS:PORT") }
        return address
    }

    static func words(of text: String) -> [String] { text.split { $0 == "," || $0 == " " }.map(String.init) }
}

/// The settings as the environment has them, right or wrong: what there is to be seen of them, and to be said about them.
struct GivenSettings: Sendable {
    let declared: [Setting]
    private(set) var values: [String: String] = [:]
    /// Those that must be given and are not.
    private(set) var missing: [Setting] = []
    private(set) var mistakes: [String] = []

    init(_ declared: [Setting], environment: [String: String], readFile: (String) -> String?) {
        self.declared = declared
        let known = Set(declared.map(\.name))
        for name in environment.keys.sorted() where name.hasPrefix("TANDEM_") && !known.contains(name) {
            let base = name.hasSuffix("_FILE") ? String(name.dropLast(5)) : nil
            if let base, declared.contains(where: { $0.name == base && $0.isSecret }) { continue }
            mistakes.append("\(name) is no setting of this service: remove it, or see --print-config for the names")
        }
        for setting in declared {
            var value = environment[setting.name]
            if value == nil, setting.isSecret, let path = environment[setting.name + "_FILE"] {
                guard let content = readFile(path) else {
                    mistakes.append("\(setting.name)_FILE names \(path), which cannot be read")
                    continue
                }
                value = content.trimmingNewlines
            }
            guard let given = value ?? setting.fallback else {
                missing.append(setting)
                continue
            }
            if let mistake = setting.mistake(in: given) { mistakes.append(mistake) }
            values[setting.name] = given
        }
    }

    /// `NAME=value` lines with their meaning, secrets hidden: what `--print-config` prints.
    var printed: String {
        let missing = Set(missing.map(\.name))
        return declared.map { setting in
            let value = values[setting.name] ?? ""
            let shown = setting.isSecret && !value.isEmpty ? "(hidden)" : value
            let note = missing.contains(setting.name) ? " (must be given)" : ""
            return "# \(setting.help)\(note)\n\(setting.name)=\(shown)"
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = Substring(self)
        while let last = text.last, last.isNewline || last == " " { text.removeLast() }
        return String(text)
    }
}
