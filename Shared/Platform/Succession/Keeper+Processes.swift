internal import Deadlines
internal import Glibc
internal import Logging
internal import Processes
internal import Threads

// Beginning and end of workers.
extension Keeper {
    static let killSignal = SIGKILL

    func spawn() -> Companion? {
        guard let (own, theirs) = MessageSocket.pair() else {
            logger.critical("no descriptor is left for a worker: raise the limit of open files (ulimit -n)")
            return nil
        }
        var environment = settings.environment
        environment[Meeting.linkVariable] = "\(Meeting.descriptor)"
        environment[Meeting.nameVariable] = meeting
        if (environment["TANDEM_INSTANCE"] ?? "").isEmpty { environment["TANDEM_INSTANCE"] = settings.service.ownName }
        guard let process = WatchedProcess.spawn(
            arguments: settings.arguments, environment: environment, theirs, as: Meeting.descriptor)
        else {
            logger.critical("no worker can be started: raise the limit of processes (ulimit -u)")
            return nil
        }
        let companion = companion(process, own, isChild: true)
        vault.changeAll()
        mirror(companion)
        return companion
    }

    func companion(_ process: WatchedProcess, _ socket: MessageSocket, isChild: Bool) -> Companion {
        let companion = Companion(process, socket, isChild: isChild, Pulse(timeout: settings.timeout), now: loop.now)
        let id = process.id
        loop.watch(socket.descriptor, .read) { [unowned self] ready in
            if ready.contains(.read) { read(id) }
            if ready.contains(.write) { mirror(id) }
        }
        loop.watch(process.descriptor, .read) { [unowned self] _ in ended(id) }
        return companion
    }

    private func companion(_ id: Int32) -> Companion? {
        if let worker, worker.process.id == id { return worker }
        if let standby, standby.process.id == id { return standby }
        return nil
    }

    private func read(_ id: Int32) {
        if let companion = companion(id) { read(companion) }
    }

    private func mirror(_ id: Int32) {
        if let companion = companion(id) { mirror(companion) }
    }

    private func ended(_ id: Int32) {
        if let companion = companion(id) { ended(companion) }
    }

    /// The worker's turn has come.
    func promote() {
        guard let worker else { return }
        worker.mustGo = true
        mirror(worker)
    }

    private func ended(_ companion: Companion) {
        // What it had still said is worth hearing.
        if !companion.isSilent { read(companion) }
        if !companion.isSilent { loop.unwatch(companion.socket.descriptor) }
        loop.unwatch(companion.process.descriptor)
        reap()
        let ending = endings.removeValue(forKey: companion.process.id)
        if companion === standby {
            standby = nil
            standbyEnded(companion, ending)
        } else if companion === worker {
            worker = nil
            workerEnded(companion, ending)
        }
    }

    private func workerEnded(_ companion: Companion, _ ending: Ending?) {
        let text = switch ending {
        case .exited(let status): "exit \(status)"
        case .killed(let signal): "signal \(signal)"
        case nil: "unknown"
        }
        if isStopping || Self.isWrongSettings(ending) {
            standby?.process.signal(SIGTERM)
            finish(Self.status(ending))
        }
        // Who ends by itself with nothing to lose has a reason that another would have, too.
        if case .exited? = ending, vault.works == 0 {
            standby?.process.signal(SIGTERM)
            finish(Self.status(ending))
        }
        let pause = policy.died(begun: companion.begun, now: loop.now)
        logger.warning(
            "the worker has died, its standby goes on",
            metadata: ["worker": "\(companion.process.id)", "ending": "\(text)", "works": "\(vault.works)", "pause_ms": "\(Int(pause.milliseconds))"])
        guard pause > .zero else { return handOver() }
        loop.schedule(at: loop.now + pause) { [unowned self] in handOver() }
    }

    private func handOver() {
        guard worker == nil, !isStopping else { return }
        if let standby {
            (worker, self.standby) = (standby, nil)
        } else {
            worker = spawn()
        }
        guard worker != nil else {
            loop.schedule(at: loop.now + .seconds(1)) { [unowned self] in handOver() }
            return
        }
        promote()
    }

    private func standbyEnded(_ companion: Companion, _ ending: Ending?) {
        guard !isStopping, worker != nil else { return }
        let pause = max(standbyPolicy.died(begun: companion.begun, now: loop.now), .milliseconds(100))
        logger.warning("the standby has ended, another is started", metadata: ["standby": "\(companion.process.id)"])
        loop.schedule(at: loop.now + pause) { [unowned self] in standByAgain() }
    }

    func standByAgain() {
        guard standby == nil, worker != nil, !isStopping else { return }
        standby = spawn()
    }

    private static func isWrongSettings(_ ending: Ending?) -> Bool { ending == .exited(2) }

    private static func status(_ ending: Ending?) -> Int32 {
        switch ending {
        case .exited(let status)?: status
        case .killed?: 1
        case nil: 0
        }
    }

    /// The first process of a container inherits everybody's children.
    func reap() {
        while let (process, ending) = Reaper.next() {
            if process == worker?.process.id || process == standby?.process.id { endings[process] = ending }
        }
    }

    // MARK: Signals and pulse

    func readSignals() {
        while let signal = signals.next() {
            switch signal {
            case SIGCHLD: reap()
            case SIGHUP:
                worker?.process.signal(SIGHUP)
                standby?.process.signal(SIGHUP)
            default: stop(signal)
            }
        }
    }

    /// The worker finishes what it has; then we end as it does.
    private func stop(_ signal: Int32) {
        isStopping = true
        standby?.process.signal(SIGTERM)
        guard let worker else { finish(0) }
        worker.process.signal(signal)
    }

    /// Asks everybody whether they are alive, again and again; who does not answer is killed (K9), and so cannot act later.
    func beat() {
        for companion in [worker, standby].compactMap(\.self) where !companion.isSilent && !isStopping {
            if companion.pulse.beat() {
                send(.init(.ping), to: companion)
            } else {
                logger.warning("a process does not answer any more and is killed", metadata: ["process": "\(companion.process.id)"])
                companion.process.signal(SIGKILL)
            }
        }
        loop.schedule(at: loop.now + Pulse.pause) { [unowned self] in beat() }
    }
}
