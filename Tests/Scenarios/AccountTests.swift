import Flow
import Phone
import Suite
import Testing

@Suite("What is changed of customers and keys", .timeLimit(.minutes(2)))
struct AccountTests {
    let suite: RunningSuite
    private let bootstrap: String

    init() throws {
        suite = try RunningSuite()
        bootstrap = try suite.bootstrapKey()
    }

    private func operate(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> RunningSuite.Answer {
        try await suite.request(method, path, body, key: bootstrap)
    }

    private func domain() -> String { "account-\(UInt32.random(in: 0 ... .max)).example" }

    /// A customer and a key of its own; deleted at the end.
    private func withCustomer(_ body: (_ id: String, _ domain: String, _ key: String) async throws -> Void) async throws {
        let domain = domain()
        let made = try await operate("POST", "/v1/customers", ["name": "Account", "domain": .string(domain), "status": "active"])
        let id = try #require(made.body["id"]?.string)
        let key = try await operate("POST", "/v1/keys", ["name": "test", "customer_id": .string(id)]).body["secret"]?.string
        try await body(id, domain, try #require(key))
        #expect(try await operate("DELETE", "/v1/customers/\(id)").status == 204)
    }

    private func isLetIn(_ phone: PhoneLine) async throws -> Bool {
        do {
            _ = try await phone.register()
            return true
        } catch PhoneError.refused(_, 403, _) { return false }
    }

    @Test("of a suspended customer neither keys nor phones are let in; made active again, both are")
    func suspension() async throws {
        try await withCustomer { id, domain, key in
            let account: JSONValue = ["number": "2001", "password": "correct-horse", "domain": .string(domain)]
            #expect(try await suite.request("POST", "/v1/extensions", account, key: key).status == 201)
            let phone = PhoneLine(PhoneSettings(number: "2001", domain: domain, password: "correct-horse", proxy: suite.sip))
            #expect(try await isLetIn(phone))
            #expect(try await operate("PATCH", "/v1/customers/\(id)", ["status": "suspended"]).body["status"]?.string == "suspended")
            try await suite.eventually("the phone is refused") { try await !isLetIn(phone) }
            try await suite.eventually("the key is refused") {
                try await suite.request("GET", "/v1/extensions", key: key).body["code"]?.string == "customer_suspended"
            }
            #expect(try await operate("PATCH", "/v1/customers/\(id)", ["status": "active"]).status == 200)
            try await suite.eventually("the phone is let in") { try await isLetIn(phone) }
            try await suite.eventually("and the key") { try await suite.request("GET", "/v1/extensions", key: key).status == 200 }
            await phone.close()
        }
    }

    @Test("a customer is sent back as it was read; another domain it gets while it has no extensions, and one that is free")
    func domains() async throws {
        try await withCustomer { id, former, key in
            let path = "/v1/customers/\(id)"
            let read = try await operate("GET", path).body
            #expect(try await operate("PATCH", path, read).status == 200)
            let made = try await suite.request("POST", "/v1/extensions", ["number": "2001", "password": "correct-horse"], key: key)
            let phone = try #require(made.body["id"]?.string)
            let wanted = domain()
            let held = try await operate("PATCH", path, ["domain": .string(wanted)])
            #expect(held.status == 409 && held.body["code"]?.string == "domain_in_use", "\(held.body.jsonText)")
            #expect(try await operate("GET", path).body["domain"]?.string == former)
            #expect(try await suite.request("DELETE", "/v1/extensions/\(phone)", key: key).status == 204)
            let taken = try await operate("PATCH", path, ["domain": .string(suite.domain)])
            #expect(taken.status == 409 && taken.body["code"]?.string == "domain_taken", "\(taken.body.jsonText)")
            let moved = try await operate("PATCH", path, ["domain": .string(wanted), "name": "Moved"])
            #expect(moved.status == 200 && moved.body["domain"]?.string == wanted, "\(moved.body.jsonText)")
            let next = try await suite.request("POST", "/v1/extensions", ["number": "2001", "password": "correct-horse"], key: key)
            #expect(next.body["domain"]?.string == wanted)
            let stranger: JSONValue = ["number": "2002", "password": "correct-horse", "domain": .string(former)]
            let refused = try await suite.request("POST", "/v1/extensions", stranger, key: key)
            #expect(refused.status == 422 && refused.body["errors"]?.array?.first?["pointer"]?.string == "/domain")
        }
    }

    @Test("a key is changed, and holds at once; it never gets wider than the key that changes it")
    func keys() async throws {
        try await withCustomer { _, _, key in
            let narrow = try await suite.request(
                "POST", "/v1/keys", ["name": "n", "scopes": ["keys:write"], "expires_at": "2099-01-01T00:00:00Z"], key: key)
            let id = try #require(narrow.body["id"]?.string)
            let path = "/v1/keys/\(id)"
            let secret = try #require(narrow.body["secret"]?.string)
            let own = try await suite.request("PATCH", path, ["scopes": ["calls:read"]], key: secret)
            #expect(own.status == 422 && own.body["errors"]?.array?.first?["pointer"]?.string == "/scopes/0")
            let wider = try await suite.request("PATCH", path, ["scopes": ["keys:read", "calls:read"], "expires_at": nil], key: key)
            #expect(wider.status == 200 && wider.body["expires_at"] == .null, "\(wider.body.jsonText)")
            try await suite.eventually("what it may do") { try await suite.request("GET", "/v1/calls", key: secret).status == 200 }
            try await suite.eventually("and no more") { try await suite.request("PATCH", path, ["name": "x"], key: secret).status == 403 }
            let read = try await suite.request("GET", path, key: key).body
            #expect(try await suite.request("PATCH", path, read, key: key).body == read)
        }
    }
}
