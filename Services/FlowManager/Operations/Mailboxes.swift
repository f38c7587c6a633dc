import Bus
import Contracts
import Flow
import ServiceKit

/// What customers lay down for their mailboxes, and what flows ask of it.
struct Mailboxes: Sendable {
    typealias Terms = MailboxDoor.Terms

    let store: Store
    let outbox: Outbox
    let runtime: Runtime
    let terms: Terms

    func serve(on bus: Bus) {
        bus.serve(CreateMailbox.self) { command, delivery in try await create(command, delivery) }
        bus.serve(GetMailbox.self) { command, _ in
            guard let found = try await store.mailbox(id: command.id, customerID: command.customerID) else { throw Self.missing }
            return found
        }
        bus.serve(ListMailboxes.self) { command, _ in
            let found = try await store.mailboxes(
                customerID: command.customerID, after: command.page.cursor, limit: command.page.limit, name: command.name)
            return Page(found, limit: command.page.limit, cursor: \.id)
        }
        bus.serve(UpdateMailbox.self) { command, _ in try await update(command) }
        bus.serve(DeleteMailbox.self) { command, _ in try await delete(command) }
    }

    private static let missing = RPCError(.notFound, "there is no such mailbox")

    private func create(_ command: CreateMailbox, _ delivery: Delivery) async throws -> Mailbox {
        let (time, rules) = (runtime.timestamp(), command.rules)
        let mailbox = Mailbox(
            id: runtime.newID("mbox"), customerID: command.customerID, name: command.name, hasPIN: rules.pin?.isEmpty == false,
            greetingText: rules.greetingText.flatMap { $0.isEmpty ? nil : $0 }, greetingURLs: rules.greetingURLs ?? [],
            maxMessages: rules.maxMessages.flatMap { $0 > 0 ? $0 : nil }, createdAt: time, updatedAt: time)
        let event = try Self.event("mailbox.created", mailbox, id: runtime.newID("evt"), 1, at: time)
        let stored = try await store.create(
            mailbox, pinHash: rules.pin.flatMap { $0.isEmpty ? nil : hash($0) }, idempotencyKey: delivery.idempotencyKey ?? delivery.messageID,
            event: event)
        guard let stored else {
            throw RPCError(
                .conflict, "there is a mailbox of that name", problems: [Contracts.Problem(pointer: "/name", code: "taken", detail: "there is a mailbox of that name")])
        }
        outbox.wake()
        return stored
    }

    private func update(_ command: UpdateMailbox) async throws -> Mailbox {
        let (time, eventID) = (runtime.timestamp(), runtime.newID("evt"))
        let changed = try await store.change(
            mailbox: command.id, customerID: command.customerID, command.rules, pinHash: command.rules.pin.map { $0.isEmpty ? "" : hash($0) }, at: time
        ) { mailbox, version in try Self.event("mailbox.updated", mailbox, id: eventID, version, at: time) }
        guard let changed else { throw Self.missing }
        outbox.wake()
        return changed
    }

    private func delete(_ command: DeleteMailbox) async throws -> Done {
        let (time, eventID) = (runtime.timestamp(), runtime.newID("evt"))
        let isDeleted = try await store.delete(mailbox: command.id, customerID: command.customerID) { mailbox, version in
            try Self.event("mailbox.deleted", mailbox, id: eventID, version, at: time)
        }
        guard isDeleted else { throw Self.missing }
        outbox.wake()
        return Done()
    }

    private func hash(_ pin: String) -> String {
        MailboxDoor(store: store, terms: terms).hash(pin)
    }

    private static func event(_ type: String, _ mailbox: Mailbox, id: String, _ version: Int, at time: Timestamp) throws -> Event {
        Event(
            id: id, type: type, timestamp: time, customerID: mailbox.customerID, resourceID: mailbox.id, sequence: Int64(version),
            data: try JSONValue(encoding: mailbox))
    }

    // MARK: For flows

    func unlock(_ name: String, pin: String?, customerID: String) async throws -> DepotReply {
        try await MailboxDoor(store: store, terms: terms).unlock(name, pin: pin, customerID: customerID)
    }

    func greeting(_ name: String, customerID: String) async throws -> DepotReply {
        guard let found = try await store.greeting(ofMailbox: name, customerID: customerID) else { return .done }
        return .greeting(text: found.text, urls: found.urls)
    }
}
