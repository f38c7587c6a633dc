import Addresses
import Datagrams
import Deadlines
import MediaSession
import RTP

// Two legs of this thread without a room between them: what comes to one goes out of the other, read once and sent once.
extension MediaLoop {
    /// Where the room would be, of a leg whose inside is another leg.
    static let inPlaceOfRoom = SocketAddress(.anyIPv4, port: 0)

    /// What came to the RTP port of a leg.
    func passOn(_ leg: Leg, to peer: Leg) {
        var count = fromPhone[0].bytes.count
        if leg.session.transport != nil {
            guard let opened = open(leg) else { return }
            count = opened
            if leg.tap != nil { Self.tapArrived(leg, fromPhone, count, isOpened: true, on: leg.port, now: loop.now) }
        }
        if Self.isControl(fromPhone, count) { return passControl(count, of: leg, to: peer) }
        if leg.session.isTransparent {
            if leg.fast.passage != nil { breakFastPath(leg) }
            let passed = Self.pass(&fromPhone, count, of: leg, to: peer, now: loop.now, traffic: &traffic, shelf: custody?.shelf)
            if !leg.isConnected { connect(leg) }
            if fastPath != nil, let passed, leg.fast.sees(passed, length: count) { enterFastPath(leg, to: peer, passed) }
        } else {
            if leg.fast.passage != nil { breakFastPath(leg) }
            let passed = Self.translate(
                fromPhone, count, of: leg, to: peer, now: loop.now, packets: &packets, linked: &linked, traffic: &traffic, shelf: custody?.shelf)
            connect(leg)
            if fastPath != nil, let passed, leg.fast.sees(passed, length: count) { enterFastPath(leg, to: peer, passed) }
            follow(leg)
            if peer.session.hasDeadlines { schedule(peer) }
        }
    }

    private static func isControl(_ batch: borrowing ReceiveBatch, _ count: Int) -> Bool {
        Header.isControlPacket(batch[0].bytes.extracting(0..<count))
    }

    /// The packet where it lies becomes the other side's; nil: it went no further.
    private static func pass(
        _ batch: inout ReceiveBatch, _ count: Int, of leg: Leg, to peer: Leg, now: Instant, traffic: inout Traffic, shelf: Shelf?
    ) -> Header? {
        let source = batch[0].source
        let taken = leg.session.takeForPeer(batch[0].bytes.extracting(0..<count), from: source, now: now)
        guard case .header(let header) = taken else {
            if case .dropped(let verdict) = taken { traffic.countPhones(verdict) }
            return nil
        }
        traffic.countPhones(.forwarded)
        if let tap = leg.tap, !leg.session.gates.silencesMedia { tap.spoken(batch[0].bytes.extracting(0..<count), now: now) }
        if let shelf, now >= leg.nextTallyAt { note(leg, on: shelf, now: now) }
        guard peer.player == nil, let destination = peer.session.passingDestination else { return nil }
        var place = batch.mutablePlace(at: 0)
        leg.session.hush(header, &place)
        guard let length = peer.session.makeOwn(header, &place, count: count, now: now) else { return nil }
        if let shelf { note(peer, on: shelf, now: now) }
        if peer.send(place.span.extracting(0..<length), to: destination) != .sent { traffic.notSent += 1 }
        return header
    }

    /// The kernel keeps strangers away once it is known who the phone is.
    private func connect(_ leg: Leg) {
        guard let rtp = leg.rtp, !rtp.isConnected, !leg.session.hasChecks, !leg.session.isAsymmetric, let source = leg.session.latch.locked else { return }
        rtp.connect(to: source.address)
        // What its peer says goes there from now on.
        if let peer = leg.peer { leaveFastPath(peer) }
        // Who the phone is has to be known to a successor.
        note(leg)
    }

    // MARK: Through the codecs

    /// A packet in another coding than the other side's goes through the codecs: what the first leg would tell a room, the second hears.
    /// Its header, if it is sound that went around them.
    private static func translate(
        _ batch: borrowing ReceiveBatch, _ count: Int, of leg: Leg, to peer: Leg, now: Instant, packets: inout PacketBuffer,
        linked: inout PacketBuffer, traffic: inout Traffic, shelf: Shelf?
    ) -> Header? {
        let datagram = batch[0]
        packets.removeAll()
        if let terms = peer.session.directTerms(), leg.session.isDirect(datagram.bytes.extracting(0..<count), on: terms) {
            return passDirect(batch, count, of: leg, to: peer, now: now, packets: &packets, traffic: &traffic, shelf: shelf)
        }
        peer.session.leaveDirect()
        let verdict = leg.session.outsidePacket(datagram.bytes.extracting(0..<count), from: datagram.source, now: now, into: &packets)
        traffic.countPhones(verdict)
        guard verdict == .forwarded || verdict == .collected, leg.session.passesCodecs(datagram.bytes.extracting(0..<count)) else { return nil }
        if let tap = leg.tap { tap.spoken(datagram.bytes.extracting(0..<count), now: now) }
        if leg.keys != nil { noteKeys(of: leg, in: packets) }
        hand(packets, to: peer, now: now, linked: &linked, traffic: &traffic, shelf: shelf)
        return nil
    }

    /// Both phones speak the same.
    private static func passDirect(
        _ batch: borrowing ReceiveBatch, _ count: Int, of leg: Leg, to peer: Leg, now: Instant, packets: inout PacketBuffer,
        traffic: inout Traffic, shelf: Shelf?
    ) -> Header? {
        let bytes = batch[0].bytes.extracting(0..<count)
        let taken = leg.session.takeForPeer(bytes, from: batch[0].source, now: now)
        guard case .header(let header) = taken else {
            if case .dropped(let verdict) = taken { traffic.countPhones(verdict) }
            return nil
        }
        traffic.countPhones(.forwarded)
        if let tap = leg.tap, !leg.session.gates.silencesMedia { tap.spoken(bytes, now: now) }
        guard peer.player == nil else { return nil }
        let isEvent = leg.session.isEvent(header)
        if isEvent, leg.keys != nil { noteKey(of: leg, header, bytes) }
        let verdict = peer.session.directPacket(header, bytes, isEvent: isEvent, now: now, into: &packets)
        send(&packets, of: peer, now: now, traffic: &traffic, shelf: shelf)
        return isEvent || verdict != .forwarded ? nil : header
    }

    /// What a leg tells its room is what the room tells its peer.
    private static func hand(
        _ packets: borrowing PacketBuffer, to peer: Leg, now: Instant, linked: inout PacketBuffer, traffic: inout Traffic, shelf: Shelf?
    ) {
        guard peer.player == nil else { return }
        for number in 0..<packets.count {
            linked.removeAll()
            _ = peer.session.insidePacket(packets[number], from: inPlaceOfRoom, now: now, into: &linked)
            send(&linked, of: peer, now: now, traffic: &traffic, shelf: shelf)
        }
    }

    static func send(_ packets: inout PacketBuffer, of leg: Leg, now: Instant, traffic: inout Traffic, shelf: Shelf?) {
        guard let destination = leg.session.passingDestination, let rtp = leg.socket(to: destination) else { return }
        for number in 0..<packets.count where leg.session.seal(&packets, number) {
            if let shelf { note(leg, on: shelf, now: now) }
            if rtp.send(packets[number], to: destination) != .sent { traffic.notSent += 1 }
        }
    }

    /// The time of one of a leg's transcoders has come without a packet.
    func goOn(_ leg: Leg, _ peer: Leg) {
        Self.goOn(leg, peer, now: loop.now, packets: &packets, linked: &linked, traffic: &traffic, shelf: custody?.shelf)
        if leg.keys != nil { tellKeys(of: leg) }
    }

    private static func goOn(
        _ leg: Leg, _ peer: Leg, now: Instant, packets: inout PacketBuffer, linked: inout PacketBuffer, traffic: inout Traffic, shelf: Shelf?
    ) {
        packets.removeAll()
        leg.session.expireDigits(now: now, into: &packets)
        leg.session.expireInward(now: now, into: &packets)
        if leg.keys != nil { noteKeys(of: leg, in: packets) }
        hand(packets, to: peer, now: now, linked: &linked, traffic: &traffic, shelf: shelf)
        packets.removeAll()
        leg.session.expireOutward(now: now, into: &packets)
        send(&packets, of: leg, now: now, traffic: &traffic, shelf: shelf)
    }

    // MARK: Control packets

    /// Between legs that leave packets as they are, reports are passed on; where sound is made anew, each side has its own.
    func passControl(_ count: Int, of leg: Leg, to peer: Leg) {
        traffic.controlPackets += 1
        // What the phone says of us is held against what was sent.
        followFastPath(peer)
        Self.passControl(&fromPhone, count, of: leg, to: peer, now: loop.now, traffic: &traffic, shelf: custody?.shelf)
    }

    private static func passControl(
        _ batch: inout ReceiveBatch, _ count: Int, of leg: Leg, to peer: Leg, now: Instant, traffic: inout Traffic, shelf: Shelf?
    ) {
        let source = batch[0].source
        guard leg.session.isTransparent else {
            leg.session.noteControl(octets: count)
            leg.session.controlPacket(batch[0].bytes.extracting(0..<count), from: source, now: now, ntpTime: NTP.now())
            return
        }
        guard leg.session.takeControlForPeer(batch[0].bytes.extracting(0..<count), from: source, now: now, ntpTime: NTP.now()),
            let destination = peer.session.controlDestination
        else { return }
        let isShared = peer.session.plan?.isOnOnePort ?? false
        guard let socket = isShared ? peer.socket(to: destination) : peer.rtcp else { return }
        var place = batch.mutablePlace(at: 0)
        leg.session.retell(&place, count: count)
        guard let report = peer.session.makeOwnControl(&place, count: count) else { return }
        if let shelf { note(peer, on: shelf, now: now) }
        if socket.send(report.span, to: destination) != .sent { traffic.notSent += 1 }
    }

    // MARK: Joining and parting

    /// From now on these two have each other.
    func link(_ first: Leg, _ second: Leg) {
        for (leg, other) in [(first, second), (second, first)] where leg.peer !== other {
            unlink(leg)
            leg.session.link(to: Self.inPlaceOfRoom, ssrc: SSRC(0))
        }
        (first.peer, second.peer) = (second, first)
    }

    /// The same by way of their inside, as rooms speak to them: there a tap finds the sound it copies.
    func linkByInside(_ first: Leg, _ second: Leg) {
        for leg in [first, second] where leg.peer != nil { unlink(leg) }
        for (leg, other) in [(first, second), (second, first)] { leg.session.link(to: insideAddress, ssrc: SSRC(other.insideSSRC)) }
    }

    /// Both are left without anybody.
    func unlink(_ leg: Leg) {
        guard let peer = leg.peer else { return }
        attend(leg)
        (leg.peer, peer.peer) = (nil, nil)
        for side in [leg, peer] {
            side.session.leaveDirect()
            side.session.link(to: nil, ssrc: SSRC(0))
        }
    }
}
