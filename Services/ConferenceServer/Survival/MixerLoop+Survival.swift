import Contracts
import Deadlines
import FoundationEssentials
import JSONCoding
import Succession
import Threads

// What a mixer thread does so that another process can go on with its rooms, and to go on with those of another.
extension MixerLoop {
    /// The rooms of the worker before us, while that one works.
    struct Heirs {
        var rooms: [String: RoomRecord] = [:]
        var seats: [String: SeatRecord] = [:]
    }

    // MARK: While we work

    /// Deposits what has changed: before anything that depends on it can be seen outside.
    func depositChanges() {
        guard let custody, !mixer.changes.isEmpty else { return }
        for change in Set(mixer.takeChanges()) { deposit(change, with: custody) }
    }

    private func deposit(_ change: Mixer.Change, with custody: RoomCustody) {
        let bytes: [UInt8]?
        if let participant = change.participant {
            bytes = mixer.record(of: participant, in: change.room).flatMap { try? JSONText.encode($0) }
        } else {
            bytes = mixer.record(ofRoom: change.room).flatMap { try? JSONText.encode($0) }
        }
        let key = custody.key(change)
        if let bytes { custody.link.keep(.work, key, bytes) } else { custody.link.remove(key) }
    }

    func depositThread() {
        guard let custody else { return }
        RoomInheritance.deposit(custody, inside: outgoing.socket.descriptor)
    }

    /// There is a new keeper, who knows nothing.
    func depositAll() {
        guard let custody else { return }
        depositThread()
        for room in mixer.rooms {
            deposit(Mixer.Change(room: room.identity.id, participant: nil), with: custody)
            for slot in room.seats {
                deposit(Mixer.Change(room: room.identity.id, participant: mixer.seats[slot].settings.participantID), with: custody)
            }
        }
    }

    // MARK: While we stand by

    func learn(_ key: String, _ deposit: KeeperLink.Deposit) {
        let bytes = deposit.bytes
        if key.hasPrefix("room/") {
            heirs.rooms[key] = try? JSONText.decode(RoomRecord.self, from: bytes)
        } else {
            heirs.seats[key] = try? JSONText.decode(SeatRecord.self, from: bytes)
        }
    }

    func unlearn(_ key: String) { (heirs.rooms[key], heirs.seats[key]) = (nil, nil) }

    // MARK: Our turn

    /// Goes on with all rooms where they stood, at once; what has to be rendered for that.
    func takeOver() -> [Rendering.Job] {
        mixer.keepsChanges = custody != nil
        guard let custody, !custody.isForeign else { return [] }
        let inherited = heirs
        heirs = Heirs()
        mixer.restore(Array(inherited.rooms.values), Array(inherited.seats.values), from: custody.shelf)
        guard mixer.seatCount > 0 else { return [] }
        let due = custody.shelf.tick.map { Instant(nanoseconds: $0.due) } ?? loop.now
        goOn(since: due)
        mixer.repeatOrders(into: &outgoing)
        return mixer.unrendered()
    }

    func takeHalted() -> [RoomSnapshot] { mixer.takeHalted() }

    // MARK: Links

    /// What became of an order to relays.
    func linked(_ room: String, number: UInt64, _ result: LinkOrder.Result) {
        mixer.linked(room, number: number, result, into: &outgoing)
        depositChanges()
    }

    // MARK: Rooms of other instances

    /// Goes on with a room of an instance that is gone; what has to be rendered for that.
    func resume(_ snapshot: RoomSnapshot, _ rules: MeetingRules?, at time: Timestamp) -> [Rendering.Job] {
        let plays = mixer.resume(snapshot, rules, at: time)
        var jobs: [Rendering.Job] = []
        for play in plays where (try? mixer.play(play, into: &outgoing)) == true {
            jobs.append(Rendering.Job(room: play.roomID, customer: snapshot.customerID, playID: play.playID, sources: play.sources))
        }
        seatsChanged()
        depositChanges()
        return jobs
    }

    /// The room is another's now.
    func drop(_ room: String) -> [ParticipantSettings] {
        let settings = mixer.drop(room)
        seatsChanged()
        depositChanges()
        return settings
    }
}
