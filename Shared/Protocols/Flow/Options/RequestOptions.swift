/// How a request of a flow is made.
public enum RequestMethod: String, Sendable, Hashable, OptionChoice {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"

    init?(written word: String) { self.init(rawValue: word.uppercased()) }
}

/// `fetch`: asks the customer's application what to do; it answers with actions, which are performed before the flow goes on.
public struct Fetch: Sendable, Hashable, OptionFields {
    public var eventURL = ""
    public var eventMethod = RequestMethod.post
    public var headers: [String: String] = [:]
    /// The variables and results of the run go along.
    public var sendVariables = false
    /// Milliseconds for each attempt.
    public var timeout = 5000
    public var retries = 1

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("event_url", &eventURL, .required, .url)
        visitor.choice("event_method", &eventMethod, .optional)
        visitor.texts("headers", &headers, .url)
        visitor.flag("send_variables", &sendVariables)
        visitor.integer("timeout", &timeout, .optional, in: 100...30_000)
        visitor.integer("retries", &retries, .optional, in: 0...5)
    }
}

/// `http_request`: asks any web server, and keeps what it answers.
public struct HTTPRequestAction: Sendable, Hashable, OptionFields {
    public var url = ""
    public var method = RequestMethod.get
    public var headers: [String: String] = [:]
    public var body: String?
    /// Instead of `body`: any JSON.
    public var json: JSONValue?
    /// A variable for the body of the answer.
    public var variable: String?
    /// Milliseconds for each attempt.
    public var timeout = 5000
    public var retries = 0

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("url", &url, .required, .url)
        visitor.choice("method", &method, .optional)
        visitor.texts("headers", &headers, .url)
        visitor.string("body", &body, .value)
        visitor.document("json", &json, .optional)
        visitor.string("variable", &variable, .short)
        visitor.integer("timeout", &timeout, .optional, in: 100...30_000)
        visitor.integer("retries", &retries, .optional, in: 0...5)
    }
}

/// `webhook_send`: tells a web server something; with `sync` the flow waits for the answer, and keeps it.
public struct WebhookSend: Sendable, Hashable, OptionFields {
    public var sync = false
    public var uri = ""
    public var method = RequestMethod.post
    /// The type of `data`, `application/json` without it.
    public var dataType: String?
    public var data: String?
    public var headers: [String: String] = [:]
    /// A variable for the body of the answer; with `sync`.
    public var variable: String?
    /// Actions in the answer are performed before the flow goes on, as those of `fetch`; with `sync`.
    public var runActions = false
    /// Milliseconds for each attempt.
    public var timeout = 5000
    public var retries = 2

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.flag("sync", &sync)
        visitor.string("uri", &uri, .required, .url)
        visitor.choice("method", &method, .optional)
        visitor.string("data_type", &dataType, .short)
        visitor.string("data", &data, .value)
        visitor.texts("headers", &headers, .url)
        visitor.string("variable", &variable, .short)
        visitor.flag("run_actions", &runActions)
        visitor.integer("timeout", &timeout, .optional, in: 100...30_000)
        visitor.integer("retries", &retries, .optional, in: 0...5)
    }
}

/// What all three must have right before a flow is saved.
enum RequestCheck {
    /// Fields that the request itself has, or that say how the message is framed.
    private static let own: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "proxy-authorization",
        "webhook-id", "webhook-timestamp", "webhook-signature",
    ]

    /// Whether a variable will be an address is seen when it is known.
    static func url(_ text: String, _ name: String, _ reader: inout OptionReader) {
        guard !text.isEmpty, !text.hasPrefix("${") else { return }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard !["http", "https"].contains(scheme) || !text.contains("://") else { return }
        reader.note(reader.pointer.pointing(at: name), .invalidValue, "an address begins with http:// or https://")
    }

    static func headers(_ headers: [String: String], _ reader: inout OptionReader) {
        for name in headers.keys.sorted() where !isAllowed(name) {
            reader.note(reader.pointer.pointing(at: "headers").pointing(at: name), .invalidValue, "this header cannot be set")
        }
    }

    static func isAllowed(_ name: String) -> Bool { HeaderName.isToken(name) && !own.contains(name.lowercased()) }
}

/// Names of header fields (RFC 9110 §5.1, RFC 3261 §25.1: tokens in both).
enum HeaderName {
    static func isToken(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 128
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
