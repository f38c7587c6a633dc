import Bytes
import Flow

/// The query of a request (`application/x-www-form-urlencoded`), checked against the parameters its route knows.
struct Query: Sendable, Equatable {
    private let values: [String: String]

    private init(values: [String: String]) { self.values = values }

    /// An unknown or repeated name is a mistake: a filter that is silently ignored shows what was not asked for.
    static func parse(_ text: some StringProtocol, for parameters: [Route.Parameter]) -> Result<Query, ProblemDocument> {
        var values: [String: String] = [:]
        var mistakes: [ProblemDocument.Mistake] = []
        func refuse(_ name: String, _ code: String, _ detail: String) {
            guard mistakes.count < Schema.mostProblems else { return }
            mistakes.append(.init(parameter: String(name.prefix(64)), code: code, detail: detail))
        }
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]), let value = decoded(parts.count > 1 ? parts[1] : "") else {
                refuse(String(parts[0]), "malformed", "is not percent-encoded UTF-8")
                continue
            }
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                let known = parameters.map(\.name).joined(separator: ", ")
                refuse(name, "unknown_parameter", "is not known here" + (known.isEmpty ? "" : "; known are \(known)"))
                continue
            }
            for problem in parameter.schema.problems(in: parameter.schema.readAsParameter(value)) {
                refuse(name, problem.code ?? "invalid_value", problem.detail)
            }
            if values.updateValue(value, forKey: name) != nil { refuse(name, "repeated", "is given twice") }
        }
        return mistakes.isEmpty ? .success(Query(values: values)) : .failure(.invalidQuery(mistakes))
    }

    subscript(name: String) -> String? { values[name] }

    func integer(_ name: String) -> Int? { values[name].flatMap { Int($0) } }

    private static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let value = Hexadecimal.decode(rest.prefix(2)) else { return nil }
                bytes += value
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+"): bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension Schema {
    /// The text of a query parameter as the JSON value its schema speaks of.
    fileprivate func readAsParameter(_ text: String) -> JSONValue {
        switch self {
        case .integer: Int64(text).map(JSONValue.integer) ?? .string(text)
        case .boolean: text == "true" ? true : text == "false" ? false : .string(text)
        default: .string(text)
        }
    }
}
