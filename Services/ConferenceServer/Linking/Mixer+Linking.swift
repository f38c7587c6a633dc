import Contracts

// Two who need nothing from the mixer are linked by their relays, and are back in it as soon as they need something.
extension Mixer {
    /// Looks at every room, each tick: who is straight goes back at once, who could be waits a little.
    mutating func lookAtLinks<Out: Outgoing & ~Copyable>(into outgoing: inout Out) {
        guard linksPairs else { return }
        for room in rooms.indices { lookAtLink(room, into: &outgoing) }
    }

    private mutating func lookAtLink<Out: Outgoing & ~Copyable>(_ room: Int, into outgoing: inout Out) {
        var link = rooms[room].link
        switch link.state {
        case .asked, .returning: return
        case .mixed:
            guard rooms[room].seats.count == 2, !needsMixer(room), isHeardOfAll(room) else {
                if link.idleTicks > 0 { rooms[room].link.idleTicks = 0 }
                if link.idleTicks < 0 { rooms[room].link.idleTicks += 1 }
                return
            }
            link.idleTicks += 1
            guard link.idleTicks > RoomLink.patience else { return rooms[room].link = link }
            (link.state, link.number) = (.asked, link.number + 1)
        case .straight:
            guard needsMixer(room) else { return }
            (link.state, link.number, link.idleTicks) = (.returning, link.number + 1, 0)
            for slot in rooms[room].seats { seats[slot].jitter.startAtOnce() }
        }
        rooms[room].link = link
        touch(room: room)
        outgoing.report(.link(order(room)))
    }

    /// The relay of a seat was told to speak to the room by its call, or there is another pair: somebody may come and somebody go within
    /// one tick, and two sit there as before.
    mutating func disturb(_ room: Int) {
        if rooms[room].link.state != .mixed { rooms[room].link.isDisturbed = true }
    }

    /// Whether anything but the voice of the other is heard or asked for: whatever makes or takes sound in rooms belongs here.
    private func needsMixer(_ room: Int) -> Bool {
        // Each looked at where it lies: this is asked of every pair, every tick.
        guard !rooms[room].link.isDisturbed, rooms[room].seats.count == 2, rooms[room].meeting == nil, rooms[room].plays.isEmpty,
            rooms[room].taps.isEmpty, !rooms[room].needsMixer
        else { return true }
        return rooms[room].seats.contains { slot in
            seats[slot].settings.relay == nil || seats[slot].settings.session == nil || seats[slot].settings.muted
                || seats[slot].settings.deaf || seats[slot].settings.echo || !seats[slot].plays.isEmpty || !seats[slot].digits.isIdle || !seats[slot].isInside
                || seats[slot].ear != nil
        }
    }

    /// Before a relay has spoken to the room, its call's command to do so may still be on its way, and would undo ours.
    private func isHeardOfAll(_ room: Int) -> Bool { rooms[room].seats.allSatisfy { seats[$0].isHeard } }

    /// To the relays of all who sit there.
    private func order(_ room: Int) -> LinkOrder {
        let (slots, link) = (rooms[room].seats, rooms[room].link)
        let ends = slots.compactMap { slot -> LinkOrder.End? in
            let settings = seats[slot].settings
            guard let relay = settings.relay, let session = settings.session else { return nil }
            let peer = slots.first { $0 != slot }.map { seats[$0].settings }
            let other = peer?.inside
            return LinkOrder.End(
                relay: relay, session: session, epoch: settings.epoch, customerID: rooms[room].identity.customerID, ssrc: seats[slot].ssrc,
                other: other?.address ?? "", otherSSRC: other?.ssrc ?? 0,
                otherSession: peer?.relay == relay ? peer?.session : nil)
        }
        return LinkOrder(room: rooms[room].identity.id, number: link.number, isStraight: link.state == .asked, ends: ends)
    }

    /// What became of an order.
    mutating func linked<Out: Outgoing & ~Copyable>(_ id: String, number: UInt64, _ result: LinkOrder.Result, into outgoing: inout Out) {
        guard let room = roomIndex[id], rooms[room].link.number == number else { return }
        var link = rooms[room].link
        switch link.state {
        case .asked where result == .done: link.state = .straight
        case .asked:
            // One of the two may have done it.
            (link.state, link.number, link.idleTicks) = (.returning, link.number + 1, -RoomLink.reluctance)
            rooms[room].link = link
            outgoing.report(.link(order(room)))
        case .returning where result == .stale && (link.staleOrders ?? 0) < RoomLink.mostStaleOrders:
            (link.number, link.staleOrders) = (link.number + 1, (link.staleOrders ?? 0) + 1)
            rooms[room].link = link
            outgoing.report(.link(order(room)))
        case .returning:
            link.staleOrders = nil
            (link.state, link.isDisturbed) = (.mixed, false)
            // Nobody spoke to us, and nobody was silent.
            for slot in rooms[room].seats { seats[slot].heardAt = tickNumber }
        case .mixed, .straight: return
        }
        rooms[room].link = link
        touch(room: room)
    }

    /// Whoever takes a room over does not know what of an order was done: it is given again.
    mutating func repeatOrders<Out: Outgoing & ~Copyable>(into outgoing: inout Out) {
        for room in rooms.indices where rooms[room].link.state == .asked || rooms[room].link.state == .returning {
            rooms[room].link.number += 1
            outgoing.report(.link(order(room)))
        }
    }

    /// A tick of two who hear each other without us: time passes.
    mutating func passStraight(_ room: Int) {
        for slot in rooms[room].seats {
            seats[slot].jitter.pass(frames: 1)
            seats[slot].isSpeaking = false
            seats[slot].advance(samples: 160)
        }
    }
}
