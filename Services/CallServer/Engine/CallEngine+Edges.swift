import Addresses
import Bus
import Contracts
import Deadlines
import SIP
import ServiceKit

/// The way to the phones: through the edge that has their flow while it lives, through any other when it died, and over their
/// new connection once they have one (RELIABILITY §4.3).
extension CallEngine {
    private static let edgesAge = Interval.milliseconds(100)

    func refreshEdges() {
        edges = EdgeTable(
            runtime.fleet.living(.edgeProxy).map { announcement in
                EdgeTable.Edge(
                    instance: announcement.instance, inside: announcement.addresses["inside"] ?? "",
                    isDraining: announcement.draining)
            })
        streams?.keep(edges.living)
        loop.schedule(at: loop.now + Self.edgesAge) { self.assumeIsolated { $0.refreshEdges() } }
    }

    /// The search for the phone of a leg that is up; nil when the leg's dialog has no route that could have died.
    func rerouting(of leg: Leg, _ request: RequestBuilder) -> Rerouting? {
        guard let first = request.routes.first else { return nil }
        let target = leg.dial?.winner.flatMap { leg.dial?.targets[$0] }
        return Rerouting(
            customer: leg.record.customerID, number: leg.dial?.number ?? leg.record.from,
            contact: target?.contact ?? request.uri.description, instanceID: target?.instanceID,
            deadRoute: first.uri.description, deadline: loop.now + settings.reconnectTime)
    }

    /// A BYE found its flow dead: it goes out again over the new one, or the phone stays away and the call is over without it.
    func goodbyeFailed(_ request: RequestBuilder, _ rerouting: Rerouting) {
        search(rerouting) { engine, path in
            guard let path else { return }
            var request = request
            request.routes.replaceSubrange(..<1, with: path.compactMap { URI($0).map { NameAddress($0) } })
            guard let destination = request.destination else { return }
            let transaction = engine.layer.request(request, to: destination, now: engine.loop.now, into: &engine.outbox)
            engine.purposes[transaction] = .goodbye(nil)
            engine.drain()
        }
    }

    /// An INVITE found its flow dead: the phone rings over its new binding. False when this cannot be.
    func inviteFailed(_ id: String, branch: Int) -> Bool {
        guard let leg = legs[id]?.leg, let dial = leg.dial, dial.winner == nil, dial.targets.indices.contains(branch),
            !dial.targets[branch].wasCanceled, let request = legs[id]?.requests[branch], let first = request.routes.first
        else { return false }
        // A dead flow is no way to the phone for anybody else either (RFC 5626 §11.1).
        let flow = ReachableBinding.Flow(contact: request.uri.description, path: request.routes.map(\.uri.description))
        bus.tell(
            ForgetFlow(customerID: leg.record.customerID, number: dial.number, flow: flow), to: .any,
            context: CallContext(customer: leg.record.customerID))
        let others = dial.targets.indices.filter { $0 != branch }.map { dial.targets[$0].route }
        let rerouting = Rerouting(
            customer: leg.record.customerID, number: dial.number, contact: dial.targets[branch].contact,
            instanceID: dial.targets[branch].instanceID, deadRoute: first.uri.description,
            deadline: loop.now + settings.reconnectTime, taken: others)
        search(rerouting) { engine, path in
            guard let path, let dial = engine.legs[id]?.leg.dial, dial.winner == nil, !dial.targets[branch].wasCanceled else {
                return engine.handle(id, .refused(branch: branch, code: 430))
            }
            engine.inviteAgain(id, branch: branch, request, path)
        }
        return true
    }

    private func inviteAgain(_ id: String, branch: Int, _ request: RequestBuilder, _ path: [String]) {
        var request = request
        request.routes = path.compactMap { URI($0).map { NameAddress($0) } }
        guard let destination = request.destination else { return handle(id, .refused(branch: branch, code: 430)) }
        legs[id]?.requests[branch] = request
        legs[id]?.leg.dial?.targets[branch].route = path
        legs[id]?.leg.dial?.targets[branch].isOver = nil
        let name = layer.newName()
        legs[id]?.leg.sip.branches[branch]?.name = name
        saveSoon(id)
        let transaction = layer.request(request, as: name, to: destination, now: loop.now, into: &outbox)
        legs[id]?.branches[branch] = transaction
        purposes[transaction] = .invite(leg: id, branch: branch)
        drain()
    }

    /// Asks the Registrar until the phone has registered anew; nil when it has not in time.
    private func search(_ rerouting: Rerouting, _ done: @escaping @Sendable (isolated CallEngine, [String]?) -> Void) {
        let command = ListBindings(customerID: rerouting.customer, number: rerouting.number)
        bus.call(command, context: CallContext(customer: rerouting.customer)) { [loop] result in
            loop.post {
                self.assumeIsolated { engine in
                    switch result {
                    case .success(let reply):
                        switch rerouting.choose(among: reply.bindings) {
                        case .take(let path): return done(engine, path)
                        case .served: return done(engine, nil)
                        case .wait: break
                        }
                    case .failure(let error) where error.code == .notFound: return done(engine, nil)
                    case .failure: break
                    }
                    guard engine.loop.now < rerouting.deadline else { return done(engine, nil) }
                    _ = engine.loop.schedule(at: engine.loop.now + Rerouting.pause) {
                        self.assumeIsolated { $0.search(rerouting, done) }
                    }
                }
            }
        }
    }
}
