import Contracts
import Database
import FoundationEssentials
import JSONCoding
import SIP

/// Subscriptions to registrations and dialogs. Any instance serves any of them; the row is what they share.
extension Store {
    enum SubscribeOutcome: Sendable {
        /// Our tag, which the first instance that saw the request has drawn.
        case granted(localTag: String)
        case noSuchExtension
        case tooMany
    }

    private static let mostEnded = 50
    private static let columns = """
        id, customer_id, extension_id, number, domain, dialog, event_id, (extract(epoch from expires_at) * 1000)::bigint as expires_at,
        ending, notified, changes, ended, package, watcher_number
        """

    /// Begins a subscription; its first NOTIFY is due at once. The same request that comes again changes nothing.
    func subscribe(
        _ resource: SubscribeRequest.Resource, _ request: SubscribeRequest, dialog: Dialog, id: String, expiresAt: Int64, limit: Int
    ) async throws -> SubscribeOutcome {
        try await transaction(.relaxed) { connection in
            let owners = try connection.query(
                "select id from registrar.extensions where customer_id = $1 and number = $2 for share",
                [.text(resource.customer), .text(resource.number)])
            guard let extensionID = try owners.first?.text("id") else { return .noSuchExtension }
            let same = try connection.query(
                "select local_tag from registrar.watchers where call_id = $1 and remote_tag = $2 and customer_id = $3",
                [.text(request.callID), .text(request.remoteTag), .text(resource.customer)])
            if let tag = try same.first?.text("local_tag") { return .granted(localTag: tag) }
            let count = try connection.query(
                "select count(*) as count from registrar.watchers where extension_id = $1 and package = $2",
                [.text(extensionID), .text(request.package.rawValue)])
            guard try (count.first?.int("count") ?? 0) < limit else { return .tooMany }
            try connection.change(
                """
                insert into registrar.watchers (id, customer_id, extension_id, number, domain, dialog, call_id, local_tag, remote_tag,
                    event_id, expires_at, package, watcher_number)
                values ($1, $2, $3, $4, $5, $6::json, $7, $8, $9, $10, to_timestamp($11), $12, $13)
                """,
                [
                    .text(id), .text(resource.customer), .text(extensionID), .text(resource.number), .text(resource.domain),
                    .text(try Self.json(dialog)), .text(request.callID), .text(dialog.localTag), .text(request.remoteTag),
                    .optional(request.eventID), Timestamp(milliseconds: expiresAt).parameter, .text(request.package.rawValue),
                    .text(resource.watcher),
                ])
            return .granted(localTag: dialog.localTag)
        }
    }

    /// A request inside the dialog of a subscription: `change` takes it, and what it throws leaves all as it was. False: there is
    /// no such subscription.
    func resubscribe(
        _ request: SubscribeRequest, localTag: String, expiresAt: Int64, _ change: @escaping @Sendable (inout Dialog) throws -> Void
    ) async throws -> Bool {
        try await transaction(.relaxed) { connection in
            let rows = try connection.query(
                """
                select id, dialog from registrar.watchers
                where call_id = $1 and remote_tag = $2 and local_tag = $3 and package = $4 and expires_at > now() and ending is null for update
                """, [.text(request.callID), .text(request.remoteTag), .text(localTag), .text(request.package.rawValue)])
            guard let row = rows.first else { return false }
            var dialog = try JSONText.decode(Dialog.self, from: Array(try row.text("dialog").utf8))
            try change(&dialog)
            // Every SUBSCRIBE is followed by a NOTIFY (RFC 6665 §4.2.1.2).
            try connection.change(
                """
                update registrar.watchers set dialog = $2::json, expires_at = to_timestamp($3), changes = changes + 1, quiet_until = '-infinity'
                where id = $1
                """, [.text(try row.text("id")), .text(try Self.json(dialog)), Timestamp(milliseconds: expiresAt).parameter])
            return true
        }
    }

    /// Inside the transaction of a change of bindings: their watchers are to be told.
    static func noteChange(_ change: BindingSet.Change, of extensionID: String, on connection: Connection) throws {
        guard !change.created.isEmpty || !change.removed.isEmpty || !change.expired.isEmpty else { return }
        let ended = change.expired.map { EndedContact(binding: $0, event: .expired) }
            + change.removed.map { EndedContact(binding: $0, event: change.isDeactivation ? .deactivated : .unregistered) }
        try connection.change(
            """
            update registrar.watchers set changes = changes + 1, ended = case
                when jsonb_array_length(ended) < \(mostEnded) then ended || $2::jsonb else ended end
                where extension_id = $1 and package = 'reg'
            """, [.text(extensionID), .text(try json(ended))])
    }

    /// Dialogs have changed, as `dialog.changed` says: their watchers are to be told.
    func noteDialog(_ change: DialogChanged, customer: String) async throws {
        let ended = change.dialog.state == .terminated ? [change.dialog] : []
        _ = try await transaction(.relaxed) { connection in
            try connection.change(
                """
                update registrar.watchers set changes = changes + 1, ended = case
                    when jsonb_array_length(ended) < \(Self.mostEnded) then ended || $3::jsonb else ended end
                where customer_id = $1 and number = $2 and package = 'dialog'
                """, [.text(customer), .text(change.number), .text(try Self.json(ended))])
        }
    }

    /// Inside the transaction that deletes an extension: its watchers are told that it is no more.
    static func endWatching(of extensionID: String, on connection: Connection) throws {
        try connection.change(
            "update registrar.watchers set changes = changes + 1, ending = 'noresource' where extension_id = $1", [.text(extensionID)])
    }

    /// Subscriptions that have something to tell or have ended, taken for `seconds`: no other instance sends their NOTIFY while the
    /// claim is renewed, and one does soon after this one has died. Whoever lost its claim changes the row no more: its `notified`
    /// is another's then.
    func claimWatchers(now: Int64, limit: Int, seconds: Int) async throws -> [Watcher] {
        try await transaction(.relaxed) { connection in
            try connection.query(
                """
                update registrar.watchers set claimed_until = now() + $2 * interval '1 second', notified = notified + 1, quiet_until = now()
                where id in (
                    select id from registrar.watchers
                    where (changes > told and quiet_until <= now() or expires_at <= to_timestamp($3)) and claimed_until < now()
                    order by claimed_until limit $1 for update skip locked)
                returning \(Self.columns)
                """, [.int(limit), .int(seconds), Timestamp(milliseconds: now).parameter]
            ).map(Self.watcher)
        }
    }

    /// Keeps what was claimed while its NOTIFY is on the way.
    func renewClaims(_ ids: [String], seconds: Int) async throws {
        _ = try await transaction(.relaxed) { connection in
            try connection.change(
                """
                update registrar.watchers set claimed_until = now() + $2 * interval '1 second'
                where id = any($1) and claimed_until > now()
                """, [.texts(ids), .int(seconds)])
        }
    }

    /// The NOTIFY was accepted; what changed since it was made is still to be told, after `pause`.
    func told(_ watcher: Watcher, pause: Duration) async throws {
        _ = try await transaction(.relaxed) { connection in
            try connection.change(
                """
                update registrar.watchers set told = $2, claimed_until = '-infinity',
                quiet_until = case when quiet_until = '-infinity' then quiet_until else now() + $5 * interval '1 millisecond' end, ended = coalesce(
                    (select jsonb_agg(each order by position) from jsonb_array_elements(ended) with ordinality as e (each, position)
                    where position > $3), '[]') where id = $1 and notified = $4
                """,
                [.text(watcher.id), .int(watcher.changes), .int(watcher.ended.count), .int(watcher.notified), .double(pause / .milliseconds(1))])
        }
    }

    /// Leaves the NOTIFY to whoever comes after this many seconds.
    func release(_ watcher: Watcher, after seconds: Int) async throws {
        _ = try await transaction(.relaxed) { connection in
            try connection.change(
                """
                update registrar.watchers set claimed_until = now() + $2 * interval '1 second' where id = $1 and notified = $3
                """, [.text(watcher.id), .int(seconds), .int(watcher.notified)])
        }
    }

    func remove(_ watcher: Watcher) async throws {
        _ = try await transaction(.relaxed) { connection in
            try connection.change("delete from registrar.watchers where id = $1 and notified = $2", [.text(watcher.id), .int(watcher.notified)])
        }
    }

    private static func watcher(_ row: Row) throws -> Watcher {
        let ended = Array(try row.text("ended").utf8)
        return Watcher(
            id: try row.text("id"), customerID: try row.text("customer_id"), extensionID: try row.text("extension_id"),
            number: try row.text("number"), domain: try row.text("domain"),
            dialog: try JSONText.decode(Dialog.self, from: Array(try row.text("dialog").utf8)),
            eventID: try row.optionalText("event_id"), expiresAt: try row.int("expires_at"), ending: try row.optionalText("ending"),
            notified: try row.int("notified"), changes: try row.int("changes"),
            ended: EventPackage(rawValue: try row.text("package")) == .dialog
                ? .dialogs(try JSONText.decode([PhoneDialog].self, from: ended)) : .contacts(try JSONText.decode([EndedContact].self, from: ended)),
            watcherNumber: try row.text("watcher_number"))
    }

    private static func json(_ value: some Encodable) throws -> String {
        String(decoding: try JSONText.encode(value), as: UTF8.self)
    }
}
