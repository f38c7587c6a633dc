import Contracts
import Flow
import ServiceKit

/// What a run does by itself, for the timeline of its call. What its call does for it is noted there.
extension Runs {
    func trace(_ occurrences: [Interpreter.Occurrence], of record: RunRecord) {
        guard timeline.isKept(record.referenceID) else { return }
        for occurrence in occurrences {
            switch occurrence {
            case .started, .finished(_, .some, _): break
            case .finished(let action, nil, let outcome):
                note(record) { entry in
                    entry.summary = "\(action.id) \(action.type.rawValue)"
                    entry.outcome = outcome.result.rawValue + (outcome.code.map { " (\($0))" } ?? "")
                }
            case .ended(let reason): note(record) { entry in (entry.summary, entry.outcome) = ("the run ends", reason.rawValue) }
            }
        }
    }

    private func note(_ record: RunRecord, _ details: @escaping @Sendable (inout TimelineEntry) -> Void) {
        timeline.add(Timeline.Note(root: record.referenceID, customer: record.customerID, callID: record.referenceID, microseconds: Timeline.now()) { entry in
            (entry.kind, entry.to) = (.flow, record.id)
            details(&entry)
        })
    }
}

extension Timeline {
    /// The address without its query, which may hold what is nobody else's business.
    func trace(_ request: FlowRequest, _ answer: FlowAnswer, since begin: Int64, run: String, reference: String, customer: String) {
        guard isKept(reference) else { return }
        let end = Timeline.now()
        add(Note(root: reference, customer: customer, callID: reference, microseconds: begin) { entry in
            (entry.kind, entry.duration) = (.request, end - begin)
            entry.to = String(request.url.prefix { $0 != "?" && $0 != "#" })
            entry.summary = request.method.rawValue
            entry.outcome = (answer.status.map { String($0) } ?? answer.failure ?? "no answer")
                + (answer.attempts > 1 ? " after \(answer.attempts) attempts" : "")
        })
    }
}
