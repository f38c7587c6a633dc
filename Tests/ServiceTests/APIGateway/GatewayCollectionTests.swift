import Contracts
import Flow
import Testing

@testable import APIGateway

@Suite("API: who is in a conference, page by page")
struct GatewayParticipantTests {
    private static let query = Route.paging + [.init("call_id", .text(.identifier)), .init("role", .text(.line(1...20)))]
    private let room = (1...5).reversed().map { number in
        Participant(
            id: "part_\(number)", callID: "call_\(number)", role: number == 2 ? "moderator" : "member", muted: false, deaf: false,
            talking: false, joinedAt: Timestamp(milliseconds: 1))
    }

    private func page(_ text: String, limit: Int = 50, cursor: String? = nil) throws -> Page<Participant> {
        try Participants.page(of: room, try Query.parse(text, for: Self.query).get(), PageRequest(limit: limit, cursor: cursor))
    }

    @Test("everybody is on one page, in the order of their ids, and the last page has no cursor")
    func pages() throws {
        var (seen, cursor): ([[String]], String?) = ([], nil)
        repeat {
            let page = try page("", limit: 2, cursor: cursor)
            seen.append(page.data.map(\.id))
            cursor = page.nextCursor
        } while cursor != nil && seen.count < 9
        #expect(seen == [["part_1", "part_2"], ["part_3", "part_4"], ["part_5"]])
        #expect(try page("").nextCursor == nil)
    }

    @Test("filters leave those that they mean; a cursor of another collection is refused")
    func filters() throws {
        #expect(try page("role=moderator").data.map(\.id) == ["part_2"])
        #expect(try page("call_id=call_4").data.map(\.id) == ["part_4"])
        #expect(try page("call_id=call_4&role=moderator").data.isEmpty)
        for cursor in ["x", PageCursor(.before, "part_1").text, PageCursor(after: 1).text] {
            #expect(throws: ProblemDocument.self) { try page("", cursor: cursor) }
        }
        #expect(PageCursor(.behind, "7").event == nil, "and none of the log")
    }
}

@Suite("API: events")
struct GatewayEventTests {
    private static let call: JSONValue = [
        "id": "call_1", "customer_id": "cust_1", "direction": "inbound", "status": "queued", "from": "1", "to": "2",
        "created_at": "2026-11-25T09:17:18.878Z",
    ]

    private func shown(_ type: String, _ data: JSONValue) -> JSONValue? {
        let event = Event(
            id: "evt_1", type: type, timestamp: Timestamp(milliseconds: 1), customerID: "cust_1", resourceID: "call_1", sequence: 1, data: data)
        return LoggedEvent(cursor: 1, event: event).json["data"]
    }

    private func names(_ schema: ResourceSchema) -> Set<String> { Set(schema.fields.map(\.name)) }

    @Test("the data of an event has a null where a GET has one, and keeps what else is told")
    func nulls() throws {
        let created = try #require(shown("call.created", Self.call)?.object)
        #expect(Set(created.keys) == names(.call))
        #expect(created["answered_at"] == .null && created["id"] == "call_1")
        let digits = try #require(shown("call.digits", ["id": "call_1", "digit": "5", "sip_code": 200]))
        #expect(digits["digit"] == "5" && digits["sip_code"] == 200 && digits["media"] == .null)
        #expect(shown("extension.updated", ["id": "ext_1"])?["flow_id"] == .null)
        #expect(shown("conference.left", ["id": "part_1", "conference_id": "conf_1"])?["whisper_to"] == .null)
    }

    @Test("what is not the whole of a resource, or of none that is known, stays as it is")
    func others() {
        for type in ["conference.started", "registration.created", "callx.created", "nothing"] {
            #expect(shown(type, ["id": "conf_1"]) == ["id": "conf_1"], "\(type)")
        }
        #expect(shown("call.created", "text") == "text")
    }

    @Test("`type` is another name of `types`; both together are a mistake", arguments: ["listEvents", "streamEvents"])
    func types(name: String) throws {
        let route = try #require(API.table.routes.first { $0.name == name })
        func pattern(_ text: String) throws -> EventPattern { try Events.pattern(try Query.parse(text, for: route.query).get()) }
        for text in ["types=call.*", "type=call.*"] {
            let found = try pattern(text)
            #expect(found.matches("call.ended") && !found.matches("run.finished"))
        }
        #expect(try pattern("") == .everything)
        for text in ["type=call.*&types=run.*", "type=Call"] { #expect(throws: ProblemDocument.self) { try pattern(text) } }
    }
}

@Suite("API: whom a program calls")
struct GatewayDestinationTests {
    @Test("a domain is the customer's by its name, and any address means it; a port says nothing", arguments: [
        ("1002", true), ("+4930123", true), ("sip:1002@demo.localhost", true), ("sip:1002@DEMO.localhost:5060", true),
        ("sips:1002@127.0.0.1", true), ("sip:1002@192.0.2.7:5070", true), ("sip:1002@[::1]", true), ("sip:1002@[2001:db8::1]:5061", true),
        ("sip:1002@example.com", false), ("sip:1002@demo.localhost.example", false), ("sip:1002@300.1.1.1", false), ("sip:1002@[demo]", false),
    ])
    func domains(text: String, isOwn: Bool) {
        #expect(TextFormat.destination.objection(to: text) == nil)
        #expect(Destination(text).isOf("demo.localhost") == isOwn)
    }

    @Test("a refusal of one destination points at its place in the body, and at nothing else of it")
    func pointer() {
        let mistakes = [Problem(pointer: "/to", detail: "d"), Problem(pointer: "/actions/0", detail: "a")]
        let problem = ProblemDocument(RPCError(.invalid, "", problems: mistakes), from: .callServer)
        #expect(problem.pointing(to: "/to/2").errors.map(\.pointer) == ["/to/2", "/actions/0"])
    }
}
