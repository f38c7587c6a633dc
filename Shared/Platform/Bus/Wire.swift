internal import Contracts
internal import JSONCoding
internal import Synchronization

/// JSON as it is on the bus.
enum JSON {
    /// Nil for a value JSON cannot express, such as a number that is not finite.
    static func encode(_ value: some Encodable) -> [UInt8]? { try? JSONText.encode(value) }

    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws(RPCError) -> Value {
        do { return try JSONText.decode(type, from: bytes) } catch {
            throw RPCError(.invalid, "not a \(type): \(describe(error))")
        }
    }

    private static func describe(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let context: DecodingError.Context
        switch error {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found), .dataCorrupted(let found):
            context = found
        @unknown default: return "not decodable"
        }
        let path = context.codingPath.map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue) }.joined()
        return "\(context.debugDescription) at \(path.isEmpty ? "/" : path)"
    }
}

/// Message ids: unique over all processes, cheap to make.
enum MessageID {
    private static let prefix = String(UInt64.random(in: 0 ... .max), radix: 36)
    private static let count = Atomic<UInt64>(0)

    static func next() -> String { "\(prefix)-\(count.wrappingAdd(1, ordering: .relaxed).newValue)" }
}
