import Addresses
import Datagrams
import Deadlines
import FastPath
import MediaSession
import RTP

// Plain streams that go from leg to leg go there within the kernel, until one of their packets, or somebody, wants more.
extension MediaLoop {
    /// The phone of `leg` has sent enough to know how it goes on.
    func enterFastPath(_ leg: Leg, to peer: Leg, _ header: Header) {
        guard let fastPath, let plain = plainWay(of: leg, to: peer, header) else { return leg.fast.refuse() }
        leg.session.beginRuns(from: true)
        peer.session.beginRuns(from: false)
        // A successor asks the kernel what has become of it since.
        for side in [leg, peer] { note(side) }
        guard let passage = fastPath.begin(plain.way, plain.stream) else { return leg.fast.refuse() }
        leg.fast.begin(passage, plain.stream.route, isTimed: plain.isTimed)
    }

    private func plainWay(
        of leg: Leg, to peer: Leg, _ header: Header
    ) -> (way: FastPath.Way, stream: FastPath.Stream, isTimed: Bool)? {
        guard leg.tap == nil, peer.tap == nil, peer.player == nil, leg.second == nil, peer.second == nil else { return nil }
        guard let here = leg.rtp?.currentAddress, let there = peer.rtp?.currentAddress, here.address != .anyIPv4, there.address != .anyIPv4 else {
            return nil
        }
        guard let plain = leg.session.plainStream(of: header.payloadType), plain.ssrc == header.ssrc,
            plain.nextSequence == header.sequence.advanced(by: 1), let onward = peer.session.onward(after: header),
            let route = routes?.route(to: onward.destination.address, from: there.address, now: loop.now)
        else { return nil }
        var stream = FastPath.Stream(
            source: there, destination: onward.destination, route: route, ssrc: plain.ssrc.value, payloadType: header.payloadType.value,
            clockRate: plain.clockRate, nextSequence: plain.nextSequence.value, timestamp: header.timestamp.value, arrivedAt: loop.now,
            jitter: plain.jitter, dscp: peer.dscp ?? settings.preferences.dscp)
        (stream.newSSRC, stream.newPayloadType) = (onward.ssrc.value, onward.payloadType.value)
        (stream.sequenceShift, stream.timestampShift) = (onward.sequenceShift, onward.timestampShift)
        stream.length = onward.payloadLength.map { $0 + Header.length }
        stream.timestampGap = onward.timestampGap ?? .max
        return (FastPath.Way(from: plain.source, to: here), stream, plain.isTimed)
    }

    /// One of the phone's packets came to its socket, and so do those that follow.
    func breakFastPath(_ leg: Leg) {
        guard let passage = leg.fast.passage else { return }
        if let progress = fastPath?.end(passage) { tell(progress, to: leg) }
        leg.fast.breakOff()
    }

    /// The phone's packets come to its socket again.
    func leaveFastPath(_ leg: Leg) {
        if let passage = leg.fast.passage, let progress = fastPath?.end(passage) { tell(progress, to: leg) }
        leg.fast.end()
    }

    /// Both directions: something is about to become of the two.
    func attend(_ leg: Leg) {
        leaveFastPath(leg)
        if let peer = leg.peer { leaveFastPath(peer) }
    }

    /// How far it has come, and whether its way is still the right one.
    func followFastPath(_ leg: Leg) {
        guard let passage = leg.fast.passage else { return }
        guard let peer = leg.peer, let progress = fastPath?.progress(passage) else { return leaveFastPath(leg) }
        tell(progress, to: leg)
        guard let destination = peer.session.plainDestination, let source = peer.rtp?.currentAddress,
            routes?.route(to: destination.address, from: source.address, now: loop.now) == leg.fast.route
        else { return leaveFastPath(leg) }
    }

    /// What leaves by another interface from now on, or not at all, is to be known soon; many changes at once are one.
    func watchRoutes() {
        guard let changes = routes?.changes, changes >= 0 else { return }
        loop.watch(changes, .read) { [unowned self] _ in
            routes?.forget()
            guard !isAskingForRoutes else { return }
            isAskingForRoutes = true
            loop.schedule(at: loop.now + .milliseconds(100)) { [unowned self] in
                isAskingForRoutes = false
                for index in 0..<legs.end { if let leg = legs[place: index] { followFastPath(leg) } }
            }
        }
    }

    // MARK: Of the worker before us

    func inherit(_ legacy: FastPath.Legacy) { legacyPath = legacy }

    /// What the kernel has passed on meanwhile is known, and the rest comes to our sockets.
    func resumeRuns() {
        guard let legacyPath else { return }
        self.legacyPath = nil
        for index in 0..<legs.end {
            guard let leg = legs[place: index], let phone = leg.session.latch.locked, let here = leg.rtp?.currentAddress,
                let progress = legacyPath.end(FastPath.Way(from: phone.address, to: here))
            else { continue }
            // Of a kept relay's sessions only sound passes, whose timestamps are those of its packets.
            tell(PacketRun(progress, isTimed: true), to: leg)
        }
    }

    private func tell(_ progress: FastPath.Progress, to leg: Leg) {
        tell(leg.fast.run(progress), to: leg)
    }

    private func tell(_ run: PacketRun, to leg: Leg) {
        traffic.countFast(leg.session.passed(run))
        leg.peer?.session.sent(run)
        note(leg)
        if let peer = leg.peer { note(peer) }
    }
}
