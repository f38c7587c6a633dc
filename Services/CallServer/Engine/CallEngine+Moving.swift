import Bus
import Contracts
import Deadlines
import SIP
import ServiceKit
import Telemetry

/// Legs go to another relay when theirs asks for it because it is stopping, or has gone without a successor (RELIABILITY §4.5).
extension CallEngine {
    private static let look = Interval.milliseconds(100)
    /// Of a relay that is gone so many legs move at each look: a host that dies has thousands.
    private static let movedAtOnce = 20
    private static let moved = Counter("tandem_call_media_moves_total", "Legs whose media went to another relay.")
    private static let refused = Counter("tandem_call_media_moves_refused_total", "Offers to go to another relay that came to nothing.")

    /// The leg's relay is leaving; one that has moved already stays where it is.
    func move(_ id: String, from relay: String) {
        guard let leg = legs[id]?.leg, leg.placement.relay == relay, leg.isMovable, let other = otherRelay(than: relay) else { return }
        handle(id, .moveWanted(relay: other))
    }

    /// Something about a session: about one that the leg has left it is no news.
    func happened(_ id: String, session: String, _ event: LegEvent) {
        guard legs[id]?.leg.sessionID == session else { return }
        handle(id, event)
    }

    private func otherRelay(than relay: String) -> String? { Self.relay(of: runtime.fleet, besides: relay) }

    static func relay(of fleet: Fleet, besides relay: String) -> String? {
        fleet.place(.mediaRelay, besides: relay, spread: .random(in: .min ... .max))?.instance
    }

    // MARK: Relays that are gone

    func watchRelays() {
        if settings.relayPatience > .zero { lookForRelays() }
        let jitter = Interval.milliseconds(.random(in: -30...30))
        loop.schedule(at: loop.now + Self.look + jitter) { self.assumeIsolated { $0.watchRelays() } }
    }

    private func lookForRelays() {
        let announced = runtime.fleet.living(.mediaRelay)
        lookForLineages(announced)
        let living = Set(announced.map(\.instance))
        var (left, gone): ([String: [String]], Set<String>) = ([:], [])
        for (id, entry) in legs where !living.contains(entry.leg.placement.relay) {
            let relay = entry.leg.placement.relay
            gone.insert(relay)
            if entry.leg.isMovable { left[relay, default: []].append(id) }
        }
        lostRelays = lostRelays.filter { gone.contains($0.key) }
        for relay in gone where lostRelays[relay] == nil { lostRelays[relay] = loop.now }
        for (relay, ids) in left {
            guard let since = lostRelays[relay], loop.now - since >= settings.relayPatience else { continue }
            for id in ids.prefix(Self.movedAtOnce) { move(id, from: relay) }
        }
    }

    /// A relay that came back under its name without what it had: its keeper and its worker have died together.
    private func lookForLineages(_ announced: [Announcement]) {
        for relay in announced {
            guard let lineage = relay.addresses["lineage"], let before = lineages.updateValue(lineage, forKey: relay.instance),
                before != lineage
            else { continue }
            for (id, entry) in legs where entry.leg.placement.relay == relay.instance { lostSessions[id] = entry.leg.sessionID }
        }
        guard !lostSessions.isEmpty else { return }
        lostSessions = lostSessions.filter { legs[$0.key]?.leg.sessionID == $0.value }
        for id in lostSessions.keys.filter({ legs[$0]?.leg.isMovable == true }).prefix(Self.movedAtOnce) {
            guard let relay = legs[id]?.leg.placement.relay else { continue }
            lostSessions[id] = nil
            handle(id, .sessionLost(relay: otherRelay(than: relay) ?? relay))
        }
    }

    // MARK: Effects

    func createElsewhere(_ leg: Leg, _ relay: String, _ session: Int, _ continuing: String) {
        let command = CreateMediaSession(
            sessionID: leg.sessionID(session), customerID: leg.record.customerID, callID: leg.record.id, owner: runtime.instance,
            epoch: leg.epoch, offer: nil, continuing: continuing)
        ask(command, for: leg, "media/\(session)", at: relay) { .createdElsewhere(session: session, $0) } failed: { _ in
            .creationElsewhereFailed(session: session)
        }
    }

    /// Of a relay that has gone nothing comes back, and nothing is missed.
    func deleteElsewhere(_ leg: Leg, _ relay: String, _ sessionID: String) {
        let command = DeleteMediaSession(sessionID: sessionID, epoch: leg.epoch)
        ask(command, for: leg, "delete/\(sessionID)", at: relay) { .sessionLeft($0) } failed: { _ in nil }
    }

    func pointSeat(_ leg: Leg, at inside: InsideEndpoint, _ revision: UInt64) {
        let seat = leg.seat
        let command = SetParticipant(roomID: seat.roomID, participantID: seat.participantID, inside: inside, relay: leg.placement.relay, session: leg.sessionID)
        ask(command, for: leg, "point/\(revision)", at: seat.instance) { _ in nil } failed: { .linkFailed(seat: seat.number, $0) }
    }

    func reinvite(_ id: String, session: Int, body: String) {
        guard var request = legs[id]?.reinviting, let destination = request.destination else {
            return handle(id, .moveRefused(session: session, code: 500, wait: .zero))
        }
        legs[id]?.reinviting = nil
        request.contact = contact(of: id)
        request.add(.allow, Self.allowed)
        if let leg = legs[id]?.leg { extend(&request, leg, trickles: TrickledCandidates.areWelcome(by: body)) }
        request.body = Array(body.utf8)
        request.contentType = "application/sdp"
        let name = legs[id]?.leg.sip.offering?.name ?? layer.newName()
        purposes[layer.request(request, as: name, to: destination, now: loop.now, into: &outbox)] = .move(leg: id, session: session, request)
        drain()
    }

    func moveAnswered(_ id: String, _ session: Int, _ request: RequestBuilder, _ response: Message, _ status: Int) {
        guard status < 300 else {
            Self.refused.add()
            return handle(id, .moveRefused(session: session, code: status, wait: waitAfterCollision(id)))
        }
        acknowledge(id, reinvite: request)
        legs[id]?.leg.sip.dialog?.receive(response: response)
        let (timer, moment) = (timer(answeredBy: response, id), moment())
        legs[id]?.leg.sip.timer = timer
        legs[id]?.leg.sessionBegan(at: moment)
        Self.moved.add()
        handle(id, .moveAccepted(session: session, answer: sessionDescription(of: response)))
    }
}

extension CallEngine {
    /// RFC 3261 §14.1: whoever chose the Call-ID waits longer, so that the two do not meet again.
    func waitAfterCollision(_ id: String) -> Interval {
        let ownsCallID = legs[id]?.leg.isInbound == false
        return .milliseconds(.random(in: ownsCallID ? 2100...4000 : 0...2000))
    }

    /// The ACK of a re-INVITE of ours: whatever became of the leg, its phone waits for this.
    func acknowledge(_ id: String, reinvite request: RequestBuilder) {
        var acknowledgement = request
        acknowledgement.method = .ack
        (acknowledgement.headers, acknowledgement.body, acknowledgement.contentType, acknowledgement.contact) = ([], [], nil, nil)
        guard let destination = acknowledgement.destination else { return }
        legs[id]?.acknowledgement = (acknowledgement, destination)
        layer.acknowledge(acknowledgement, to: destination, into: &outbox)
        drain()
    }
}

extension Leg {
    /// Whether an offer of another relay makes sense now.
    var isMovable: Bool { phase == .up && media.stage == .ready && media.isAgreed && moves?.move == nil && moves?.wanted == nil && moves?.isRefused != true }
}
