internal import Contracts
internal import Deadlines
internal import Logging
internal import Processes
internal import Telemetry
internal import Threads

/// The process that is started: it holds the sockets, the memory and the state of all that goes on for its worker, which does the work, and
/// keeps a standby that goes on when the worker dies (RELIABILITY §4.5). It parses nothing that comes from outside.
public actor Keeper {
    struct Settings {
        var service: KeptService
        var environment: [String: String]
        var arguments: [String]
        var timeout: Interval
    }

    /// A worker or its standby.
    final class Companion {
        let process: WatchedProcess
        let socket: MessageSocket
        let begun: Instant
        var pulse: Pulse
        /// Its turn has come, and it is told as soon as it knows all.
        var mustGo = false
        var isCaughtUp = false
        var isSilent = false
        /// A worker that another keeper began is ours when it says so.
        var isOurs: Bool

        init(_ process: WatchedProcess, _ socket: MessageSocket, isChild: Bool, _ pulse: Pulse, now: Instant) {
            (self.process, self.socket, self.pulse, begun, isOurs) = (process, socket, pulse, now, isChild)
        }
    }

    /// How long changes gather before the standby hears of them: a call's beginning is several.
    static let mirrorPause = Interval.milliseconds(200)
    private static let standbyPause = Interval.milliseconds(500)

    nonisolated let loop = EventLoop(name: "keeper")
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    let logger: Logger
    let signals: Signals
    var settings: Settings
    var vault = Vault<Descriptor>()
    var worker: Companion?
    var standby: Companion?
    var policy = RestartPolicy()
    var standbyPolicy = RestartPolicy()
    var endings: [Int32: Ending] = [:]
    var isStopping = false
    private var buffer = [UInt8](repeating: 0, count: MessageSocket.largest)
    private var isMirroring = false
    let meeting: String

    init(_ settings: Settings, signals: Signals, logger: Logger) {
        (self.settings, self.signals, self.logger) = (settings, signals, logger)
        meeting = Meeting.name(settings.service, settings.environment)
    }

    /// The life of the process.
    public static func run(_ service: KeptService) async -> Never {
        guard let signals = Signals() else { ThisProcess.leave(1) }
        let environment = ThisProcess.environment
        let level = environment["TANDEM_LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0) } ?? .info
        Log.bootstrap(service: service.service.rawValue, instance: environment["TANDEM_INSTANCE"] ?? service.ownName, level: level)
        ThisProcess.name(service.name + "-keeper")
        // What is wrong with them, the worker says.
        let patience = environment[service.patience].flatMap { Int($0) } ?? KeptService.defaultPatience
        let keeper = Keeper(
            Settings(service: service, environment: environment, arguments: CommandLine.arguments, timeout: .seconds(min(max(1, patience), 3600))),
            signals: signals, logger: Logger(label: "keeper"))
        keeper.start()
        while true { try? await Task.sleep(for: .seconds(86_400)) }
    }

    nonisolated func start() {
        loop.post { self.assumeIsolated { $0.begin() } }
        loop.start()
    }

    private func begin() {
        loop.watch(signals.descriptor, .read) { [unowned self] _ in readSignals() }
        beat()
        // A worker whose keeper died, and its calls, come first.
        if let socket = MessageSocket.connect(to: meeting), let id = socket.peer,
            let process = WatchedProcess(id: id)
        {
            logger.notice("the keeper goes on with the worker of its predecessor", metadata: ["worker": "\(id)"])
            worker = companion(process, socket, isChild: false)
        } else {
            worker = spawn()
            guard worker != nil else { finish(1) }
            promote()
        }
    }

    func finish(_ status: Int32) -> Never { ThisProcess.leave(status) }

    // MARK: Messages

    func read(_ companion: Companion) {
        while true {
            switch companion.socket.receive(&buffer) {
            case .nothing: return
            case .closed: return close(companion)
            case .message(let message):
                guard let parsed = KeeperMessage(parsing: message.bytes) else {
                    logger.error("a message that is none", metadata: ["process": "\(companion.process.id)"])
                    return close(companion)
                }
                take(parsed, message.descriptors, from: companion)
            }
        }
    }

    private func take(_ message: KeeperMessage, _ descriptors: [Descriptor], from companion: Companion) {
        switch message.kind {
        case .pong: companion.pulse.answered()
        case .fixture where companion === worker, .work where companion === worker:
            vault.put(message.kind, message.key, message.bytes, descriptors)
            mirrorSoon()
        case .remove where companion === worker:
            vault.remove(message.key)
            mirrorSoon()
        case .serving where companion === worker:
            // Who has just taken over has packets to catch up with: a process that begins beside it would take it the time.
            loop.schedule(at: loop.now + (vault.works > 0 ? Self.standbyPause : .zero)) { [unowned self] in standByAgain() }
        case .hello where companion === worker:
            companion.isOurs = true
            settings.environment["TANDEM_INSTANCE"] = String(decoding: message.bytes, as: UTF8.self)
        default: logger.error("a message that does not belong there", metadata: ["process": "\(companion.process.id)"])
        }
    }

    /// It will not be heard any more, so it must not act any more.
    private func close(_ companion: Companion) {
        guard !companion.isSilent else { return }
        guard companion.isOurs else {
            logger.critical("another keeper runs with these settings: stop it, or change them")
            finish(1)
        }
        companion.isSilent = true
        loop.unwatch(companion.socket.descriptor)
        if !isStopping { companion.process.signal(Self.killSignal) }
    }

    // MARK: What the standby knows

    private func mirrorSoon() {
        guard standby != nil else { return vault.forgetChanges() }
        guard !isMirroring else { return }
        isMirroring = true
        loop.schedule(at: loop.now + Self.mirrorPause) { [unowned self] in
            isMirroring = false
            if let standby { mirror(standby) }
        }
    }

    /// Tells what is new; the rest when it can be written.
    func mirror(_ companion: Companion) {
        guard !companion.isSilent else { return }
        var isFull = false
        vault.drain { change in
            isFull = !tell(change, to: companion)
            return !isFull
        }
        if !isFull, !companion.isCaughtUp { companion.isCaughtUp = send(.init(.caughtUp), to: companion) }
        if !isFull, companion.isCaughtUp, companion.mustGo, send(.init(.go), to: companion) {
            companion.mustGo = false
            vault.forgetChanges()
        }
        let hasMore = isFull || !companion.isCaughtUp || companion.mustGo
        if !companion.isSilent { loop.change(companion.socket.descriptor, hasMore ? [.read, .write] : .read) }
    }

    private func tell(_ change: Vault<Descriptor>.Change, to companion: Companion) -> Bool {
        switch change {
        case .put(let key, let entry, let withAttachments):
            send(.init(entry.kind, key, entry.bytes), withAttachments ? entry.attachments : [], to: companion)
        case .remove(let key): send(.init(.remove, key), to: companion)
        }
    }

    /// False when it has to be said again later.
    @discardableResult
    func send(_ message: KeeperMessage, _ descriptors: [Descriptor] = [], to companion: Companion) -> Bool {
        guard let bytes = message.encoded else { return true }
        switch companion.socket.send(bytes, descriptors.map(\.number)) {
        case .sent: return true
        case .full: return false
        case .tooLong:
            logger.error("a deposit is too long to be handed over", metadata: ["key": "\(message.key)", "bytes": "\(bytes.count)"])
            return true
        case .closed:
            close(companion)
            return true
        }
    }
}
