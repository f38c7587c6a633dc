import Audio
import Contracts

// What conferences say and play by themselves: prompts to one ear, names to all inside, music to those who wait. It is made away from
// the mixer, and nobody waits for it.
extension Mixer {
    /// To one who comes in; a tone where there is no voice.
    mutating func say(_ saying: Saying, to slot: Int) {
        let room = seats[slot].room
        guard let rules = rooms[room].meeting?.rules else { return }
        let own = saying.sound(of: rules.policy.prompts)
        guard rules.voice != nil || own != nil else {
            if let chime = saying.chime.instead, saying != .waiting { seats[slot].chime.start(chime) }
            return
        }
        let number = order(choices(saying, own, name: nil, rules), room: room, participant: seats[slot].settings.participantID)
        seats[slot].spoken.ask(saying, number: number, at: tickNumber)
    }

    /// To all inside, if anybody else is there: the name of one who has come, or goes.
    mutating func announce(_ slot: Int, _ saying: Saying) {
        let room = seats[slot].room
        guard var meeting = rooms[room].meeting, meeting.rules.policy.announce == .name,
            rooms[room].seats.contains(where: { $0 != slot && seats[$0].attendance.presence != .entering && !seats[$0].isOutsider })
        else { return }
        defer { rooms[room].meeting = meeting }
        // Many at once are one tone.
        guard let voice = meeting.rules.voice, meeting.spoken.count < voice.names else {
            if let chime = saying.chime.instead { meeting.chime.start(chime) }
            return
        }
        let settings = seats[slot].settings
        let name = SpokenName.text(name: settings.name, number: settings.number)
        let number = order(choices(saying, nil, name: name, meeting.rules), room: room, participant: nil)
        meeting.spoken.ask(saying, number: number, at: tickNumber)
    }

    private func choices(_ saying: Saying, _ own: String?, name: String?, _ rules: MeetingRules) -> [PlaySource] {
        var choices: [PlaySource] = own.map { [.url($0)] } ?? []
        if let voice = rules.voice {
            let phrases = Phrases(rules.policy.language ?? voice.language)
            choices.append(.speech(text: phrases.sentence(saying, name: name), language: phrases.language))
        }
        return choices
    }

    private mutating func order(_ choices: [PlaySource], room: Int, participant: String?) -> UInt64 {
        lastSpokenNumber += 1
        let identity = rooms[room].identity
        spokenOrders.append(
            SpokenOrder(
                room: identity.id, customer: identity.customerID, participant: participant, number: lastSpokenNumber, choices: choices))
        return lastSpokenNumber
    }

    mutating func takeSpokenOrders() -> [SpokenOrder] { exchange(&spokenOrders, with: []) }

    /// What was made for an order; nil: nothing could be.
    mutating func spoken(_ order: SpokenOrder, _ samples: [Int16]?) {
        guard let room = roomIndex[order.room] else { return }
        if let participant = order.participant {
            if let slot = slot(of: participant, in: order.room) { _ = seats[slot].spoken.take(order.number, samples) }
        } else if rooms[room].meeting?.spoken.take(order.number, samples) != true {
            rooms[room].music.take(order.number, samples, at: tickNumber)
        }
    }

    // MARK: Time

    /// Who waits, and who is alone, hears music where the conference has it.
    mutating func lookAtMusic(of room: Int, _ meeting: Meeting) {
        let hasMusic = meeting.rules.policy.musicOnHold
        let isAlone = hasMusic && rooms[room].seats.count(where: { seats[$0].isInside && !seats[$0].isOutsider }) == 1
        var (wasHeard, isHeard) = (false, false)
        for slot in rooms[room].seats {
            let waits = seats[slot].attendance.presence == .waiting || isAlone && seats[slot].isInside
            if seats[slot].hearsMusic { wasHeard = true }
            seats[slot].hearsMusic = hasMusic && waits && !seats[slot].isOutsider
            if seats[slot].hearsMusic { isHeard = true }
        }
        guard isHeard else { return }
        if !wasHeard { rooms[room].music.begin(at: tickNumber) }
        if rooms[room].music.isWanted(at: tickNumber) {
            let number = order([.music], room: room, participant: nil)
            rooms[room].music.ask(number)
        }
    }

    /// Adds a name that is announced to what all hear; true when there is one.
    mutating func sayToAll(_ room: Int, over hasSound: Bool) -> Bool {
        guard rooms[room].meeting?.spoken.isEmpty == false else { return false }
        guard let said = rooms[room].meeting?.spoken.next(into: &roomSound, over: hasSound, at: tickNumber) else { return false }
        if let chime = said.chime { rooms[room].meeting?.chime.start(chime) }
        return said.isSound
    }

    /// Adds a prompt to what one ear hears, or music when that would be nothing.
    mutating func sayTo(_ slot: Int, over hasSound: Bool, inRoomSound hasRoomSound: Bool) -> Bool {
        if !seats[slot].spoken.isEmpty {
            let said = seats[slot].spoken.next(into: &earSound, over: hasSound, at: tickNumber)
            if let chime = said.chime { seats[slot].chime.start(chime) }
            if said.isSound { return true }
        }
        guard seats[slot].hearsMusic, !hasSound, seats[slot].spoken.isEmpty else { return false }
        if hasRoomSound, seats[slot].isInside { return false }
        return rooms[seats[slot].room].music.next(into: &earSound, at: tickNumber)
    }

    /// Over what is in `frame`, if that is sound.
    static func add(_ sound: Span<Int16>, to frame: inout [Int16], over hasSound: Bool) {
        var output = frame.mutableSpan
        for index in output.indices {
            let own = index < sound.count ? Int32(sound[index]) : 0
            let other = hasSound ? Int32(output[index]) : 0
            output[index] = Int16(max(-32768, min(32767, own + other)))
        }
    }
}
