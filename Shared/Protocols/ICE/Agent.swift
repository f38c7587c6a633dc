public import Addresses
public import Deadlines
internal import STUN

/// An ICE agent for one stream (RFC 8445), with one component or two; full or lite.
///
/// It owns no socket: it is given candidates, descriptions, STUN datagrams and the time, and writes datagrams and events into the
/// caller's outbox. Call `expire` when `deadline` has come; every other member may have moved it. Only datagrams with the right
/// code change anything.
public struct Agent: Sendable {
    var core: Core
    var current: Generation
    /// What was before a restart, until the restart has a path.
    var previous: Generation?

    /// `random` makes transactions and tie-breakers unguessable; `local` is ours (`Credentials.init(random:)`).
    public init(
        _ configuration: Configuration = Configuration(), mode: Mode, role: Role, components: UInt16 = 1, local: Credentials,
        random: (UInt64, UInt64)
    ) {
        core = Core(configuration, mode: mode, role: role, components: components, random: random)
        current = Generation(local: local)
    }

    // MARK: Getters

    public var mode: Mode { core.mode }
    public var role: Role { core.role }
    public var localCredentials: Credentials { current.local }
    public var remoteCredentials: Credentials? { current.remote }
    public var counters: Counters { core.counts }
    /// For our description, in the order they were added.
    public var localCandidates: [Candidate] { core.locals.map(\.candidate) }
    /// Theirs, with those that were discovered.
    public var remoteCandidates: [Candidate] { current.remotes }
    /// A restart has no path yet.
    public var isRestarting: Bool { previous != nil }
    public var isConnected: Bool { current.isConnected || previous?.isConnected ?? false }

    /// Where media of that component goes; nil before a pair was selected and after consent was lost.
    public func path(_ component: Component = .rtp) -> Path? {
        for generation in [current, previous].compactMap(\.self) {
            if let selection = generation.selection(component) { return selection.isLost ? nil : selection.path }
        }
        return nil
    }

    /// The same; until a pair is selected, the last one that was validated: a browser begins its handshake before it nominates
    /// (RFC 8445 §12.1).
    public func provisionalPath(_ component: Component = .rtp) -> Path? {
        let isSettled = current.hasSelection(component) || previous?.hasSelection(component) ?? false
        return isSettled ? path(component) : current.validated.last { $0.component == component }
    }

    /// Whether datagrams from there may be believed to be the other side's: a check of theirs came that way, or one of ours was
    /// answered. What they contain must be authentic all the same.
    public func isValidated(_ source: SocketAddress, on base: SocketAddress) -> Bool {
        for path in current.validated where path.remote == source && path.base == base { return true }
        guard let before = previous?.validated else { return false }
        for path in before where path.remote == source && path.base == base { return true }
        return false
    }

    /// When `expire` wants to be called; nil while there is nothing to wait for.
    public var deadline: Instant? {
        var earliest = current.deadline(core)
        if let selections = previous?.selections {
            for selection in selections { earliest = min(earliest, selection.deadline) }
        }
        return earliest == .distantFuture ? nil : earliest
    }

    // MARK: Events

    /// A datagram that begins like STUN (`Multiplexed`), from the socket of that base.
    public mutating func receive(
        _ datagram: Span<UInt8>, from source: SocketAddress, on base: SocketAddress, now: Instant, into outbox: inout Outbox
    ) {
        guard let component = core.component(of: base) else {
            core.counts.foreign += 1
            return
        }
        let message: Message
        do throws(ParseError) {
            message = try Message(parsing: datagram)
        } catch {
            core.counts.malformed += 1
            return
        }
        guard message.method == Message.binding else {
            core.counts.foreign += 1
            return
        }
        let path = Path(component: component, base: base, remote: source)
        switch message.kind {
        // A keep-alive: it has done its work on the way (RFC 8445 §11).
        case .indication: return
        case .request: receive(request: message, datagram, over: path, now: now, into: &outbox)
        case .success, .failure:
            if !receive(response: message, datagram, over: path, now: now, into: &outbox) { core.counts.unmatched += 1 }
        }
        current.nominate(now: now, core)
        takeOver(into: &outbox)
    }

    private mutating func receive(
        request message: Message, _ datagram: Span<UInt8>, over path: Path, now: Instant, into outbox: inout Outbox
    ) {
        if current.isAddressed(by: message, datagram) {
            current.receive(request: message, datagram, over: path, now: now, &core, into: &outbox)
        } else if let previous, previous.isAddressed(by: message, datagram) {
            self.previous?.receive(request: message, datagram, over: path, now: now, &core, into: &outbox)
        } else {
            let isComplete = message.contains(.username) && message.contains(.messageIntegrity)
            core.refuse(isComplete ? 401 : 400, message, datagram, over: path, now: now, into: &outbox)
        }
    }

    private mutating func receive(
        response message: Message, _ datagram: Span<UInt8>, over path: Path, now: Instant, into outbox: inout Outbox
    ) -> Bool {
        if current.receive(response: message, datagram, over: path, now: now, &core, into: &outbox) { return true }
        return previous?.receive(response: message, datagram, over: path, now: now, &core, into: &outbox) ?? false
    }

    public mutating func expire(now: Instant, into outbox: inout Outbox) {
        previous?.expireSelections(now: now, &core, into: &outbox)
        current.expire(now: now, &core, into: &outbox)
        takeOver(into: &outbox)
    }

    private mutating func takeOver(into outbox: inout Outbox) {
        guard previous != nil, current.isConnected else { return }
        previous = nil
        outbox.events.append(.restarted)
    }
}
