internal import CPostgres
internal import Deadlines
internal import Glibc
internal import Threads

/// One connection to PostgreSQL: the owner of a libpq handle. Belongs to one thread; statements block until answered.
///
/// Bodies given to `Database.run` and `transaction` get it for the time they run and must not keep it.
@safe
public final class Connection {
    private static let preparedLimit = 256

    private let handle: OpaquePointer
    /// Statement text -> name of the prepared statement.
    private var prepared: [String: String] = [:]
    /// How long an answer is waited for: a little longer than the server lets a statement take. One that stands still answers nothing, and its
    /// kernel keeps the connection.
    private let patience: Interval
    private var isHung = false
    /// Migrations take as long as they take.
    var isUnlimited = false

    init(_ settings: Database.Settings) throws(DatabaseError) {
        // The first keyword may be a whole connection string or URI; what follows overrides it.
        let options: [(String, String)] = [
            ("dbname", settings.connection), ("connect_timeout", "2"), ("client_encoding", "UTF8"),
            ("fallback_application_name", settings.applicationName), ("tcp_user_timeout", "5000"), ("keepalives_idle", "10"),
            ("keepalives_interval", "3"), ("keepalives_count", "3"),
        ]
        let opened = unsafe withCStrings(options.map(\.0)) { keywords in
            unsafe withCStrings(options.map(\.1)) { values in unsafe PQconnectdbParams(keywords, values, 1) }
        }
        guard let handle = unsafe opened else { preconditionFailure("out of memory") }
        unsafe self.handle = handle
        patience = settings.statementTimeout + .milliseconds(500)
        // From here on a failure runs `deinit`.
        guard unsafe PQstatus(handle) == CONNECTION_OK else { throw .unavailable(failureText) }
        unsafe PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try execute("set statement_timeout to \(settings.statementTimeout.nanoseconds / 1_000_000)")
        // Long values are records and events of calls: lz4 takes a fifth of the time. A server may have been built without it.
        try execute(
            """
            select set_config(name, 'lz4', false) from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)
            """)
    }

    deinit { unsafe PQfinish(handle) }

    var descriptor: Int32 { unsafe PQsocket(handle) }

    /// Whether the connection can still be used, as far as is known without asking the server.
    var isUsable: Bool { unsafe !isHung && PQstatus(handle) == CONNECTION_OK }

    /// Reads what an idle connection was sent, such as its end.
    func attend() { unsafe PQconsumeInput(handle) }

    /// A body that began a transaction by hand and did not end it must not hand it on to the next.
    func leaveTransaction() {
        switch unsafe PQtransactionStatus(handle) {
        case PQTRANS_INTRANS, PQTRANS_INERROR:
            // Where that fails the connection is broken, which its owner sees.
            try? execute("rollback")
        default: return
        }
    }

    /// Runs one statement, prepared once per connection and text; the rows it returns.
    @discardableResult
    public func query(_ sql: String, _ parameters: [Parameter] = []) throws(DatabaseError) -> [Row] {
        let result = try run(sql, parameters)
        let (fields, count) = unsafe (PQnfields(result.handle), PQntuples(result.handle))
        guard fields > 0, count > 0 else { return [] }
        var columns: [String: Int] = [:]
        for field in 0..<fields {
            guard let name = unsafe PQfname(result.handle, field) else { continue }
            columns[unsafe String(cString: name)] = Int(field)
        }
        return (0..<count).map { row in
            Row(columns: columns, values: (0..<fields).map { unsafe result.value(row, $0) })
        }
    }

    /// Runs one statement; how many rows it inserted, changed or deleted.
    @discardableResult
    public func change(_ sql: String, _ parameters: [Parameter] = []) throws(DatabaseError) -> Int {
        let result = try run(sql, parameters)
        guard let text = unsafe PQcmdTuples(result.handle) else { return 0 }
        return unsafe Int(String(cString: text)) ?? 0
    }

    /// Runs statements without parameters, separated by `;`.
    public func execute(_ sql: String) throws(DatabaseError) {
        guard isUsable else { throw .unavailable("the connection is lost") }
        guard unsafe PQsendQuery(handle, sql) == 1 else { throw .unavailable(failureText) }
        _ = unsafe try checked(try answer())
    }

    private func run(_ sql: String, _ parameters: [Parameter]) throws(DatabaseError) -> QueryResult {
        let name = try prepare(sql)
        let isSent = unsafe withCStrings(parameters, { $0.append(to: &$1) }) { values in
            unsafe PQsendQueryPrepared(handle, name, Int32(parameters.count), values, nil, nil, 0)
        }
        guard isSent == 1 else { throw .unavailable(failureText) }
        return unsafe try checked(try answer())
    }

    private func isReadable(until end: Instant?) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let left = end.map { $0 - MonotonicClock.now() }
            if let left, left <= .zero { return false }
            let count = unsafe poll(&polled, 1, left.map { Int32(clamping: ($0.nanoseconds + 999_999) / 1_000_000) } ?? -1)
            // A signal may have come in between.
            if count > 0 || count < 0 && errno != EINTR { return true }
        }
    }

    /// The last result of what was sent, or the first error.
    private func answer() throws(DatabaseError) -> OpaquePointer? {
        let end = isUnlimited ? nil : MonotonicClock.now() + patience
        var last: OpaquePointer?
        while true {
            while unsafe PQisBusy(handle) == 1 {
                guard isReadable(until: end) else {
                    unsafe PQclear(last)
                    isHung = true
                    throw .unavailable("PostgreSQL does not answer")
                }
                // What it has to say of a connection that broke is in the result.
                unsafe PQconsumeInput(handle)
            }
            guard let next = unsafe PQgetResult(handle) else { return unsafe last }
            if unsafe last != nil && PQresultStatus(last) == PGRES_FATAL_ERROR {
                unsafe PQclear(next)
            } else {
                unsafe PQclear(last)
                unsafe last = next
            }
        }
    }

    private func prepare(_ sql: String) throws(DatabaseError) -> String {
        guard isUsable else { throw .unavailable("the connection is lost") }
        if let name = prepared[sql] { return name }
        if prepared.count >= Self.preparedLimit {
            // Statement texts are constants of the program, so this many means that someone pastes values into them.
            try execute("deallocate all")
            prepared = [:]
        }
        let name = "s\(prepared.count)"
        guard unsafe PQsendPrepare(handle, name, sql, 0, nil) == 1 else { throw .unavailable(failureText) }
        _ = unsafe try checked(try answer())
        prepared[sql] = name
        return name
    }

    private func checked(_ result: OpaquePointer?) throws(DatabaseError) -> QueryResult {
        guard let result = unsafe result else { throw .unavailable(failureText) }
        let owned = unsafe QueryResult(result)
        switch unsafe PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return owned
        default:
            let sqlstate = unsafe owned.field("C")
            guard isUsable, let sqlstate else { throw .unavailable(failureText) }
            throw DatabaseError(
                sqlstate: sqlstate, message: unsafe owned.field("M") ?? failureText, constraint: unsafe owned.field("n") ?? "")
        }
    }

    private var failureText: String {
        guard let text = unsafe PQerrorMessage(handle) else { return "no connection" }
        // Further lines are advice.
        let lines = unsafe String(cString: text).split(whereSeparator: \.isNewline)
        return lines.first.map(String.init) ?? "no connection"
    }
}

/// The owner of one PGresult.
@safe
private final class QueryResult {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe PQclear(handle) }

    @unsafe
    func value(_ row: Int32, _ field: Int32) -> String? {
        guard unsafe PQgetisnull(handle, row, field) == 0, let text = unsafe PQgetvalue(handle, row, field) else { return nil }
        let length = unsafe Int(PQgetlength(handle, row, field))
        return unsafe String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
    }

    /// A part of the error message: `C` is the SQLSTATE, `M` the message, `n` the constraint.
    @unsafe
    func field(_ code: Character) -> String? {
        guard let ascii = code.asciiValue, let text = unsafe PQresultErrorField(handle, Int32(ascii)) else { return nil }
        return unsafe String(cString: text)
    }
}

/// Lends an array of C strings, with a nil at the end.
private func withCStrings<Result>(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result) -> Result {
    unsafe withCStrings(texts, { text, bytes in
        bytes += text.utf8
        return true
    }, body)
}

/// Lends an array of C strings, made of the elements by `append`, nil where that says false, with a nil at the end.
private func withCStrings<Element, Result>(
    _ elements: [Element], _ append: (Element, inout [UInt8]) -> Bool, _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    var bytes: [UInt8] = []
    var offsets: [Int?] = []
    for element in elements {
        let start = bytes.count
        guard append(element, &bytes) else {
            offsets.append(nil)
            continue
        }
        offsets.append(start)
        bytes.append(0)
    }
    return unsafe bytes.withUnsafeBytes { buffer in
        var pointers: [UnsafePointer<CChar>?] = unsafe []
        for offset in offsets {
            let start = unsafe offset.flatMap { offset in unsafe buffer.baseAddress.map { unsafe ($0 + offset).assumingMemoryBound(to: CChar.self) } }
            unsafe pointers.append(start)
        }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { list in
            guard let first = list.baseAddress else { preconditionFailure("the list holds at least its end") }
            return unsafe body(first)
        }
    }
}
