internal import Bytes

/// One row of a result. Values are read by column name; a missing column, a NULL where a value is asked for, or a value of
/// another type throws `DatabaseError.unexpectedResult`.
public struct Row: Sendable {
    let columns: [String: Int]
    let values: [String?]

    public func text(_ column: String) throws(DatabaseError) -> String { try present(column, optionalText(column)) }
    public func int(_ column: String) throws(DatabaseError) -> Int64 { try present(column, optionalInt(column)) }
    public func double(_ column: String) throws(DatabaseError) -> Double { try present(column, optionalDouble(column)) }
    public func bool(_ column: String) throws(DatabaseError) -> Bool { try present(column, optionalBool(column)) }
    public func bytes(_ column: String) throws(DatabaseError) -> [UInt8] { try present(column, optionalBytes(column)) }

    public func optionalText(_ column: String) throws(DatabaseError) -> String? {
        guard let index = columns[column] else { throw .unexpectedResult("the result has no column \(column)") }
        return values[index]
    }

    public func optionalInt(_ column: String) throws(DatabaseError) -> Int64? { try convert(column) { Int64($0) } }

    public func optionalDouble(_ column: String) throws(DatabaseError) -> Double? { try convert(column) { Double($0) } }

    public func optionalBool(_ column: String) throws(DatabaseError) -> Bool? {
        try convert(column) { $0 == "t" ? true : $0 == "f" ? false : nil }
    }

    public func optionalBytes(_ column: String) throws(DatabaseError) -> [UInt8]? {
        try convert(column) { $0.hasPrefix("\\x") ? Hexadecimal.decode($0.utf8.dropFirst(2)) : nil }
    }

    private func convert<Value>(_ column: String, _ read: (String) -> Value?) throws(DatabaseError) -> Value? {
        guard let text = try optionalText(column) else { return nil }
        guard let value = read(text) else { throw .unexpectedResult("the column \(column) is no \(Value.self)") }
        return value
    }

    private func present<Value>(_ column: String, _ value: Value?) throws(DatabaseError) -> Value {
        guard let value else { throw .unexpectedResult("the column \(column) is NULL") }
        return value
    }
}
