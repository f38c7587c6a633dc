import Addresses
import Contracts
import Datagrams
import Deadlines
import MediaSession
import Threads

// Copies of a leg's packets, for recordings and captures.
extension MediaLoop {
    static func tapName(_ kind: String, _ session: String, _ name: String) -> String { "\(kind)/\(session)/\(name)" }

    /// The session a command about a tap is for; nil when it is over, and only its ends can be told.
    func tapped(_ id: String, epoch: UInt64) throws(RPCError) -> Leg? {
        if let stone = tombstones[id] {
            try Self.check(epoch, against: stone.epoch)
            return nil
        }
        return try living(id, epoch: epoch)
    }

    func remembered(_ name: String, _ respond: @escaping Recorder.Respond) {
        guard let recorder else { return respond(.failure(RPCError(.notFound, "nothing of that name is being written"))) }
        recorder.remembered(name, respond)
    }

    func recorder(writing folder: KeyPath<TapSettings, String>, as setting: String) throws(RPCError) -> Recorder {
        guard let recorder, !recorder.settings[keyPath: folder].isEmpty else {
            throw RPCError(.unavailable, "this relay writes no such files: \(setting) is not set")
        }
        return recorder
    }

    static func bounded(_ wanted: Int?, _ limit: Int, _ pointer: String) throws(RPCError) -> Int {
        guard let wanted else { return limit }
        guard wanted > 0 else { throw RPCError(.invalid, "a bound is positive", problems: [Problem(pointer: pointer, detail: "not above zero")]) }
        return min(wanted, limit)
    }

    /// The same command again is answered; another while one is at work is refused.
    func again(_ use: Tap.Use, _ name: String, _ respond: @escaping Recorder.Respond) throws(RPCError) {
        guard use.name == name else { throw RPCError(.conflict, "the session has one at work already: stop it first") }
        recorder?.report(use.id, name, dropped: use.dropped, respond)
    }

    func begin(
        _ order: Recorder.Order, _ use: ReferenceWritableKeyPath<Tap, Tap.Use?>, _ name: String, _ leg: Leg, _ recorder: Recorder,
        _ respond: @escaping Recorder.Respond
    ) {
        guard let id = recorder.reserve() else {
            return respond(.failure(RPCError(.exhausted, "this relay writes as many files as it may (TANDEM_TAPS)")))
        }
        let tap = leg.tap ?? Tap(tapRing(recorder))
        tap[keyPath: use] = Tap.Use(name: name, id: id)
        leg.tap = tap
        if let peer = leg.peer, !leg.isOfNG {
            linkByInside(leg, peer)
            save(peer)
            save(leg)
        }
        let session = leg.insideSSRC
        recorder.begin(id, name, session: leg.id, order, release: { [weak self] in self?.post { $0.untap(session, id) } }, respond)
    }

    func tapRing(_ recorder: Recorder) -> RecordRing {
        if let ring { return ring }
        let made = recorder.makeRing()
        ring = made
        return made
    }

    /// Nothing is copied any more: the file is full, failed or finished.
    func untap(_ session: UInt32, _ id: UInt32) {
        guard let leg = legs[session], let tap = leg.tap else { return }
        if tap.recording?.id == id { tap.recording = nil }
        if tap.capture?.id == id { tap.capture = nil }
        letGo(leg)
    }

    /// A tap that copies nothing costs nothing.
    func letGo(_ leg: Leg) {
        if leg.tap?.isIdle == true { leg.tap = nil }
    }

    /// The session ends, and with it what is written of it.
    func endTaps(of leg: Leg) {
        guard let tap = leg.tap else { return }
        for use in [tap.recording, tap.capture].compactMap(\.self) {
            recorder?.finish(use.id, use.name, dropped: use.dropped, .sessionEnded)
        }
        leg.tap = nil
    }

    // MARK: Packets

    /// Before it is protected, or after; a plain leg's packet is shown once.
    static func tapLeaving(_ leg: Leg, _ packet: Span<UInt8>, isSealed: Bool, now: Instant) {
        guard let tap = leg.tap, let destination = leg.session.destination else { return }
        let isPlain = leg.session.transport == nil
        guard !isPlain || isSealed else { return }
        tap.datagram(packet, .left, isPlain ? .plain : isSealed ? .sealed : .opened, peer: destination, port: leg.port, now: now)
    }

    /// As it came, or opened.
    static func tapArrived(_ leg: Leg, _ batch: borrowing ReceiveBatch, _ count: Int, isOpened: Bool, on port: UInt16, now: Instant) {
        guard let tap = leg.tap else { return }
        let datagram = batch[0]
        let stage: Tap.Stage = leg.session.transport == nil ? .plain : isOpened ? .opened : .sealed
        tap.datagram(datagram.bytes.extracting(0..<count), .arrived, stage, peer: datagram.source, port: port, now: now)
    }

    func tapReport(_ leg: Leg, _ report: [UInt8], _ packet: [UInt8], to destination: SocketAddress, isShared: Bool) {
        let port = isShared ? leg.port : leg.port + 1
        guard let tap = leg.tap else { return }
        guard leg.session.transport != nil else {
            return tap.datagram(packet.span, .left, .plain, peer: destination, port: port, now: loop.now)
        }
        tap.datagram(report.span, .left, .opened, peer: destination, port: port, now: loop.now)
        tap.datagram(packet.span, .left, .sealed, peer: destination, port: port, now: loop.now)
    }
}
