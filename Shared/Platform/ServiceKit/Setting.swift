/// One setting of a service: a name under the prefix `TANDEM_`, what it means, and its default.
public struct Setting: Sendable {
    public enum Kind: Sendable {
        case text
        case integer(ClosedRange<Int>)
        case flag
        /// Text that is not shown by `--print-config` and may come from the file that `<NAME>_FILE` names.
        case secret
    }

    public let name: String
    public let kind: Kind
    /// Nil: the setting must be given.
    public let fallback: String?
    public let help: String

    public init(_ name: String, _ kind: Kind = .text, default fallback: String? = nil, _ help: String) {
        precondition(name.hasPrefix("TANDEM_"), "every setting carries the one prefix")
        (self.name, self.kind, self.fallback, self.help) = (name, kind, fallback, help)
    }
}

/// The settings of a process, read once from its environment and checked as a whole: an unknown name is an error, and every
/// mistake is reported in one go.
public struct Settings: Sendable {
    private var values: [String: String] = [:]
    private let declared: [Setting]

    public struct Mistakes: Error, CustomStringConvertible {
        public let lines: [String]
        public var description: String { lines.joined(separator: "\n") }
    }

    /// `readFile` gives the content of a file named by a `*_FILE` variable, or nil.
    public init(
        _ declared: [Setting], environment: [String: String], readFile: (String) -> String?
    ) throws(Mistakes) {
        self.declared = declared
        var mistakes: [String] = []
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
                mistakes.append("\(setting.name) is not set: \(setting.help)")
                continue
            }
            if let mistake = setting.mistake(in: given) { mistakes.append(mistake) }
            values[setting.name] = given
        }
        guard mistakes.isEmpty else { throw Mistakes(lines: mistakes) }
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
    public func list(_ name: String) -> [String] {
        text(name).split { $0 == "," || $0 == " " }.map(String.init)
    }

    /// `NAME=value` lines with their meaning, secrets hidden: what `--print-config` prints.
    public var printed: String {
        declared.map { setting in
            let value = setting.isSecret && !text(setting.name).isEmpty ? "(hidden)" : text(setting.name)
            return "# \(setting.help)\n\(setting.name)=\(value)"
        }.joined(separator: "\n")
    }
}

extension Setting {
    var isSecret: Bool { if case .secret = kind { true } else { false } }

    func mistake(in value: String) -> String? {
        switch kind {
        case .text, .secret:
            return nil
        case .integer(let range):
            guard let number = Int(value), range.contains(number) else {
                return "\(name) is '\(value)': give a whole number from \(range.lowerBound) to \(range.upperBound)"
            }
            return nil
        case .flag:
            let words = ["0", "1", "true", "false", "yes", "no", "on", "off"]
            return words.contains(value.lowercased()) ? nil : "\(name) is '\(value)': give 1 or 0"
        }
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = Substring(self)
        while let last = text.last, last.isNewline || last == " " { text.removeLast() }
        return String(text)
    }
}
