import Bus
import Contracts
import Flow
import ServiceKit

/// The mailboxes of customers: what the API asks of them, and what runs ask.
struct Voicemails: Sendable {
    let store: Store
    let outbox: Outbox
    let runtime: Runtime
    let mailboxes: Mailboxes
    /// Messages in one mailbox.
    let most: Int

    func serve(on bus: Bus) {
        bus.serve(GetVoicemail.self) { command, _ in
            guard let found = try await store.voicemail(command.id, customerID: command.customerID) else { throw Self.missing }
            return found
        }
        bus.serve(ListVoicemails.self) { command, _ in
            let found = try await store.voicemails(
                customerID: command.customerID, after: command.page.cursor, limit: command.page.limit, mailbox: command.mailbox,
                status: command.status?.rawValue)
            return Page(found, limit: command.page.limit, cursor: \.id)
        }
        bus.serve(MarkVoicemail.self) { command, _ in
            guard let marked = try await mark(command.id, customerID: command.customerID, command.status) else { throw Self.missing }
            return marked
        }
        bus.serve(DeleteVoicemail.self) { command, _ in
            guard try await delete(command.id, customerID: command.customerID) else { throw Self.missing }
            return Done()
        }
    }

    private static let missing = RPCError(.notFound, "there is no such voicemail")

    /// What a run asks. All of it may be asked twice.
    func perform(_ request: DepotRequest, customerID: String) async throws -> DepotReply {
        switch request {
        case .deposit(let mailbox, let recordingID, let milliseconds, let callID, let from):
            // Named after the recording, so that putting it there twice makes one message.
            let voicemail = Contracts.Voicemail(
                id: "vm_" + recordingID.drop { $0 != "_" }.dropFirst(), customerID: customerID, mailbox: mailbox, status: .new, callID: callID,
                from: from, recordingID: recordingID, durationMS: milliseconds, createdAt: runtime.timestamp(), readAt: nil)
            let event = try Self.event("voicemail.created", voicemail, id: runtime.newID("evt"), 1, at: voicemail.createdAt)
            switch try await store.deposit(voicemail, most: most, event: event) {
            case .stored: outbox.wake()
            case .wasThere: break
            case .full: return .refused("mailbox_full")
            }
            return .deposited(id: voicemail.id)
        case .open(let mailbox, let limit):
            let found = try await store.mailbox(mailbox, customerID: customerID, limit: limit)
            return .opened(found.map { DepotRequest.Message(id: $0.id, recordingID: $0.recordingID, status: $0.status == .new ? .new : .read) })
        case .unlock(let mailbox, let pin): return try await mailboxes.unlock(mailbox, pin: pin, customerID: customerID)
        case .greeting(let mailbox): return try await mailboxes.greeting(mailbox, customerID: customerID)
        case .mark(let id, let status):
            _ = try await mark(id, customerID: customerID, status == .new ? .new : .read)
            return .done
        case .park(let lot, let slot, let first, let last, let callID, let timeout):
            let given = try await store.park(
                callID, customerID: customerID, lot: lot, slot: slot, first: first, last: last, timeout: timeout)
            return given.map { .parked(slot: $0) } ?? .refused(slot == nil ? "lot_full" : "slot_taken")
        case .unpark(let callID):
            try await store.unpark(callID, customerID: customerID)
            return .done
        case .retrieve(let lot, let slot, let by):
            return try await store.take(lot: lot, slot: slot, by: by, customerID: customerID).map { .found(callID: $0) } ?? .refused("not_found")
        case .call: return .refused("not_performed_here")
        case .delete(let id):
            _ = try await delete(id, customerID: customerID)
            return .done
        }
    }

    private func mark(_ id: String, customerID: String, _ status: Contracts.Voicemail.Status) async throws -> Contracts.Voicemail? {
        let (time, eventID) = (runtime.timestamp(), runtime.newID("evt"))
        let marked = try await store.mark(id, customerID: customerID, status, at: time) { voicemail, version in
            try Self.event("voicemail.updated", voicemail, id: eventID, version, at: time)
        }
        outbox.wake()
        return marked
    }

    private func delete(_ id: String, customerID: String) async throws -> Bool {
        let (time, eventID) = (runtime.timestamp(), runtime.newID("evt"))
        let deleted = try await store.deleteVoicemail(id, customerID: customerID) { voicemail, version in
            try Self.event("voicemail.deleted", voicemail, id: eventID, version, at: time)
        }
        guard let deleted else { return false }
        outbox.wake()
        do {
            _ = try await runtime.bus.call(
                DeleteRecording(customerID: customerID, id: deleted.recordingID), context: CallContext(customer: customerID))
        } catch where error.code == .notFound {
            // It was deleted before, or never stored.
        } catch {
            // The message is gone all the same; its sound goes with the others of its age (TANDEM_RECORDING_DAYS).
            runtime.logger.notice(
                "the recording of a deleted voicemail stays", metadata: ["recording": "\(deleted.recordingID)", "error": "\(error)"])
        }
        return true
    }

    private static func event(_ type: String, _ voicemail: Contracts.Voicemail, id: String, _ version: Int, at time: Timestamp) throws -> Event {
        Event(
            id: id, type: type, timestamp: time, customerID: voicemail.customerID, resourceID: voicemail.id, sequence: Int64(version),
            data: try JSONValue(encoding: voicemail))
    }
}
