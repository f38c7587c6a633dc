internal import Deadlines
internal import Glibc
public import Processes
internal import Synchronization
public import Threads

/// A worker's end of the connection to its keeper: what it deposits there, and what it is told.
///
/// Deposits are taken on the threads of the sessions, in one system call: what has returned has left this process.
public actor KeeperLink {
    /// Something that was deposited, by whoever was the worker then.
    public struct Deposit: Sendable {
        public var kind: KeeperMessage.Kind
        public var bytes: [UInt8]
        public var descriptors: [Descriptor]
    }

    /// What the link tells, on its own thread.
    public struct Listener: Sendable {
        var deposited: @Sendable (String, Deposit) -> Void
        var removed: @Sendable (String) -> Void
        /// Our turn has come.
        var goes: @Sendable () -> Void
        /// To a new keeper everything is new.
        var depositAll: @Sendable () -> Void
        /// Calls back when every thread that carries packets has come round.
        var turn: @Sendable (@escaping @Sendable () -> Void) -> Void

        public init(
            deposited: @escaping @Sendable (String, Deposit) -> Void, removed: @escaping @Sendable (String) -> Void,
            goes: @escaping @Sendable () -> Void, depositAll: @escaping @Sendable () -> Void,
            turn: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
        ) {
            (self.deposited, self.removed, self.goes, self.depositAll, self.turn) = (deposited, removed, goes, depositAll, turn)
        }
    }

    private struct Line: Sendable {
        var socket: MessageSocket?
        /// What the keeper does not take yet, the last of each key: no more than there are sessions.
        var waiting = Vault<Descriptor>()
    }

    /// How long a worker whose keeper died goes on without another.
    private static let orphanage = Interval.seconds(60)

    nonisolated let loop = EventLoop(name: "keeper-link")
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    /// All that was deposited is known.
    public nonisolated let caughtUp = Availability()
    /// This process is the worker, and its threads have been told so.
    public nonisolated let turn = Availability()

    private nonisolated let line: Mutex<Line>
    private let name: String
    private let meeting: String
    private let instance: String
    private var deposits: [String: Deposit] = [:]
    private var listener: Listener?
    private var listening: MessageListener?
    private var watched: MessageSocket?
    private var isWorker = false
    private var isServing = false
    private var orphanedAt: Instant?
    private var buffer = [UInt8](repeating: 0, count: MessageSocket.largest)

    /// The link this process was started with; nil in the keeper itself.
    public static func inherited(_ service: KeptService) -> KeeperLink? {
        let environment = ThisProcess.environment
        guard let number = environment[Meeting.linkVariable].flatMap({ Int32($0) }) else { return nil }
        return KeeperLink(
            MessageSocket(owning: number), name: service.name, meeting: environment[Meeting.nameVariable] ?? "", instance: environment["TANDEM_INSTANCE"] ?? "")
    }

    init(_ socket: MessageSocket, name: String, meeting: String, instance: String) {
        line = Mutex(Line(socket: socket))
        (self.name, self.meeting, self.instance) = (name, meeting, instance)
    }

    public nonisolated func start() {
        ThisProcess.name(name + "-standby")
        post { $0.open() }
        loop.start()
    }

    nonisolated private func post(_ work: @escaping @Sendable (isolated KeeperLink) -> Void) {
        loop.post { self.assumeIsolated(work) }
    }

    private func open() {
        if let socket = line.withLock({ $0.socket }) { attach(socket) }
    }

    // MARK: Any thread

    /// What was deposited under the key before our turn.
    public func deposit(_ key: String) -> Deposit? { deposits[key] }

    /// Hears everything from here on, and first what is known already.
    public nonisolated func listen(_ listener: Listener) { post { $0.begin(listener) } }

    /// Work has begun: from now on there may be a standby.
    public nonisolated func serve() {
        post { link in
            link.isServing = true
            link.say(.serving)
        }
    }

    public nonisolated func keep(_ kind: KeeperMessage.Kind, _ key: String, _ bytes: [UInt8], _ descriptors: [Int32] = []) {
        put(KeeperMessage(kind, key, bytes), descriptors) {
            // They may be closed before it is their turn.
            $0.put(kind, key, bytes, descriptors.compactMap { Descriptor.copy(of: $0) })
        }
    }

    public nonisolated func remove(_ key: String) { put(KeeperMessage(.remove, key), []) { $0.remove(key) } }

    /// Nothing overtakes what waits.
    nonisolated private func put(_ message: KeeperMessage, _ descriptors: [Int32], _ wait: (inout Vault<Descriptor>) -> Void) {
        guard let bytes = message.encoded else { return }
        let isWaiting = line.withLock { line -> Bool in
            guard let socket = line.socket else { return false }
            if !line.waiting.hasChanges {
                guard case .full = socket.send(bytes, descriptors) else { return false }
            }
            wait(&line.waiting)
            return true
        }
        if isWaiting { post { $0.write() } }
    }

    /// What is no deposit: said again when it is not taken, but for an answer, which is asked for again.
    private func say(_ kind: KeeperMessage.Kind, _ bytes: [UInt8] = []) {
        guard let socket = line.withLock({ $0.socket }), let message = KeeperMessage(kind, "", bytes).encoded else { return }
        guard case .full = socket.send(message), kind != .pong else { return }
        loop.schedule(at: loop.now + .milliseconds(50)) { [unowned self] in say(kind, bytes) }
    }

    // MARK: The link's thread

    private func begin(_ listener: Listener) {
        self.listener = listener
        for (key, deposit) in deposits { listener.deposited(key, deposit) }
        if isWorker { takeTurn(listener) }
    }

    private func attach(_ socket: MessageSocket) {
        watched = socket
        loop.watch(socket.descriptor, .read) { [unowned self] ready in
            if ready.contains(.write) { write() }
            if ready.contains(.read) { read() }
        }
    }

    /// What waits, as far as it goes.
    private func write() {
        guard let watched else { return }
        let hasMore = line.withLock { line in
            line.waiting.drain { change in
                let (message, descriptors): (KeeperMessage, [Descriptor]) =
                    switch change {
                    case .put(let key, let entry, let withAttachments):
                        (KeeperMessage(entry.kind, key, entry.bytes), withAttachments ? entry.attachments : [])
                    case .remove(let key): (KeeperMessage(.remove, key), [])
                    }
                guard let bytes = message.encoded, case .full = watched.send(bytes, descriptors.map(\.number)) else { return true }
                return false
            }
            if !line.waiting.hasChanges { line.waiting = Vault() }
            return line.waiting.hasChanges
        }
        loop.change(watched.descriptor, hasMore ? [.read, .write] : .read)
    }

    private func read() {
        while let watched {
            switch watched.receive(&buffer) {
            case .nothing: return
            case .closed: return lost()
            case .message(let message):
                if let parsed = KeeperMessage(parsing: message.bytes) { take(parsed, message.descriptors) }
            }
        }
    }

    private func take(_ message: KeeperMessage, _ descriptors: [Descriptor]) {
        switch message.kind {
        case .fixture, .work:
            let known = deposits[message.key]?.descriptors ?? []
            let deposit = Deposit(kind: message.kind, bytes: message.bytes, descriptors: descriptors.isEmpty ? known : descriptors)
            deposits[message.key] = deposit
            listener?.deposited(message.key, deposit)
        case .remove:
            deposits[message.key] = nil
            listener?.removed(message.key)
        case .caughtUp: caughtUp.came()
        case .go: go()
        case .ping: answer()
        case .serving, .pong, .hello: break
        }
    }

    private func go() {
        ThisProcess.name(name + "-worker")
        isWorker = true
        // Nobody can have the name but a predecessor that is not quite dead.
        listenForKeepers()
        if let listener { takeTurn(listener) }
    }

    /// From here on the sockets are the sessions' alone. Who waits for the turn goes on with all that a service begins with, and with
    /// commands: they must not overtake what the threads are told here, nor take the time of it.
    private func takeTurn(_ listener: Listener) {
        listener.goes()
        listener.turn { [weak self] in self?.post { $0.begin() } }
    }

    private func begin() {
        deposits = [:]
        turn.came()
    }

    private func answer() {
        guard let listener else { return say(.pong) }
        listener.turn { [weak self] in self?.post { $0.say(.pong) } }
    }

    // MARK: Without a keeper

    private func lost() {
        if let watched { loop.unwatch(watched.descriptor) }
        watched = nil
        line.withLock { $0 = Line() }
        // Who has not had its turn is nobody's successor.
        guard isWorker else { ThisProcess.leave(0) }
        orphanedAt = loop.now
        loop.schedule(at: loop.now + Self.orphanage) { [unowned self] in
            guard let orphanedAt, loop.now - orphanedAt >= Self.orphanage else { return }
            kill(ThisProcess.id, SIGTERM)
        }
    }

    private func listenForKeepers() {
        guard listening == nil, !meeting.isEmpty else { return }
        guard let listener = MessageListener(name: meeting) else {
            loop.schedule(at: loop.now + .seconds(1)) { [unowned self] in listenForKeepers() }
            return
        }
        listening = listener
        loop.watch(listener.descriptor, .read) { [unowned self] _ in accept() }
    }

    private func accept() {
        guard let socket = listening?.accept() else { return }
        // Its own may just have died.
        read()
        guard watched == nil else { return }
        orphanedAt = nil
        line.withLock { $0 = Line(socket: socket) }
        attach(socket)
        say(.hello, Array(instance.utf8))
        listener?.depositAll()
        guard isServing else { return }
        listener?.turn { [weak self] in self?.post { $0.say(.serving) } }
    }
}
