public import Deadlines

/// What a successor needs to answer in an agent's name, and to go on where it was.
public struct Snapshot: Hashable, Sendable, Codable {
    struct Stage: Hashable, Sendable, Codable {
        struct Use: Hashable, Sendable, Codable {
            let path: Path
            let priority: UInt64
            let checkPriority: UInt32
        }

        let local: Credentials
        let remote: Credentials?
        let remotes: [Candidate]
        let isComplete: Bool
        let validated: [Path]
        let uses: [Use]
    }

    let configuration: Configuration
    let mode: Mode
    let role: Role
    let remoteIsLite: Bool
    let tieBreaker: UInt64
    let componentCount: UInt16
    let locals: [Core.Local]
    let current: Stage
    let previous: Stage?
}

extension Agent {
    public var snapshot: Snapshot {
        Snapshot(
            configuration: core.configuration, mode: core.mode, role: core.role, remoteIsLite: core.remoteIsLite,
            tieBreaker: core.tieBreaker, componentCount: core.componentCount, locals: core.locals, current: current.stage,
            previous: previous?.stage)
    }

    /// Answers as its predecessor did from the first datagram on. Consent begins anew, and is asked for at once; checks that
    /// had no answer yet are made again. `random` is new, so no transaction is used twice.
    public init(restoring snapshot: Snapshot, random: (UInt64, UInt64), now: Instant) {
        core = Core(
            snapshot.configuration, mode: snapshot.mode, role: snapshot.role, components: snapshot.componentCount, random: random)
        (core.tieBreaker, core.remoteIsLite, core.locals) = (snapshot.tieBreaker, snapshot.remoteIsLite, snapshot.locals)
        current = Generation(restoring: snapshot.current, core, now: now)
        if let stage = snapshot.previous {
            previous = Generation(restoring: stage, core, now: now)
            previous?.isClosing = true
        }
        if !current.isConnected { current.pairAll(now: now, &core) }
    }
}

extension Generation {
    var stage: Snapshot.Stage {
        Snapshot.Stage(
            local: local, remote: remote, remotes: remotes, isComplete: isComplete, validated: validated,
            uses: selections.filter { !$0.isLost }.map {
                Snapshot.Stage.Use(path: $0.path, priority: $0.priority, checkPriority: $0.checkPriority)
            })
    }

    init(restoring stage: Snapshot.Stage, _ core: Core, now: Instant) {
        self.init(local: stage.local)
        if let remote = stage.remote {
            setRemote(remote)
            if core.mode == .full { startedAt = now }
        }
        (remotes, isComplete, validated) = (stage.remotes, stage.isComplete, stage.validated)
        let isFull = core.mode == .full
        selections = stage.uses.map {
            Selection(
                $0.path, priority: $0.priority, checkPriority: $0.checkPriority, heardAt: now,
                nextAt: isFull ? now : now + core.configuration.keepAliveInterval,
                consentUntil: isFull || !core.remoteIsLite ? now + core.configuration.consentLifetime : nil)
        }
        isConnected = isSettled(core.components)
    }
}
