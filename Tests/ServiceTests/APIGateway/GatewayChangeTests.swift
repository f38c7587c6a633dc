import Contracts
import Flow
import Testing

@testable import APIGateway

@Suite("API: what was read can be changed and sent back")
struct GatewayChangeTests {
    private static let now = Timestamp(milliseconds: 1_764_000_000_000)

    private static func resources() throws -> [(patch: String, schema: ResourceSchema, value: any Encodable & Sendable)] {
        let actions = try ActionList.read([["id": "a", "type": "answer"], ["id": "h", "type": "hangup"]]).get()
        var conference = Conference(
            id: "conf_1", customerID: "cust_1", name: "r", number: nil, pin: nil, maxParticipants: 3, createdAt: now, updatedAt: now)
        conference.policy.prompts = ConferencePrompts(pin: "ask")
        var phone = Extension(
            id: "ext_1", customerID: "cust_1", number: "1", name: "", flowID: nil, domain: "a.b", registered: true, createdAt: now, updatedAt: now)
        phone.doNotDisturb = false
        phone.forwarding = CallForwarding()
        phone.forwarding?.noAnswer = CallForwarding.voicemail
        return [
            ("updateCustomer", .customer, Customer(id: "cust_1", name: "A", domain: "a.b", status: .active, createdAt: now, updatedAt: now)),
            ("updateKey", .key, Key(id: "key_1", customerID: "cust_1", name: "k", scopes: ["*"], expiresAt: nil, createdAt: now)),
            ("updateExtension", .extension, phone),
            ("updateFlow", .flow, FlowDefinition(
                id: "flow_1", customerID: "cust_1", name: "f", actions: actions, onCompleteFlowID: nil, version: 2, createdAt: now,
                updatedAt: now)),
            ("updateConference", .conference, conference),
        ]
    }

    private func body(_ route: String) throws -> [Schema.Field] {
        let found = try #require(API.table.routes.first { $0.name == route })
        return try #require(found.body)
    }

    @Test("a PATCH takes every member that a GET shows")
    func whole() throws {
        for resource in try Self.resources() {
            let shown = resource.schema.completed(try JSONValue(resource: resource.value))
            let problems = Schema.object(try body(resource.patch)).problems(in: shown)
            #expect(problems.isEmpty, "\(resource.patch): \(problems)")
        }
    }

    @Test("what nobody writes is not looked at, everything else is; the mistake names only what can be written")
    func readOnly() throws {
        let fields = try body("updateExtension")
        #expect(Schema.object(fields).problems(in: ["registered": "yes", "id": 7, "created_at": nil, "updated_at": []]).isEmpty)
        let problems = Schema.object(fields).problems(in: ["number": 1, "registered_at": nil])
        #expect(problems.map(\.pointer) == ["/number", "/registered_at"])
        #expect(problems.last?.detail.contains("password") == true && problems.last?.detail.contains("updated_at") == false)
    }

    @Test("the document says what is read-only, in the resource and in its PATCH, where it is not required")
    func document() throws {
        let document = OpenAPIDocument.make(of: API.table, version: "1")
        let resource = try #require(document["components"]?["schemas"]?["Extension"]?["properties"])
        let request = try #require(document["paths"]?["/v1/extensions/{id}"]?["patch"]?["requestBody"]?["content"]?["application/json"])
        let patch = try #require(request["schema"])
        for name in ["id", "created_at", "updated_at", "registered"] {
            #expect(resource[name]?["readOnly"] == true, "\(name)")
            #expect(patch["properties"]?[name]?["readOnly"] == true, "\(name)")
        }
        for name in ["number", "name", "flow_id", "domain"] { #expect(patch["properties"]?[name]?["readOnly"] == nil, "\(name)") }
        #expect(patch["required"] == .array([]))
    }

    @Test("a PATCH names the customer as a POST does")
    func customer() throws {
        for route in API.table.routes where route.method == .patch {
            guard case .customer = route.access else { continue }
            #expect(try body(route.name).count { $0.name == "customer_id" } == 1, "\(route.name)")
        }
    }
}

@Suite("API: a key that is changed")
struct GatewayKeyChangeTests {
    private static let now = Timestamp(milliseconds: 1_764_000_000_000)
    private static let soon = Timestamp(milliseconds: 1_764_000_100_000)
    private static let later = Timestamp(milliseconds: 1_764_000_200_000)

    private static func key(_ scopes: [String], until expiry: Timestamp? = soon) -> Key {
        Key(id: "key_1", customerID: "cust_1", name: "k", scopes: scopes, expiresAt: expiry, createdAt: now)
    }

    /// The scopes and the end that come of it, or the pointer and the code of the refusal.
    private func change(_ key: Key, _ members: [String: JSONValue], by holder: [String]) -> String {
        do throws(ProblemDocument) {
            let changed = try Keys.changed(key, Fields(members: members), by: ScopeSet(holder), now: Self.now)
            return changed.scopes.joined(separator: " ") + (changed.expiresAt.map { " until \($0)" } ?? "")
        } catch {
            return "\(error.errors.first?.pointer ?? "") \(error.errors.first?.code ?? "")"
        }
    }

    @Test("it gets no scope that the changing key lacks, and may keep what it has")
    func scopes() {
        let key = Self.key(["calls:write"], until: nil)
        #expect(change(key, ["scopes": ["calls:read"]], by: ["keys:write", "calls:read"]) == "calls:read")
        #expect(change(key, ["scopes": ["calls:write"], "name": "n"], by: ["keys:write"]) == "calls:write")
        #expect(change(key, ["scopes": ["calls:write", "flows:read"]], by: ["keys:write"]) == "/scopes/1 excessive_scope")
        #expect(change(key, ["scopes": ["*"]], by: ["keys:write", "calls:write"]) == "/scopes/0 excessive_scope")
        #expect(change(key, ["scopes": ["*"]], by: ["*"]) == "*")
    }

    @Test("it lives longer only by a key with all of its scopes, shorter by any, and never ends in the past")
    func expiry() {
        let key = Self.key(["calls:write"])
        #expect(change(key, ["expires_at": .string(Self.later.description)], by: ["keys:write"]) == "/expires_at excessive_scope")
        #expect(change(key, ["expires_at": nil], by: ["keys:write"]) == "/expires_at excessive_scope")
        #expect(change(key, ["expires_at": nil, "scopes": ["keys:read"]], by: ["keys:write"]) == "keys:read")
        #expect(change(key, ["expires_at": nil], by: ["keys:write", "calls:write"]) == "calls:write")
        #expect(change(Self.key(["*"], until: Self.later), ["expires_at": .string(Self.soon.description)], by: ["keys:write"]) == "* until \(Self.soon)")
        #expect(change(Self.key(["*"], until: nil), ["expires_at": .string(Self.soon.description)], by: ["keys:write"]) == "* until \(Self.soon)")
        #expect(change(key, ["expires_at": "2001-01-01T00:00:00Z"], by: ["*"]) == "/expires_at in_the_past")
    }

    @Test("sent back as it was read, it stays what it is, though it has ended")
    func same() {
        let ended = Timestamp(milliseconds: Self.now.milliseconds - 1)
        let members: [String: JSONValue] = ["name": "k", "scopes": ["*"], "expires_at": .string(ended.description)]
        #expect(change(Self.key(["*"], until: ended), members, by: ["keys:write"]) == "* until \(ended)")
    }
}
