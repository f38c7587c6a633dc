/// Why a statement, a transaction or a connection failed.
public enum DatabaseError: Error, Sendable, Equatable {
    /// No connection, or it broke, or none became free in time, or the server cannot for now: it starts or stops, is full, or somebody else has
    /// locked what is wanted. Whether a commit under way took effect is not known.
    case unavailable(String)
    case uniqueViolation(constraint: String)
    case foreignKeyViolation(constraint: String)
    /// Any other refusal, with its five-character SQLSTATE.
    case failed(sqlstate: String, message: String)
    /// A result does not have the column, or not a value of the type asked for.
    case unexpectedResult(String)

    /// A deadlock or a serialisation conflict: the transaction had no effect and may be tried again.
    public var isConflict: Bool {
        if case .failed(let sqlstate, _) = self { sqlstate == "40P01" || sqlstate == "40001" } else { false }
    }

    init(sqlstate: String, message: String, constraint: String) {
        switch sqlstate {
        case "23505": self = .uniqueViolation(constraint: constraint)
        case "23503": self = .foreignKeyViolation(constraint: constraint)
        // The classes of connections, resources (53100: the disk is full), operators (57014: it took too long) and of the system's input and
        // output; a lock that is not to be had.
        case _ where ["08", "53", "57", "58"].contains(sqlstate.prefix(2)), "55P03": self = .unavailable(message)
        default: self = .failed(sqlstate: sqlstate, message: message)
        }
    }
}
