import Bus
import Contracts
import Threads

// Who is in a conference. Any instance may be asked; the one that hosts the room answers.
extension Wiring {
    func listParticipants(_ command: ListParticipants, _ delivery: Delivery) async throws -> Page<Participant> {
        let room = Self.room(of: command.conferenceID)
        if let snapshot = await hosted(room, customer: command.customerID) {
            return Page(data: snapshot.participants)
        }
        _ = try await conference(command.customerID, command.conferenceID)
        guard let host = try await otherHost(room) else { return Page(data: []) }
        return try await bus.call(command, to: .instance(host), context: delivery.context(now: MonotonicClock.now()))
    }

    func updateParticipant(_ command: UpdateParticipant, _ delivery: Delivery) async throws -> Participant {
        let room = Self.room(of: command.conferenceID)
        guard await hosted(room, customer: command.customerID) != nil else {
            return try await ask(
                command, hostOf: room, customer: command.customerID, conference: command.conferenceID, delivery)
        }
        let role = command.role.flatMap(Role.init(named:))
        guard role != nil || command.role == nil else {
            throw RPCError(
                .invalid, "a role that does not exist",
                problems: [Problem(pointer: "/role", code: "unknown", detail: "a role is guest, member or moderator")])
        }
        let loop = loops.loop(of: room)
        let change = Moderation(
            muted: command.muted, deaf: command.deaf, handRaised: command.handRaised, role: role, direction: command.direction)
        try await loop.moderate(command.participantID, room: room, change)
        await snapshots.keep(room)
        guard let participant = await loop.snapshot(of: room)?.participant(command.participantID) else {
            throw RPCError(.notFound, "no such participant")
        }
        return participant
    }

    func removeParticipant(_ command: RemoveParticipant, _ delivery: Delivery) async throws -> Done {
        let room = Self.room(of: command.conferenceID)
        guard await hosted(room, customer: command.customerID) != nil else {
            return try await ask(
                command, hostOf: room, customer: command.customerID, conference: command.conferenceID, delivery)
        }
        guard let departure = try await loops.loop(of: room).leave(room: room, participant: command.participantID) else {
            throw RPCError(.notFound, "no such participant")
        }
        let settings = departure.member.settings
        // A stream has no owner: it hears of it by its line.
        if !settings.owner.isEmpty {
            bus.tell(ParticipantRemoved(callID: settings.callID, roomID: room), to: .instance(settings.owner))
        }
        record(departure)
        return Done()
    }

    /// Mutes, locks, ends.
    func controlConference(_ command: ControlConference, _ delivery: Delivery) async throws -> Done {
        let room = Self.room(of: command.conferenceID)
        guard await hosted(room, customer: command.customerID) != nil else {
            return try await ask(
                command, hostOf: room, customer: command.customerID, conference: command.conferenceID, delivery)
        }
        var rules: MeetingRules?
        if command.action == .refresh { rules = meetingRules(of: try await conference(command.customerID, command.conferenceID)) }
        guard await loops.loop(of: room).control(command.action, room: room, rules) else {
            throw RPCError(.notFound, "nobody is in this conference")
        }
        await snapshots.keep(room)
        return Done()
    }

    /// The conference itself has changed already: a room that cannot be told is no failure of that.
    func tellRoom(_ action: ControlConference.Action, of conference: String, customer: String, _ delivery: Delivery) async {
        let command = ControlConference(customerID: customer, conferenceID: conference, action: action)
        do { _ = try await controlConference(command, delivery) } catch let error as RPCError where error.code == .notFound {
            return
        } catch {
            runtime.logger.warning(
                "a conference's room could not be told: \(error)",
                metadata: ["conference": "\(conference)", "action": "\(action)"])
        }
    }

    // Inlined into `removeParticipant`, this crashes the optimiser of Swift 6.3.1 (LLVM's coroutine splitting, -O only).
    @inline(never)
    func ask<C: Command>(
        _ command: C, hostOf room: String, customer: String, conference id: String, _ delivery: Delivery
    ) async throws -> C.Reply {
        guard let host = try await otherHost(room) else { throw RPCError(.notFound, "nobody is in this conference") }
        return try await bus.call(command, to: .instance(host), context: delivery.context(now: MonotonicClock.now()))
    }

    /// The room when it is here and the customer's.
    func hosted(_ room: String, customer: String) async -> RoomSnapshot? {
        guard let snapshot = await loops.loop(of: room).snapshot(of: room), snapshot.customerID == customer else {
            return nil
        }
        return snapshot
    }

    /// Another living instance that hosts the room.
    private func otherHost(_ room: String) async throws -> String? {
        guard let host = try await snapshots.host(of: room), host != runtime.instance,
            runtime.fleet.isAlive(.conferenceServer, instance: host)
        else { return nil }
        return host
    }
}
