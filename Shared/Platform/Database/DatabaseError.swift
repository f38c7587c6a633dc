/// Why a statement, a transaction or a connection failed.
public enum DatabaseError: Error, Sendable, Equatable {
    /// No connection, or it broke, or none became free in time. Whether a commit under way took effect is not known.
    case unavailable(String)
    case uniqueViolation(constraint: String)
    case foreignKeyViolation(constraint: String)
    /// Any other refusal, with its five-character SQLSTATE.
    case failed(sqlstate: String, message: String)
    /// A result does not have the column, or not a value of the type asked for.
    case unexpectedResult(String)

    /// A deadlock or a serialisation conflict: the transaction had no effect and may be tried again.
    var isConflict: Bool {
        if case .failed(let sqlstate, _) = self { sqlstate == "40P01" || sqlstate == "40001" } else { false }
    }

    init(sqlstate: String, message: String, constraint: String) {
        switch sqlstate {
        case "23505": self = .uniqueViolation(constraint: constraint)
        case "23503": self = .foreignKeyViolation(constraint: constraint)
        // 57P0x: the server is shutting down or starting up; 53300: too many connections.
        case "57P01", "57P02", "57P03", "53300": self = .unavailable(message)
        default: self = .failed(sqlstate: sqlstate, message: message)
        }
    }
}
