import Addresses
import Audio
import Deadlines
import MediaSession
import NG
import RTP

// Commands about the sound of a call: whose goes no further, and what is played to whom.
extension MediaLoop {
    /// The legs of those a command names: by tag, label or address; of all, when it names nobody.
    private func chosen(_ request: Request, needsNames: Bool = false) throws(NGRefusal) -> [Leg] {
        guard let call = attended(request.callID) else { throw NGRefusal("Unknown call-id") }
        let (tag, label, address) = (request.fromTag, request.options.label, request.value("address")?.text)
        if request.options.isForAll || tag == nil && label == nil && address == nil {
            guard request.options.isForAll || !needsNames else { throw NGRefusal("nobody in the call is named: give from-tag, label or address") }
            return call.legs
        }
        var legs: [Leg] = []
        for dialogue in call.dialogues {
            for side in 0...1 {
                let party = dialogue.parties[side]
                for stream in dialogue.streams where stream.legs.count == 2 {
                    let isThere = address.map { stream.sides[side].remote?.remote.address.description == $0 } ?? false
                    let isNamed = tag.map { party.has($0) } ?? label.map { party.label == $0 } ?? false
                    if isThere || isNamed { legs.append(stream.legs[side]) }
                }
            }
        }
        guard !legs.isEmpty else { throw NGRefusal("nobody in the call has that tag, label or address") }
        return legs
    }

    func gate(_ request: Request, _ change: (inout PassingGates) -> Void) throws(NGRefusal) -> Reply {
        for leg in try chosen(request) { change(&leg.session.gates) }
        return .ok()
    }

    // MARK: Playing

    /// `play media`, once the sound has been read: µ-law, a second in 8000 octets.
    func play(_ sound: [UInt8], _ request: Request) -> Reply {
        do throws(NGRefusal) {
            let legs = try chosen(request, needsNames: true).filter { $0.session.plan?.canMakeSound ?? false }
            guard !legs.isEmpty else { throw NGRefusal("nobody named speaks a codec in which sound can be made here") }
            let times = Int(clamping: request.value("repeat-times")?.integer ?? 1)
            let start = Int(clamping: request.value("start-pos")?.integer ?? 0)
            for leg in legs { begin(Player(sound: sound, times: times, from: start), on: leg) }
            return .ok(["duration": .integer(sound.count / 8)])
        } catch {
            return error.reply
        }
    }

    func stopMedia(_ request: Request) throws(NGRefusal) -> Reply {
        var last = 0
        for leg in try chosen(request, needsNames: true) {
            guard let player = leg.player else { continue }
            last = max(last, player.position)
            leg.player = nil
            leg.session.switchSource()
        }
        return .ok(["last-frame-pos": .integer(last)])
    }

    /// The one who is named presses the key: its peer is sent it.
    func playDTMF(_ request: Request) throws(NGRefusal) -> Reply {
        guard let value = request.value("code") ?? request.value("digit"), let code = Self.code(value) else {
            throw NGRefusal("'code' must be a key, or a number up to 15")
        }
        func number(_ key: String, _ fallback: Int64, _ range: ClosedRange<Int64>) -> Int {
            Int(min(range.upperBound, max(range.lowerBound, request.value(key)?.integer ?? fallback)))
        }
        let (duration, pause) = (number("duration", 250, 100...5000), number("pause", 100, 100...5000))
        let volume = UInt8(abs(number("volume", 8, -63...63)))
        for leg in try chosen(request, needsNames: true) {
            guard let peer = leg.peer, peer.session.plan?.canMakeSound ?? false else { continue }
            let isNew = peer.player == nil
            var player = peer.player ?? Player()
            guard player.press(code, milliseconds: duration, pause: pause, volume: volume, asTone: !peer.session.sendsEvents) else {
                throw NGRefusal("too many keys are waiting")
            }
            if isNew { begin(player, on: peer) } else { peer.player = player }
        }
        return .ok()
    }

    private static func code(_ value: Value) -> UInt8? {
        if let text = value.text, text.count == 1, let key = text.first, let code = TelephoneEvent.code(of: key) { return code }
        return value.integer.flatMap { (0...15).contains($0) ? UInt8($0) : nil }
    }

    private func begin(_ player: Player, on leg: Leg) {
        let wasPlaying = leg.player != nil
        leg.player = player
        leg.session.switchSource()
        if !wasPlaying { playNext(leg.insideSSRC, due: loop.now) }
    }

    /// A packet now, and the next one 20 ms after it was due.
    private func playNext(_ name: UInt32, due: Instant) {
        guard let leg = legs[name], leg.player != nil else { return }
        switch leg.player?.next() {
        case .bytes(let bytes):
            packets.removeAll()
            _ = leg.session.insidePacket(bytes.span, from: Self.inPlaceOfRoom, now: loop.now, into: &packets)
            Self.send(&packets, of: leg, now: loop.now, traffic: &traffic, shelf: custody?.shelf)
            if leg.session.hasDeadlines { schedule(leg) }
        case .some(.none): break
        case .over, nil:
            leg.player = nil
            return leg.session.switchSource()
        }
        // What a thread has slept through is not caught up with.
        let next = max(due + .milliseconds(20), loop.now + .milliseconds(1))
        loop.schedule(at: next) { [unowned self] in playNext(name, due: next) }
    }
}
