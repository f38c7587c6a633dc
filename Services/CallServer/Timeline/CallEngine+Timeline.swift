import Addresses
import Contracts
import Deadlines
import Flow
import SIP
import ServiceKit
import Synchronization

/// Which call the messages of a Call-ID belong to; longer than the leg lives, for what is said last.
struct TracedMessages {
    struct Owner: Sendable {
        let root: String
        let customer: String
        let callID: String
        /// Where the phone is, once it has said so.
        var peer: SocketAddress?
    }

    fileprivate var owners: [String: Owner] = [:]
    let steps = FlowSteps()
}

/// The actions that flows are at, to tell how long each took.
final class FlowSteps: Sendable {
    private let begun = Mutex<[String: (step: Int, type: String, at: Int64)]>([:])

    func begin(_ id: String, _ step: Int, _ type: String) { begun.withLock { $0[id] = (step, type, Timeline.now()) } }

    func end(_ id: String, _ step: Int) -> (type: String, since: Int64)? {
        begun.withLock { begun in
            guard let found = begun[id], found.step == step else { return nil }
            begun[id] = nil
            return (found.type, found.at)
        }
    }

    func forget(_ id: String) { begun.withLock { $0[id] = nil } }
}

/// A command on its way, for the timeline of its call.
struct TracedCommand: Sendable {
    let timeline: Timeline
    let steps: FlowSteps
    let root: String
    let customer: String
    let callID: String
    let name: String
    let to: String
    let begin = Timeline.now()

    /// What came of it.
    func ended<Reply>(_ result: Result<Reply, RPCError>) {
        let end = Timeline.now()
        var outcome = "ok"
        if case .failure(let error) = result { outcome = error.code.rawValue + (error.detail.isEmpty ? "" : ": \(error.detail)") }
        note(at: begin) { [name, to, outcome, begin] entry in
            (entry.kind, entry.to, entry.summary, entry.outcome, entry.duration) = (.command, to, name, outcome, end - begin)
        }
        guard case .success(let reply) = result, let step = reply as? RunStep, let action = step.action else { return }
        let type = action.type.rawValue
        steps.begin(callID, step.step, type)
        note(at: end) { [to, run = step.runID, number = step.step] entry in
            (entry.kind, entry.from, entry.to, entry.summary) = (.flow, to, run, "step \(number) \(type) begins")
        }
    }

    /// It was the relay that gave it, on the way.
    func seated(by relay: String, _ place: CreateMediaSession.Place?) {
        guard let place else { return }
        note(at: Timeline.now() - place.microseconds) { [name, to] entry in
            (entry.kind, entry.from, entry.to, entry.summary) = (.command, relay, to, name)
            (entry.outcome, entry.duration) = ("ok", place.microseconds)
        }
    }

    func note(at time: Int64, _ details: @escaping @Sendable (inout TimelineEntry) -> Void) {
        timeline.add(Timeline.Note(root: root, customer: customer, callID: callID, microseconds: time, details: details))
    }
}

/// The X-ray of calls: what is said to phones and services on their behalf is noted here, and made into text elsewhere.
extension CallEngine {
    private static let afterlife = Interval.seconds(10)

    // MARK: Messages

    func trace(received message: Message, from source: SocketAddress, at time: Int64) {
        guard let callID = message.callID, var owner = owner(ofMessagesWith: callID) else { return }
        // The edge stands first, and behind it the phone, with the address it was seen at.
        if message.isRequest, let vias = message.vias, vias.count > 1, let phone = vias[1].responseAddress {
            owner.peer = phone
            traced.owners[callID]?.peer = phone
        }
        note(message.bytes, of: owner, at: time, from: owner.peer ?? source, to: address, via: source)
    }

    func trace(sent bytes: [UInt8], to hop: SocketAddress) {
        guard let callID = CallIDSearch.callID(in: bytes), let owner = owner(ofMessagesWith: callID) else { return }
        note(bytes, of: owner, at: Timeline.now(), from: address, to: owner.peer ?? hop, via: hop)
    }

    private func note(
        _ bytes: [UInt8], of owner: TracedMessages.Owner, at time: Int64, from: SocketAddress, to: SocketAddress, via: SocketAddress
    ) {
        let note = Timeline.Note(root: owner.root, customer: owner.customer, callID: owner.callID, microseconds: time) { entry in
            (entry.kind, entry.from, entry.to, entry.via) = (.sip, from.description, to.description, via.description)
            let text = String(decoding: Secrets.hidden(in: bytes), as: UTF8.self)
            entry.body = text
            let first = text.prefix { !$0.isNewline }
            entry.summary = first.hasPrefix("SIP/2.0 ")
                ? first.dropFirst(8) + " (\((try? Message.parse(bytes))?.cseq?.method.name ?? "?"))" : String(first.dropLast(8))
        }
        timeline.add(note)
    }

    private func owner(ofMessagesWith callID: String) -> TracedMessages.Owner? {
        if let owner = traced.owners[callID] { return owner }
        guard let id = legsByCallID[callID]?.leg, let leg = legs[id]?.leg, timeline.isKept(leg.root) else { return nil }
        let owner = TracedMessages.Owner(root: leg.root, customer: leg.record.customerID, callID: id, peer: nil)
        traced.owners[callID] = owner
        return owner
    }

    // MARK: Commands and events

    func trace<C: Command>(_ command: C, for leg: Leg, at instance: String? = nil) -> TracedCommand? {
        guard timeline.isKept(leg.root) else { return nil }
        let trace = TracedCommand(
            timeline: timeline, steps: traced.steps, root: leg.root, customer: leg.record.customerID, callID: leg.record.id, name: C.name,
            to: instance ?? C.service.rawValue)
        if let advance = command as? AdvanceRun { traceOutcome(advance, trace) }
        return trace
    }

    private func traceOutcome(_ advance: AdvanceRun, _ trace: TracedCommand) {
        let ended = traced.steps.end(trace.callID, advance.step)
        let result = advance.outcome.result.rawValue + (advance.outcome.code.map { " (\($0))" } ?? "")
        let now = Timeline.now()
        trace.note(at: now) { [writer = runtime.instance] entry in
            (entry.kind, entry.from, entry.to, entry.outcome) = (.flow, writer, advance.runID, result)
            entry.summary = "step \(advance.step)\(ended.map { " \($0.type)" } ?? "") ends"
            entry.duration = ended.map { now - $0.since }
        }
    }

    /// Effects that are told, not asked, and events of the call.
    func trace(_ effect: LegEffect, for leg: Leg) {
        let (kind, to, summary): (TimelineEntry.Kind, String, String)
        switch effect {
        case .publish(let type, let record, _, _, _): (kind, to, summary) = (.event, "", "\(type) (\(record.status.rawValue))")
        case .stopPlay: (kind, to, summary) = (.command, leg.seat.instance, StopPlay.name)
        case .stopListening: (kind, to, summary) = (.command, leg.seat.instance, StopListening.name)
        case .setParticipant, .hush, .hideKeys: (kind, to, summary) = (.command, leg.seat.instance, SetParticipant.name)
        case .sendDigits: (kind, to, summary) = (.command, leg.seat.instance, SendDigits.name)
        case .leave(_, _, let instance): (kind, to, summary) = (.command, instance, LeaveRoom.name)
        default: return
        }
        guard timeline.isKept(leg.root) else { return }
        timeline.add(Timeline.Note(root: leg.root, customer: leg.record.customerID, callID: leg.record.id) { entry in
            (entry.kind, entry.to, entry.summary) = (kind, to, summary)
            entry.outcome = kind == .command ? "told" : nil
        })
    }

    /// A leg is over: what is said last is still noted, and then the call's timeline is put away.
    func traceEnds(of leg: Leg) {
        traced.steps.forget(leg.record.id)
        guard timeline.isKept(leg.root) else { return }
        if leg.record.parentCallID == nil { archive.put(leg.root, customer: leg.record.customerID) }
        let names = leg.sip.callIDs
        loop.schedule(at: loop.now + Self.afterlife) {
            self.assumeIsolated { engine in for name in names { engine.traced.owners[name] = nil } }
        }
    }
}

extension Leg {
    /// The first leg of its call.
    var root: String { record.parentCallID ?? record.id }
}
