/// A request that a flow makes of a web server: what is sent, and how long it is waited for. Whoever sends it refuses private
/// addresses and signs it (docs/flow-requests.md).
public struct FlowRequest: Sendable, Hashable {
    public var url: String
    public var method: RequestMethod
    public var headers: [String: String]
    public var body: String?
    public var contentType: String?
    /// Milliseconds for each attempt.
    public var timeout: Int
    /// Attempts after the first, when the server was not reached, or answers 429 or 5xx.
    public var retries: Int
    /// Counts the requests of the run: names this one for ever, for the server as well.
    public var number: Int

    public init(
        url: String, method: RequestMethod, headers: [String: String] = [:], body: String? = nil, contentType: String? = nil,
        timeout: Int, retries: Int, number: Int
    ) {
        (self.url, self.method, self.headers, self.body, self.contentType) = (url, method, headers, body, contentType)
        (self.timeout, self.retries, self.number) = (timeout, retries, number)
    }

    /// The longest it can take, with pauses between attempts.
    public var longest: Int { (timeout + Self.longestPause) * (retries + 1) }

    public static let longestPause = 2000

    /// Milliseconds before attempt `number`, which counts from 1.
    public static func pause(before number: Int) -> Int { min(longestPause, 100 << min(max(number - 1, 0), 10)) }
}

/// What came of a request.
public struct FlowAnswer: Sendable, Hashable {
    /// Nil when there was no answer; `failure` says why.
    public var status: Int?
    public var contentType: String?
    public var body: String
    /// `address_refused`, `unreachable`, `timeout`, `too_large`, `invalid_request`, `interrupted`.
    public var failure: String?
    public var milliseconds: Int
    public var attempts: Int

    public static let largestBody = 64 << 10

    public init(
        status: Int? = nil, contentType: String? = nil, body: String = "", failure: String? = nil, milliseconds: Int = 0, attempts: Int = 1
    ) {
        (self.status, self.contentType, self.body, self.failure) = (status, contentType, body, failure)
        (self.milliseconds, self.attempts) = (milliseconds, attempts)
    }

    public var isSuccess: Bool { status.map { (200..<300).contains($0) } ?? false }

    /// Whether the server had nothing to say.
    var isEmpty: Bool { status == 204 || body.allSatisfy(\.isWhitespace) }

    /// Whether another attempt may help.
    public var mayBeRepeated: Bool {
        guard let status else { return ["unreachable", "timeout"].contains(failure) }
        return status == 429 || status >= 500
    }

    /// The body as a value, when it says it is JSON and is. Where JSON was asked for it may also say that it is text, or nothing.
    func document(isExpected: Bool) -> JSONValue? {
        let type = (contentType ?? "").lowercased().prefix { $0 != ";" }.trimmingSpaces
        guard type.hasSuffix("json") || isExpected && ["", "text/plain"].contains(type) else { return nil }
        return try? JSONValue(json: body, limits: JSONLimits(bytes: Self.largestBody, depth: 32))
    }

    /// Bodies larger than this are kept only in the variable that was asked for.
    private static let largestKept = 8 << 10

    func outcome(body: JSONValue) -> Outcome {
        var data: [String: JSONValue] = ["milliseconds": .integer(Int64(milliseconds)), "attempts": .integer(Int64(attempts))]
        data["status"] = status.map { .integer(Int64($0)) }
        data["content_type"] = contentType.map(JSONValue.string)
        if body.approximateBytes <= Self.largestKept { data["body"] = body } else { data["body_omitted"] = true }
        if isSuccess { return Outcome(.completed, data: data) }
        return Outcome(.failed, code: failure ?? status.map { "http_\($0)" } ?? "unreachable", data: data)
    }
}
