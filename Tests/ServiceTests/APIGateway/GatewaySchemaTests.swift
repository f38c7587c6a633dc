import Contracts
import Flow
import Foundation
import Testing

@testable import APIGateway

@Suite("API: what a body may be")
struct GatewaySchemaTests {
    private func mistakes(_ route: String, _ body: JSONValue) throws -> [String] {
        let route = try #require(API.table.routes.first { $0.name == route })
        return Schema.object(try #require(route.body)).problems(in: body).map { "\($0.pointer) \($0.code ?? "")" }
    }

    @Test("every mistake is found at its JSON pointer", arguments: [
        ("createExtension", ["number": "1001", "password": "secret1"], []),
        ("createExtension", ["number": "1001", "password": "secret1", "flow_id": nil], []),
        ("createExtension", [:], ["/number required", "/password required"]),
        ("createExtension", ["number": 1001, "password": "x"], ["/number wrong_type", "/password invalid_value"]),
        ("createExtension", ["number": "12ab", "password": "secret1", "colour": "red"], ["/number invalid_value", "/colour unknown_field"]),
        ("createExtension", ["number": "1001", "password": "secret1", "domain": "demo.localhost", "registered": true, "id": "ext_1"], []),
        ("updateExtension", ["number": "10 01", "domain": 5], ["/number invalid_value", "/domain wrong_type"]),
        ("createCustomer", ["name": "A", "domain": "example.com", "status": "asleep"], ["/status invalid_value"]),
        ("updateKey", ["scopes": [], "expires_at": "soon"], ["/scopes out_of_range", "/expires_at invalid_value"]),
        ("createCustomer", ["name": "A", "domain": "Example.com"], ["/domain invalid_value"]),
        ("createCustomer", ["name": "", "domain": "example.com", "a~/b": 1], ["/name invalid_value", "/a~0~1b unknown_field"]),
        ("createCustomer", ["name": "A", "domain": "example.com", "customer_id": "cust_1"], ["/customer_id unknown_field"]),
        ("createCall", ["from": "1001", "to": ["sip:1002@demo.localhost"], "actions": [["type": "answer"]]], []),
        ("createCall", ["from": "1001", "to": "1002", "flow_id": "flow_1", "customer_id": "cust_1"], []),
        ("createCall", ["from": "1001", "to": [], "flow_id": "flow_1"], ["/to out_of_range"]),
        ("createCall", ["from": "1001", "to": ["1002", "a b"], "flow_id": "flow_1"], ["/to/1 invalid_value"]),
        ("createCall", ["from": "1", "to": "2", "actions": [["type": "tlak"]]], ["/actions/0/type unknown_action_type"]),
        ("createCall", ["from": "1", "to": "2", "actions": "answer"], ["/actions wrong_type"]),
        ("createKey", ["name": "k", "scopes": ["calls:read", "root"]], ["/scopes/1 invalid_value"]),
        ("createConference", ["name": "r", "max_participants": 0], ["/max_participants out_of_range"]),
        ("createConference", ["name": "r", "max_participants": 2.5], ["/max_participants wrong_type"]),
        ("hangUpCall", [:], []),
        ("hangUpCall", ["cause": 200], ["/cause out_of_range"]),
        ("updateParticipant", ["muted": "yes"], ["/muted wrong_type"]),
        ("createFlow", [], [" wrong_type"]),
    ] as [(String, JSONValue, [String])])
    func pointers(route: String, body: JSONValue, expected: [String]) throws {
        #expect(try mistakes(route, body) == expected)
    }

    @Test("a body full of mistakes is answered with a bounded list")
    func bounded() throws {
        let fields = Dictionary(uniqueKeysWithValues: (0..<1_000).map { ("field\($0)", JSONValue.null) })
        #expect(try mistakes("createCustomer", .object(fields)).count <= Schema.mostProblems)
    }

    @Test("no body is an empty object; what is no JSON is refused with the place of the mistake")
    func empty() throws {
        #expect(try Gateway.fields([], []).members.isEmpty)
        #expect(throws: ProblemDocument.malformed("the text ends too early (byte 1)")) { try Gateway.fields(Array("{".utf8), []) }
        #expect(throws: ProblemDocument.self) { try Gateway.fields(Array("[]".utf8), []) }
    }

    @Test("the pattern in the document says what the check does", arguments: [
        (TextFormat.number, ["1001", "+4930123456", "*97#"], ["", "+", "12a", "1 2", "++1", String(repeating: "1", count: 32)]),
        (.destination, ["1001", "sip:1002@demo.localhost", "sips:a.b@[::1]:5061"],
            ["sip:", "sip:@h", "sip:a@", "sip:a@b@c", "sip:a@b;x=1", "tel:1"]),
        (.domain, ["demo.localhost", "a", "127.0.0.1", "xn--bcher-kva.example"], ["", "-a", "a-", "a..b", ".a", "A.b", "a_b", "a b"]),
        (.identifier, ["call_01M88ZRRQR8XDJ0350PN7WM2SJ", "a-b"], ["", "a/b", "a b", "ä"]),
        (.pin, ["0000"], ["", "12a"]),
        (.password, ["secret", "p!ss~word"], ["short", "with space", "пароль"]),
        (.line(1...5), ["abc", "äöü"], ["", "abcdef", "a\nb"]),
    ] as [(TextFormat, [String], [String])])
    func patterns(format: TextFormat, accepted: [String], refused: [String]) throws {
        let pattern = try Regex(try #require(format.pattern))
        for text in accepted {
            #expect(format.objection(to: text) == nil, "\(text)")
            #expect(text.wholeMatch(of: pattern) != nil, "\(text)")
        }
        for text in refused {
            #expect(format.objection(to: text) != nil, "\(text)")
            let hasLength = format.length.contains(text.unicodeScalars.count)
            #expect(!hasLength || text.wholeMatch(of: pattern) == nil, "\(text)")
        }
    }
}

@Suite("API: resources are described as they are shown")
struct GatewayResourceTests {
    private static let now = Timestamp(milliseconds: 1_764_000_000_000)

    private static let samples: [(ResourceSchema, any Encodable & Sendable)] = [
        (.customer, Customer(id: "cust_1", name: "A", domain: "a.b", status: .active, createdAt: now, updatedAt: now)),
        (.key, Key(id: "key_1", customerID: "cust_1", name: "k", scopes: ["*"], expiresAt: now, createdAt: now)),
        (.extension, fullExtension),
        (.flow, FlowDefinition(
            id: "flow_1", customerID: "cust_1", name: "f", actions: [], onCompleteFlowID: "flow_2", version: 1, createdAt: now,
            updatedAt: now)),
        (.run, RunRecord(
            id: "run_1", customerID: "cust_1", flowID: "flow_1", referenceID: "call_1", status: "running", step: 1, createdAt: now,
            endedAt: now)),
        (.conference, fullConference),
        (.participant, fullParticipant),
        (.media, fullMedia), (.mediaQuality, MediaQuality(mos: 4.4)),
        (.call, fullCall), (.limit, fullLimit),
    ]

    private static var fullExtension: Extension {
        var full = Extension(
            id: "ext_1", customerID: "cust_1", number: "1", name: "", flowID: "flow_1", domain: "a.b", registered: false, createdAt: now,
            updatedAt: now)
        (full.doNotDisturb, full.forwarding) = (true, CallForwarding())
        return full
    }

    private static var fullParticipant: Participant {
        var participant = Participant(id: "part_1", callID: "call_1", role: "member", muted: false, deaf: false, talking: true, joinedAt: now)
        (participant.kind, participant.gainIn, participant.gainOut) = (.supervisor, -3, 3)
        (participant.whisperTo, participant.hears) = ("part_2", ["part_3"])
        return participant
    }

    private static var fullConference: Conference {
        var conference = Conference(
            id: "conf_1", customerID: "cust_1", name: "r", number: "8", pin: "1", maxParticipants: 3, createdAt: now, updatedAt: now)
        conference.moderatorPIN = "2"
        (conference.policy.language, conference.policy.prompts) = ("de", ConferencePrompts(pin: "ask"))
        return conference
    }

    private static var fullMedia: MediaStatistics {
        var media = MediaStatistics(codec: "PCMU", mos: 4.4)
        (media.roundTripMilliseconds, media.received, media.sent) = (12, MediaQuality(), MediaQuality())
        return media
    }

    private static var fullLimit: CallLimit {
        var limit = CallLimit(
            id: "lim_1", customerID: "cust_1", scope: .trunk, target: "west", concurrentCalls: 1, callsPerSecond: 2, maxCallSeconds: 3, createdAt: now,
            updatedAt: now)
        limit.currentCalls = 0
        return limit
    }

    private static var fullCall: Call {
        var call = Call(id: "call_1", customerID: "cust_1", direction: .inbound, status: .completed, from: "1", to: "2", createdAt: now)
        (call.roomID, call.runID, call.parentCallID, call.sipCallID) = ("room_1", "run_1", "call_0", "a@b")
        (call.sipCode, call.hangupCause, call.hangupBy, call.media) = (200, 16, "caller", MediaStatistics())
        (call.hangupReason, call.trunk, call.recordingIDs) = ("media_timeout", "west", ["rec_1"])
        (call.ringingAt, call.answeredAt, call.endedAt) = (now, now, now)
        return call
    }

    @Test("a field that a service sends is in the document, and none is there that nobody sends", arguments: samples.indices)
    func fields(index: Int) throws {
        let (schema, value) = Self.samples[index]
        let members = try #require(try JSONValue(resource: value).object)
        #expect(Set(members.keys) == Set(schema.fields.map(\.name)), "\(schema.name)")
    }

    @Test("a conference from before policies reads as one that has the standard policy, and a full one comes back as it was")
    func conferences() throws {
        var old = try #require(try JSONValue(resource: Self.fullConference).object)
        for field in ResourceSchema.conferencePolicy { old[field.name] = nil }
        let read = try JSONDecoder().decode(Conference.self, from: Data(JSONValue.object(old).json))
        #expect(read.policy == ConferencePolicy())
        #expect(read.policy.digitControls)
        var full = Self.fullConference
        (full.policy.locked, full.policy.waitForModerator, full.policy.digitControls) = (true, true, false)
        #expect(try JSONDecoder().decode(Conference.self, from: JSONEncoder().encode(full)) == full)
    }

    @Test("a field without a value is shown as null")
    func nulls() throws {
        let call = Call(id: "call_1", customerID: "cust_1", direction: .inbound, status: .queued, from: "1", to: "2", createdAt: Self.now)
        let shown = ResourceSchema.call.completed(try JSONValue(resource: call))
        #expect(shown["answered_at"] == .null)
        #expect(Set(try #require(shown.object).keys) == Set(ResourceSchema.call.fields.map(\.name)))
        #expect(ResourceSchema.call.completed(["media": ["lost": 1]])["media"]?["codec"] == .null)
    }
}
