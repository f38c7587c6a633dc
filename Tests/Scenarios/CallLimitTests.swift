import Flow
import Foundation
import Phone
import Suite
import Testing

@Suite("Limits on calls", .timeLimit(.minutes(2)))
struct CallLimitTests {
    let suite: RunningSuite
    private let bootstrap: String

    init() throws {
        suite = try RunningSuite()
        bootstrap = try suite.bootstrapKey()
    }

    private func customer() async throws -> String {
        let account = try await suite.makeAccount()
        return try #require(try await suite.request("GET", "/v1/extensions/\(account.id)").body["customer_id"]?.string)
    }

    private func limit(_ customer: String, _ body: [String: JSONValue]) async throws -> RunningSuite.Answer {
        try await suite.request("POST", "/v1/limits?customer_id=\(customer)", .object(body), key: bootstrap)
    }

    private func waiting() async throws -> String {
        try await suite.makeNumber(running: [["type": "answer"], ["type": "sleep", "option": ["duration": 60_000]]]).number
    }

    private func refusal(_ phone: PhoneLine, _ number: String) async throws -> Int? {
        do {
            let call = try await phone.call(number)
            try await call.answered()
            try await call.hangup()
            return nil
        } catch PhoneError.refused(_, let status, _) { return status }
    }

    /// The record of its call that was refused for that reason; it is written a moment after the refusal.
    private func refused(_ phone: PhoneLine, _ reason: String) async throws -> JSONValue {
        var found = JSONValue.null
        try await suite.eventually("the record says \(reason)") {
            let calls = try await suite.request("GET", "/v1/calls?from=\(phone.number)").body["data"]?.array ?? []
            found = calls.first { $0["hangup_reason"]?.string == reason } ?? .null
            return found != .null
        }
        return found
    }

    private func current(_ id: String) async throws -> Int64? { try await suite.request("GET", "/v1/limits/\(id)").body["current_calls"]?.integer }

    @Test("so many may call a number at once; one more is busy, until another hangs up; changed, at once it holds; taken away, all may")
    func destination() async throws {
        let customer = try await customer()
        let number = try await waiting()
        let made = try await limit(customer, ["scope": "destination", "target": .string(number), "concurrent_calls": 2])
        #expect(made.status == 201, "\(made.body.jsonText)")
        let id = try #require(made.body["id"]?.string)
        try await withPhones(1, in: suite) { phones in
            let first = try await phones[0].call(number)
            try await first.answered()
            let second = try await phones[0].call(number)
            try await second.answered()
            #expect(try await refusal(phones[0], number) == 486)
            #expect(try await current(id) == 2)
            let record = try await refused(phones[0], "limit_destination_calls")
            #expect(record["status"]?.string == "busy" && record["hangup_cause"]?.integer == 17 && record["ended_at"]?.string != nil)
            try await first.hangup()
            #expect(try await refusal(phones[0], number) == nil, "a place is free at once")
            let lowered = try await suite.request(
                "PATCH", "/v1/limits/\(id)?customer_id=\(customer)", ["concurrent_calls": 1], key: bootstrap)
            #expect(lowered.status == 200 && lowered.body["concurrent_calls"]?.integer == 1)
            #expect(try await refusal(phones[0], number) == 486)
            #expect(try await suite.request("DELETE", "/v1/limits/\(id)?customer_id=\(customer)", key: bootstrap).status == 204)
            #expect(try await refusal(phones[0], number) == nil)
            try await second.hangup()
        }
    }

    @Test("a phone that is rung by who dialled it counts once, and of those a flow rings one whose lines are taken is busy to the flow")
    func children() async throws {
        let customer = try await customer()
        try await withPhones(2, in: suite) { phones in
            _ = try await limit(customer, ["scope": "destination", "target": .string(phones[1].number), "concurrent_calls": 1])
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(await outgoing.hears(620))
            let through = try await suite.makeNumber(running: [
                ["id": "dial", "type": "dial", "option": ["targets": [["type": "extension", "target": .string(phones[1].number)]]]], ["id": "over", "type": "hangup", "option": ["reason": "busy"]],
            ])
            #expect(try await refusal(phones[0], through.number) == 486)
            try await outgoing.hangup()
            _ = try await incoming.ended()
        }
    }

    @Test("of several that a program calls the refused stand beside the calls that were made, also when it asks again; if none was made it is refused")
    func several() async throws {
        let customer = try await customer()
        let full = try await suite.makeAccount().number
        #expect(try await limit(customer, ["scope": "destination", "target": .string(full), "concurrent_calls": 0]).status == 201)
        try await withPhones(1, in: suite) { phones in
            func make(_ to: [String], key: String) async throws -> RunningSuite.Answer {
                let body: JSONValue = [
                    "from": "9", "to": .array(to.map(JSONValue.string)), "actions": [["id": "s", "type": "sleep", "option": ["duration": 60_000]]],
                ]
                return try await suite.request("POST", "/v1/calls", body, headers: ["Idempotency-Key": key])
            }
            let key = "several-\(UInt64.random(in: 0 ... .max))"
            let made = try await make([phones[0].number, full], key: key)
            #expect(made.status == 201 && made.body["calls"]?.array?.count == 1, "\(made.body.jsonText)")
            let refused = made.body["refused"]?.array ?? []
            #expect(refused.count == 1 && refused.first?["to"]?.string == full && refused.first?["status"]?.integer == 429)
            #expect(try await make([phones[0].number, full], key: key).body == made.body)
            let call = try await phones[0].incomingCall()
            try await call.answered()
            try await call.hangup()
            #expect(try await make([full, phones[0].number], key: key + "-none").status == 429)
            await #expect(throws: (any Error).self) { _ = try await phones[0].incomingCall(within: .seconds(1)) }
        }
    }

    @Test("so many may begin within a second; one more is told to come back, with a Retry-After")
    func rate() async throws {
        let customer = try await customer()
        let number = try await waiting()
        let made = try await limit(customer, ["scope": "destination", "target": .string(String(number.dropLast()) + "*"), "calls_per_second": 0])
        #expect(made.status == 201)
        try await withPhones(1, in: suite) { phones in
            #expect(try await refusal(phones[0], number) == 480)
            let record = try await refused(phones[0], "limit_destination_rate")
            #expect(record["status"]?.string == "failed" && record["hangup_cause"]?.integer == 42)
        }
    }

    @Test("a customer's limit: a call over the API beyond it is 429, and none comes into being; the longest time ends a call")
    func customers() async throws {
        let domain = "limits-\(UInt32.random(in: 0 ... .max)).example"
        let made = try await suite.request("POST", "/v1/customers", ["name": "Limited", "domain": .string(domain)], key: bootstrap)
        let customer = try #require(made.body["id"]?.string)
        let secret = try await suite.request("POST", "/v1/keys?customer_id=\(customer)", ["name": "test"], key: bootstrap).body["secret"]?.string
        let key = try #require(secret)
        #expect(try await limit(customer, ["scope": "customer", "concurrent_calls": 1, "max_call_seconds": 6]).status == 201)
        #expect(try await limit(customer, ["scope": "customer", "concurrent_calls": 5]).status == 409)
        let account = try await suite.request(
            "POST", "/v1/extensions", ["number": "2001", "password": "correct-horse", "name": "Phone"], key: key)
        #expect(account.status == 201)
        var settings = PhoneSettings(number: "2001", domain: domain, password: "correct-horse", proxy: suite.sip)
        settings.tone = 440
        let phone = PhoneLine(settings)
        _ = try await phone.register()
        let body: JSONValue = ["from": "9", "to": "2001", "actions": [["type": "answer"], ["type": "sleep", "option": ["duration": 60_000]]]]
        let first = try await suite.request("POST", "/v1/calls", body, key: key)
        #expect(first.status == 201)
        let call = try await phone.incomingCall()
        try await call.answered()
        let second = try await suite.request("POST", "/v1/calls", body, key: key)
        #expect(second.status == 429 && second.body["code"]?.string == "limit_reached", "\(second.body.jsonText)")
        #expect(second.headers["retry-after"] != nil)
        #expect(try await suite.request("GET", "/v1/calls", key: key).body["data"]?.array?.count == 1)
        #expect(try await call.ended(within: .seconds(14)) == .hungUpThere)
        try await suite.eventually("there is room again") { try await suite.request("POST", "/v1/calls", body, key: key).status == 201 }
        await phone.close()
        _ = try await suite.request("DELETE", "/v1/customers/\(customer)", key: bootstrap)
    }

    @Test("only operators set limits, of customers that exist; everybody sees only their own")
    func access() async throws {
        let own = try await suite.request("POST", "/v1/limits", ["scope": "customer", "concurrent_calls": 9])
        #expect(own.status == 403 && own.body["code"]?.string == "operator_only")
        #expect(try await limit("cust_none", ["scope": "customer"]).status == 404)
        let customer = try await customer()
        for (body, pointer) in [
            (["scope": "trunk"], "/target"), (["scope": "customer", "target": "x"], "/target"), (["scope": "destination", "target": "+4*9"], "/target"),
            (["scope": "world"], "/scope"), (["scope": "customer", "concurrent_calls": -1], "/concurrent_calls"),
        ] as [([String: JSONValue], String)] {
            let answer = try await limit(customer, body)
            #expect(answer.status == 422 && answer.body["errors"]?.array?.first?["pointer"]?.string == pointer, "\(answer.body.jsonText)")
        }
        let made = try await limit(customer, ["scope": "trunk", "target": .string("nobody-\(UInt32.random(in: 0 ... .max))"), "concurrent_calls": 3])
        let id = try #require(made.body["id"]?.string)
        #expect(try await suite.request("GET", "/v1/limits/\(id)").body["concurrent_calls"]?.integer == 3)
        let other = try await suite.request(
            "POST", "/v1/customers", ["name": "O", "domain": .string("o-\(UInt32.random(in: 0 ... .max)).example")], key: bootstrap)
        let stranger = try #require(other.body["id"]?.string)
        #expect(try await suite.request("GET", "/v1/limits/\(id)?customer_id=\(stranger)", key: bootstrap).status == 404)
        #expect(try await suite.request("PATCH", "/v1/limits/\(id)?customer_id=\(stranger)", ["concurrent_calls": 1], key: bootstrap).status == 404)
        #expect(try await suite.request("DELETE", "/v1/limits/\(id)?customer_id=\(customer)", key: bootstrap).status == 204)
        _ = try await suite.request("DELETE", "/v1/customers/\(stranger)", key: bootstrap)
    }
}
