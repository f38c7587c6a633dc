import Deadlines
import SIP

/// Sends again what came over a connection and has had no response (RELIABILITY §4.3). Over UDP the phone does that.
extension EdgeLoop {
    private static let look = Interval.milliseconds(250)

    /// A request from a connection has gone on to a server.
    func keep(
        _ message: borrowing MessageView, _ forwarding: Forwarding, _ destination: Destination, _ arrival: Arrival
    ) {
        guard settings.keptRequests.count > 0, let method = message.method, method != .ack, case .server(let server) = destination,
            let hop = forwarding.hop
        else { return }
        let kept = KeptRequests.Kept(message: message.message(), forwarding: forwarding, arrival: arrival, server: server)
        if !self.kept.keep(kept, as: KeptRequests.Key(hop.branch.transaction, method), now: loop.now) { Traffic.keptFull.add() }
        showKept()
        lookLater()
    }

    /// A response passes back to a connection.
    func answered(_ response: borrowing MessageView) {
        guard !kept.isEmpty, !response.isRequest, let key = KeptRequests.Key(response: response) else { return }
        kept.remove(key)
        showKept()
    }

    private func showKept() {
        Traffic.kept.add(kept.count - keptShown)
        keptShown = kept.count
    }

    /// While nothing is kept, nothing looks.
    private func lookLater() {
        guard !kept.isEmpty, !isLookDue else { return }
        isLookDue = true
        loop.schedule(at: loop.now + Self.look) {
            self.isLookDue = false
            let now = self.loop.now
            for key in self.kept.orphans({ self.core.isLiving($0, self.placement.directory) }) { self.sendAgain(key, onlyElsewhere: true) }
            while let key = self.kept.popDue(now: now) { self.sendAgain(key) }
            self.showKept()
            self.lookLater()
        }
    }

    private func sendAgain(_ key: KeptRequests.Key, onlyElsewhere: Bool = false) {
        guard let request = kept[key] else { return }
        guard peers[request.arrival.connection] != nil else { return kept.remove(key) }
        guard let (server, forwarding) = core.secondWay(of: request, &placement), !onlyElsewhere || server != request.server else {
            return
        }
        kept.moved(key, forwarding, to: server)
        Traffic.resent.add()
        sendAgain(request.message, forwarding, to: server)
    }
}
