import Bytes
import Contracts
import Deadlines
import Flow
import Testing

@testable import APIGateway

@Suite("API: keys and scopes")
struct GatewayKeyTests {
    @Test("RFC 6750 §2.1: the credentials of a bearer", arguments: [
        ("Bearer tk_abc", "tk_abc"), ("bearer tk_abc", "tk_abc"), ("BEARER  tk_abc", "tk_abc"), ("Bearer ", nil), ("Basic abc", nil),
        ("tk_abc", nil), ("Bearer a b", nil), ("", nil),
    ] as [(String, String?)])
    func bearer(field: String, secret: String?) {
        #expect(APIKey.bearer(field) == secret)
        #expect(APIKey.bearer(nil) == nil)
    }

    @Test("a key is 256 random bits behind its prefix, and only its digest is known")
    func form() {
        let key = APIKey(random: Array(0..<32))
        #expect(key.secret.hasPrefix("tk_") && key.secret.count == 46)
        #expect(APIKey.digest("tk_abc") != APIKey.digest("tk_abd"))
        #expect(Hexadecimal.encode(APIKey.digest("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("what scopes allow", arguments: [
        (["*"], Scope.write("calls"), true), (["*:read"], .read("calls"), true), (["*:read"], .write("calls"), false),
        (["calls:read"], .read("calls"), true), (["calls:read"], .write("calls"), false), (["calls:write"], .read("calls"), true),
        (["calls:write"], .write("flows"), false), ([], .read("calls"), false), (["operator"], .read("calls"), false),
    ] as [([String], Scope, Bool)])
    func allowed(names: [String], scope: Scope, expected: Bool) {
        #expect(ScopeSet(names).allows(scope) == expected)
    }

    @Test("a key gives no more than it has", arguments: [
        (["*"], "*", true), (["*:read"], "*", false), (["*:read"], "*:read", true), (["*:read"], "calls:read", true),
        (["calls:write"], "calls:read", true), (["calls:write"], "keys:write", false), (["calls:read"], "calls:write", false),
        (["*"], "nonsense", false),
    ] as [([String], String, Bool)])
    func covered(names: [String], name: String, expected: Bool) {
        #expect(ScopeSet(names).covers(name) == expected)
    }
}

@Suite("API: problems, RFC 9457")
struct GatewayProblemTests {
    @Test("a refusal of another service is a status and a code", arguments: [
        (RPCError.Code.notFound, 404, "not_found"), (.conflict, 409, "conflict"), (.invalid, 422, "invalid"),
        (.forbidden, 403, "forbidden"), (.notAcceptable, 422, "not_acceptable"), (.exhausted, 429, "limit_reached"),
        (.unavailable, 503, "unavailable"), (.timeout, 503, "unavailable"), (.fenced, 503, "unavailable"), (.failed, 500, "internal"),
    ] as [(RPCError.Code, Int, String)])
    func mapping(code: RPCError.Code, status: Int, expected: String) {
        let problem = ProblemDocument(RPCError(code, "because"), from: .callServer)
        #expect(problem.status == status)
        #expect(problem.code == expected)
        #expect((status == 503 || status == 429) == (problem.retryAfter != nil))
    }

    @Test("the pointers of another service are passed on, what went wrong inside is not")
    func details() {
        let mistakes = [Problem(pointer: "/actions/0/type", code: "unknown_action_type", detail: "no such type")]
        let problem = ProblemDocument(RPCError(.invalid, "", problems: mistakes), from: .flowManager)
        #expect(problem.errors.map(\.pointer) == ["/actions/0/type"])
        #expect(ProblemDocument(RPCError(.failed, "stack trace"), from: .flowManager).detail.contains("stack") == false)
    }

    @Test("the document has the members of the contract")
    func document() throws {
        let body = try JSONValue(json: ProblemDocument.invalid("/a", "required", "is required").body)
        #expect(body["status"] == 422)
        #expect(body["code"] == "invalid")
        #expect(body["type"] == "urn:tandem:problem:invalid")
        #expect(body["errors"] == [["pointer": "/a", "code": "required", "detail": "is required"]])
        #expect(body["title"] != nil && body["detail"] != nil)
    }

    @Test("header fields go with their status")
    func fields() {
        #expect(APIResponse(.methodNotAllowed(["GET", "POST"])).fields["allow"] == "GET, POST")
        #expect(APIResponse(.rateLimited(retryAfter: 3)).fields["retry-after"] == "3")
        #expect(APIResponse(.unauthenticated).fields["www-authenticate"] != nil)
        #expect(APIResponse(.noRoute).contentType == "application/problem+json")
    }
}

@Suite("API: idempotency keys")
struct GatewayIdempotencyTests {
    private let seed = IdentifierSeed(milliseconds: 1, random: (2, 3))
    private let request = Idempotency.fingerprint(method: "POST", path: "/v1/calls", body: [1, 2])

    private func record(_ response: Idempotency.StoredResponse?, isLocked: Bool) -> Idempotency.Record {
        .init(fingerprint: request, seed: seed, response: response, isLocked: isLocked)
    }

    @Test("the same request gets the stored answer, also while a second one is locked")
    func repeated() {
        let response = Idempotency.StoredResponse(status: 201, location: "/v1/calls/1", body: [1])
        #expect(Idempotency.decide(record(response, isLocked: true), fingerprint: request) == .repeatResponse(response))
    }

    @Test("another request under the key is 422, one under way 409, one that died is done with the same ids")
    func decisions() {
        let other = Idempotency.fingerprint(method: "POST", path: "/v1/calls", body: [1, 3])
        guard case .refuse(let reused) = Idempotency.decide(record(nil, isLocked: false), fingerprint: other),
            case .refuse(let busy) = Idempotency.decide(record(nil, isLocked: true), fingerprint: request)
        else {
            Issue.record("both are refused")
            return
        }
        #expect((reused.status, reused.code) == (422, "idempotency_key_reused"))
        #expect((busy.status, busy.code) == (409, "idempotency_in_progress"))
        #expect(Idempotency.decide(record(nil, isLocked: false), fingerprint: request) == .perform(seed))
    }

    @Test("a success is kept, a refusal forgotten, a failure of ours keeps its ids", arguments: [
        (201, Idempotency.Settlement.keep), (200, .keep), (409, .forget), (422, .forget), (429, .forget), (500, .release), (503, .release),
    ])
    func settlement(status: Int, expected: Idempotency.Settlement) {
        #expect(Idempotency.settle(status: status) == expected)
    }

    @Test("method, path and body make a request")
    func fingerprints() {
        #expect(request != Idempotency.fingerprint(method: "POST", path: "/v1/flows", body: [1, 2]))
        #expect(Idempotency.isKey("a1-_") && !Idempotency.isKey("") && !Idempotency.isKey("a b") && !Idempotency.isKey("ä"))
        #expect(!Idempotency.isKey(String(repeating: "k", count: 256)))
    }

    @Test("a seed gives the same ids again, another for each thing, and sortable ones")
    func identifiers() {
        let ids = (0..<3).map { seed.identifier("call", $0) }
        #expect(Set(ids).count == 3 && ids == (0..<3).map { seed.identifier("call", $0) })
        #expect(ids.allSatisfy { Identifier.isPlausible($0, prefix: "call") })
        #expect(IdentifierSeed(seed.bytes) == seed && IdentifierSeed([1]) == nil)
        let later = IdentifierSeed(milliseconds: 2, random: (0, 0))
        #expect(later.identifier("call") > ids[0])
    }
}

@Suite("API: limits and cursors")
struct GatewayLimitTests {
    private static func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: UInt64(milliseconds) * 1_000_000) }

    @Test("a bucket lets a burst through, then its rate")
    func bucket() {
        var buckets = TokenBuckets(rate: 10, burst: 3)
        func take(_ name: String, _ moment: Int) -> Int? {
            let verdict = buckets.take(name, now: Self.at(moment))
            return verdict.isAllowed ? verdict.remaining : nil
        }
        #expect([0, 0, 0, 0].map { take("a", $0) } == [2, 1, 0, nil])
        #expect(take("b", 0) == 2)
        #expect([100, 150, 10_000].map { take("a", $0) } == [0, nil, 2])
    }

    @Test("an answer says what the limit is, what is left of it, and in how many seconds it is whole again; one that was limited, when to come back")
    func told() {
        var buckets = TokenBuckets(rate: 2, burst: 5)
        let verdicts = (0..<6).map { _ in buckets.take("a", now: Self.at(0)) }
        #expect(verdicts.map(\.limit) == [5, 5, 5, 5, 5, 5])
        #expect(verdicts.map(\.remaining) == [4, 3, 2, 1, 0, 0])
        #expect(verdicts.map(\.reset) == [1, 1, 2, 2, 3, 1])
        #expect(verdicts.map(\.isAllowed) == [true, true, true, true, true, false])
        #expect(verdicts.last?.fields == ["ratelimit-limit": "5", "ratelimit-remaining": "0", "ratelimit-reset": "1"])
    }

    @Test("many names do not grow the table without end, and who is limited stays so")
    func manyNames() {
        var buckets = TokenBuckets(rate: 1, burst: 1, mostNames: 4)
        _ = buckets.take("heavy", now: Self.at(2_000))
        for name in 0..<3 { _ = buckets.take("\(name)", now: Self.at(0)) }
        _ = buckets.take("new", now: Self.at(2_000))
        #expect(!buckets.take("heavy", now: Self.at(2_000)).isAllowed)
    }

    @Test("a cursor is read back, and nothing else is one")
    func cursors() {
        for cursor in [PageCursor(.before, "cust_1"), PageCursor(after: 42), PageCursor(.older, "7")] {
            #expect(PageCursor(cursor.text) == cursor)
        }
        #expect(PageCursor(after: 42).event == 42)
        #expect(PageCursor(.before, "42").event == nil && PageCursor(.after, "-1").event == nil && PageCursor(.after, "x").event == nil)
        for text in ["", "a", "!!!!", "MQ", "MmExNw", "MXgxNw", String(repeating: "A", count: 200)] {
            #expect(PageCursor(text) == nil, "\(text)")
        }
    }

    @Test("types of events", arguments: [
        ("call.*", "call.answered", true), ("call.*", "caller.x", false), ("call.*", "call", false),
        ("call.answered", "call.answered", true),
        ("call.answered", "call.answered2", false), ("run.*,call.ended", "call.ended", true), ("*", "anything.at_all", true),
        ("run.action_started", "run.action_started", true),
    ])
    func patterns(text: String, type: String, expected: Bool) throws {
        #expect(try #require(EventPattern(text)).matches(type) == expected)
    }

    @Test("what is no pattern is refused; for SQL the underscore is no joker")
    func badPatterns() {
        for text in ["", "call.**", "%", "call.%", "Call.*", "a,,b", ".*", "call..x", "call'"] {
            #expect(EventPattern(text) == nil, "\(text)")
        }
        #expect(EventPattern("run.action_started,call.*")?.likePatterns == [#"run.action\_started"#, "call.%"])
        #expect(EventPattern("call.*,*")?.likePatterns == nil)
    }

    @Test("RFC 6455 §1.3: the accept value of the RFC's own handshake")
    func handshake() {
        #expect(Handshake.accept(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("W3C Trace Context §3.2", arguments: [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
        ("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false), ("", false), ("00-1-2-01", false),
    ])
    func traces(text: String, expected: Bool) { #expect(RequestHead.isTraceparent(text) == expected) }
}
