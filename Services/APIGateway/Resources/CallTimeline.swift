import Addresses
import Contracts
import Flow
import Pcap

/// `/v1/calls/{id}/timeline`: what happened on a call, in order, and its messages as a packet capture. The CallServer has it.
enum CallTimeline {
    private static let captureType = "application/vnd.tcpdump.pcap"

    static let resource: [Schema.Field] = [
        .required("time", .text(.line(27...27)), "RFC 3339 with microseconds, by the clock of `writer`."),
        .required("call_id", .text(.identifier), "The leg."), .required("kind", .text(.choice(["sip", "command", "flow", "request", "event"]))),
        .required("from", .text(.line(0...4096))), .required("to", .text(.line(0...4096))),
        .optional("via", .nullable(.text(.line(0...4096))), "Of a message: the edge it passed."), .required("summary", .text(.line(0...4096))),
        .optional("outcome", .nullable(.text(.line(0...4096)))), .optional("duration_us", .nullable(.integer(0...Int64.max))),
        .optional("body", .nullable(.text(.line(0...8192))), "Of a message: its text; keys and credentials are asterisks."),
        .required("writer", .text(.line(0...256)), "The service instance that wrote it down."),
    ]

    static let routes: [Route] = [
        Route(
            .get, "/v1/calls/{id}/timeline", "getCallTimeline",
            "What happened on a call and those it was connected with; with `Accept: \(captureType)` its messages as a capture",
            access: .customer(.read("calls")), answer: .page(of: ResourceSchema.timelineEntry.reference)
        ) { gateway, request in
            if request.accept?.contains(captureType) == true { return try await capture(gateway, request) }
            let found = try await entries(gateway, request).map { ResourceSchema.timelineEntry.completed(shown($0)) }
            return .page(found, nextCursor: nil)
        },
        Route(
            .get, "/v1/calls/{id}/timeline.pcap", "getCallCapture", "The messages of a call as a packet capture, for Wireshark and its like",
            access: .customer(.read("calls")), answer: .document(captureType), perform: capture),
    ]

    private static func entries(_ gateway: Gateway, _ request: APIRequest) async throws -> [TimelineEntry] {
        try await gateway.ask(GetTimeline(customerID: request.customer, id: request.id), for: request).entries
    }

    private static func shown(_ entry: TimelineEntry) -> JSONValue {
        var members: [String: JSONValue] = [
            "time": .string(text(entry.microseconds)), "call_id": .string(entry.callID), "kind": .string(entry.kind.rawValue),
            "from": .string(entry.from), "to": .string(entry.to), "summary": .string(entry.summary), "writer": .string(entry.writer),
        ]
        members["via"] = entry.via.map(JSONValue.string)
        members["outcome"] = entry.outcome.map(JSONValue.string)
        members["duration_us"] = entry.duration.map(JSONValue.integer)
        members["body"] = entry.body.map(JSONValue.string)
        return .object(members)
    }

    /// RFC 3339, with three digits more than `Timestamp` has.
    static func text(_ microseconds: Int64) -> String {
        let rest = String(1000 + microseconds % 1000).dropFirst()
        return Timestamp(milliseconds: microseconds / 1000).description.dropLast() + rest + "Z"
    }

    private static func capture(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        APIResponse(status: 200, contentType: captureType, body: capture(try await entries(gateway, request)))
    }

    /// Each message as one datagram between the phone, where that is known, and the call server.
    static func capture(_ entries: [TimelineEntry]) -> [UInt8] {
        var bytes = PacketCapture.header
        for entry in entries where entry.kind == .sip {
            guard let body = entry.body, let source = SocketAddress(entry.from), let destination = SocketAddress(entry.to) else { continue }
            PacketCapture.append(Array(body.utf8).span, from: source, to: destination, microseconds: entry.microseconds, to: &bytes)
        }
        return bytes
    }
}
