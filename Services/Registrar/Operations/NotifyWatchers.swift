import Bus
import Contracts
import Logging
import SIP
import ServiceKit
import Synchronization
import Telemetry

/// Sends the NOTIFYs that are due (RFC 6665 §4.2.2), from every instance, each watcher's by one at a time.
///
/// What is due stands in the database. Whoever made it due looks at once, all others every second, so a change that was committed
/// by an instance that died is told by another.
final class NotifyWatchers: Sendable {
    private static let sent = Counter("tandem_registrar_notifies_total", "NOTIFYs to those who watch registrations and dialogs that were begun.")
    private static let failed = Counter("tandem_registrar_notify_failures_total", "NOTIFYs that nobody accepted.")
    private static let poll = Duration.seconds(1)
    private static let batch = 50
    /// NOTIFYs under way; more wait in the database.
    private static let limit = 500
    /// In seconds; renewed every poll while the NOTIFY is under way, which may be half a minute (timer F).
    private static let claim = 5
    private static let retry = 30
    /// In seconds: so long after the end of a subscription its dialogs are still watched, for the last NOTIFY or a renewal.
    private static let watchMargin: Int64 = 60

    private let store: Store
    private let server: any RequestSending
    private let dialogs: RegistrarSettings.DialogTerms
    private let runtime: Runtime
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation
    /// Watchers whose NOTIFY is under way, with its number: the next one may be claimed before this one is put away.
    private let claimed = Mutex([String: Int64]())
    private let isStopping = Atomic<Bool>(false)

    init(store: Store, server: any RequestSending, dialogs: RegistrarSettings.DialogTerms, runtime: Runtime) {
        (self.store, self.server, self.dialogs, self.runtime) = (store, server, dialogs, runtime)
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Something may be due.
    func wake() { ring.yield() }

    /// Begins no more.
    func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { [ring] in
                while !Task.isCancelled {
                    ring.yield()
                    await self.renewClaims()
                    try? await Task.sleep(for: Self.poll)
                }
                ring.finish()
            }
            for await _ in bell {
                do {
                    while try await claimSome(&group) == Self.batch {}
                } catch { runtime.logger.debug("watchers wait for now: \(error)") }
            }
        }
    }

    private func renewClaims() async {
        let ids = claimed.withLock { Array($0.keys) }
        guard !ids.isEmpty else { return }
        do { try await store.renewClaims(ids, seconds: Self.claim) } catch {
            runtime.logger.debug("claims on watchers may pass to another instance: \(error)")
        }
    }

    private func claimSome(_ group: inout DiscardingTaskGroup) async throws -> Int {
        let free = min(Self.batch, Self.limit - claimed.withLock { $0.count })
        guard free > 0, !isStopping.load(ordering: .relaxed) else { return 0 }
        let watchers = try await store.claimWatchers(now: runtime.timestamp().milliseconds, limit: free, seconds: Self.claim)
        for watcher in watchers {
            claimed.withLock { $0[watcher.id] = watcher.notified }
            group.addTask {
                guard await self.notify(watcher) else { return }
                // It may have changed while the NOTIFY was on its way.
                let pause = self.pause(of: watcher)
                if pause > .zero { try? await Task.sleep(for: pause) }
                self.wake()
            }
        }
        return watchers.count
    }

    private func pause(of watcher: Watcher) -> Duration { watcher.package == .dialog ? dialogs.pause : .zero }

    /// Whether the watcher has been told and is one still.
    private func notify(_ watcher: Watcher) async -> Bool {
        defer {
            claimed.withLock { claimed in
                if claimed[watcher.id] == watcher.notified { claimed[watcher.id] = nil }
            }
        }
        do {
            let document = try await document(for: watcher)
            let now = runtime.timestamp().milliseconds
            let request = watcher.notification(document, contact: server.contact, now: now)
            Self.sent.add()
            guard let status = await server.send(request) else {
                try await store.release(watcher, after: 0)
                return false
            }
            let verdict = Watcher.verdict(status)
            if verdict != .told { Self.failed.add() }
            switch verdict {
            case _ where watcher.isOver(now: now), .end: try await store.remove(watcher)
            case .told:
                try await store.told(watcher, pause: pause(of: watcher))
                return true
            case .tryLater: try await store.release(watcher, after: Self.retry)
            }
        } catch { runtime.logger.debug("a watcher is told later: \(error)") }
        return false
    }

    /// The state as it is now.
    private func document(for watcher: Watcher) async throws -> String {
        switch watcher.ended {
        case .contacts(let ended):
            let set = try await store.registration(customer: watcher.customerID, number: watcher.number)
            // A number that was deleted and made again is another extension.
            let bindings = set?.extensionID == watcher.extensionID ? set?.set : nil
            let now = runtime.timestamp().milliseconds
            return RegistrationInformation(
                number: watcher.number, domain: watcher.domain, extensionID: watcher.extensionID, version: watcher.version,
                bindings: bindings?.reachable(now: now), ended: ended
            ).xml(now: now)
        case .dialogs(let ended):
            let until = max(watcher.expiresAt, runtime.timestamp().milliseconds) + Self.watchMargin * 1_000
            let command = ListDialogs(
                customerID: watcher.customerID, number: watcher.number, watchedUntil: Timestamp(milliseconds: until), limit: dialogs.limit)
            // An extension that is no more has no dialogs to tell of.
            let current = watcher.ending == nil
                ? try await runtime.bus.call(command, context: CallContext(customer: watcher.customerID)).dialogs : []
            return DialogInformation(
                number: watcher.number, domain: watcher.domain, version: watcher.version, dialogs: current, ended: ended,
                showsNames: dialogs.showsNames(to: watcher)
            ).xml(now: runtime.timestamp().milliseconds)
        }
    }
}
