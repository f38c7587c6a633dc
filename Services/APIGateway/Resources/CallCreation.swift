import Contracts
import Deadlines
import Flow

/// `POST /v1/calls`: a call for each destination, one after the other.
enum CallCreation {
    /// A destination that got no call while others did.
    static let refusal: [Schema.Field] = [
        .required("to", .text(.destination)), .required("status", .integer(400...599), "Of the problem that it would have been answered with."),
        .required("code", .text(.line(1...64))), .required("detail", .text(.line(0...4096))),
    ]

    /// One of `to`, and where it stands in the body.
    private struct Place {
        let destination: Destination
        let pointer: String
    }

    static func perform(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let (flowID, actions) = try await gateway.program(of: request)
        let places = listed(in: request.fields)
        try await refuseForeign(places, gateway, request)
        var calls: [Call] = []
        var refused: [JSONValue] = []
        for (index, place) in places.enumerated() {
            let command = CreateCall(
                customerID: request.customer, callID: request.seed.identifier("call", index), from: request.fields.text("from"),
                to: place.destination.text, flowID: flowID, actions: actions)
            do throws(ProblemDocument) {
                calls.append(try await gateway.ask(command, for: request, part: index, within: .seconds(5)))
            } catch {
                let problem = error.pointing(to: place.pointer)
                // A phone that rings already is no refusal. Where a service is away and the request has a key, sending it again completes it.
                guard !calls.isEmpty, problem.status < 500 || request.idempotencyKey == nil else { throw problem }
                guard problem.status >= 500 else {
                    refused.append(shown(problem, place))
                    continue
                }
                refused += places[index...].map { shown(problem, $0) }
                break
            }
        }
        return try answer(calls, refused)
    }

    /// The first is the answer; the others stand beside it.
    private static func answer(_ calls: [Call], _ refused: [JSONValue]) throws -> APIResponse {
        let shown = try calls.map { ResourceSchema.call.completed(try JSONValue(resource: $0)) }
        guard let first = calls.first, var answer = shown.first?.object else {
            preconditionFailure("the schema asks for at least one destination")
        }
        answer["calls"] = .array(shown)
        answer["refused"] = .array(refused)
        return APIResponse(status: 201, body: JSONValue.object(answer).json, location: "/v1/calls/\(first.id)")
    }

    private static func listed(in fields: Fields) -> [Place] {
        guard let list = fields.texts("to") else { return [Place(destination: Destination(fields.text("to")), pointer: "/to")] }
        return list.enumerated().map { Place(destination: Destination($0.element), pointer: "/to/\($0.offset)") }
    }

    /// Nobody else's numbers are reached from here; said before the first phone rings.
    private static func refuseForeign(_ places: [Place], _ gateway: Gateway, _ request: APIRequest) async throws {
        guard places.contains(where: { $0.destination.host != nil }),
            let customer = try await gateway.store.customer(request.customer)
        else { return }
        let foreign = places.filter { !$0.destination.isOf(customer.domain) }
        guard foreign.isEmpty else {
            throw ProblemDocument.invalid(foreign.map {
                Problem(pointer: $0.pointer, code: "other_domain", detail: "the domain is not yours: numbers of \(customer.domain) can be called")
            })
        }
    }

    private static func shown(_ problem: ProblemDocument, _ place: Place) -> JSONValue {
        [
            "to": .string(place.destination.text), "status": .integer(Int64(problem.status)), "code": .string(problem.code),
            "detail": .string(problem.errors.first?.detail ?? problem.detail),
        ]
    }
}

extension ProblemDocument {
    /// A CallServer is told of one destination, and knows nothing of a list.
    func pointing(to place: String) -> ProblemDocument {
        var problem = self
        for index in problem.errors.indices where problem.errors[index].pointer?.hasPrefix("/to") == true {
            problem.errors[index].pointer = place
        }
        return problem
    }
}
