public import Contracts
public import Database
internal import Addresses
internal import Bus
internal import Bytes
internal import Cache
internal import Deadlines
internal import Glibc
internal import Logging
internal import ServiceLifecycle
internal import Telemetry
internal import Threads

/// Starts a service the way all of them start: settings, logs, servers, wiring, announcements, until SIGTERM; then drains.
public enum ServiceProgram {
    /// What a service declares of itself.
    public struct Declaration: Sendable {
        public var name: ServiceName
        public var settings: [Setting]
        public var needs: Set<Dependency>
        /// Of whose announcements it makes use, besides those of its own kind (`Dependency.fleet`): what everybody says four times a second is brought
        /// to who listens, and costs the broker more than all else while nothing happens.
        public var hears: [ServiceName]
        /// The PostgreSQL schema it owns, and how that came to be.
        public var schema: String?
        public var migrations: [Migration]
        /// Whether these settings make it work without anything it needs and without a cluster; nil: it never does.
        public var standsAlone: (@Sendable (Settings) -> Bool)?
        /// Throws what is wrong with several settings together, or with the files they name. Looks and opens nothing: it runs for
        /// `--check-config` and at every start before anything else.
        public var check: (@Sendable (Settings) throws -> Void)?
        /// Returns when this process may take part: until then it is wired, opens no port and is on no queue. Nil: at once.
        public var hold: (@Sendable () async -> Void)?

        public init(
            _ name: ServiceName, settings: [Setting] = [], needs: Set<Dependency>, hears: [ServiceName] = [], schema: String? = nil,
            migrations: [Migration] = [], standsAlone: (@Sendable (Settings) -> Bool)? = nil,
            check: (@Sendable (Settings) throws -> Void)? = nil
        ) {
            (self.hears, self.standsAlone, self.check) = (hears, standsAlone, check)
            (self.name, self.settings, self.needs, self.schema, self.migrations) = (name, settings, needs, schema, migrations)
        }
    }

    /// Never returns normally: ends the process with 0 after a clean stop, 1 after an error in one clear line, 2 for bad settings.
    ///
    /// `wire` registers what the service answers and opens nothing to the outside; it runs with database and cache up and the bus
    /// not yet started, so no command arrives half-way.
    public static func run(
        _ declaration: Declaration, _ wire: @escaping @Sendable (Runtime) async throws -> Void
    ) async {
        var declaration = declaration
        let declared =
            CommonSettings.declared(
                for: declaration.name, needs: declaration.needs, mayStandAlone: declaration.standsAlone != nil) + declaration.settings
        let given = GivenSettings(declared, environment: environment(), readFile: readFile)
        if CommandLine.arguments.contains("--print-config") {
            put(given.printed + "\n", to: 1)
            // What must be given and is not stands in the list; whoever asks for it may not know of it yet.
            if !given.mistakes.isEmpty { refuse(given.mistakes) }
            exit(0)
        }
        let settings: Settings
        do throws(Settings.Mistakes) { settings = try Settings(given) } catch { refuse(error.lines) }
        let isAlone = declaration.standsAlone?(settings) ?? false
        let wrong = mistakes(declaration, settings, isAlone: isAlone)
        if !wrong.isEmpty { refuse(wrong) }
        if CommandLine.arguments.contains("--check-config") {
            put("the settings of \(declaration.name.rawValue) are fine\n", to: 1)
            exit(0)
        }
        if isAlone { declaration.needs = [] }
        // A broken connection is an error of that write, not the end of the process.
        _ = signal(SIGPIPE, SIG_IGN)
        HangUps.listen()

        let name = settings.text("TANDEM_INSTANCE")
        let instance = name.isEmpty ? ownName(of: declaration.name) : name
        guard let level = Logger.Level(rawValue: settings.text("TANDEM_LOG_LEVEL")) else {
            preconditionFailure("TANDEM_LOG_LEVEL was checked to be a level")
        }
        Log.bootstrap(service: declaration.name.rawValue, instance: instance, level: level)
        let logger = Logger(label: declaration.name.rawValue)
        if settings.text("TANDEM_CLUSTER_KEY").isEmpty {
            logger.notice("TANDEM_CLUSTER_KEY is not set: tokens hold only in this process, not after it or on other instances")
        }
        do {
            let process = ServiceProcess(
                declaration: declaration, settings: settings, instance: instance, clusterKey: clusterKey(settings),
                admin: settings.socketAddress("TANDEM_ADMIN_LISTEN"), logger: logger, wire: wire)
            let group = ServiceGroup(configuration: .init(
                services: [process], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(logger)))
            try await group.run()
            leave(0)
        } catch {
            logger.critical("\(declaration.name.rawValue) ends: \(error)")
            leave(1)
        }
    }

    /// What an instance is called that was given no name.
    public static func ownName(of service: ServiceName) -> String { "\(service.rawValue)-\(hostname())-\(getpid())" }

    /// Ends the process at once: the exit handlers of C libraries would pull the ground from under threads that still use them.
    public static func leave(_ status: Int32) -> Never { _exit(status) }

    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }

    /// What no setting can say by itself.
    static func mistakes(_ declaration: Declaration, _ settings: Settings, isAlone: Bool) -> [String] {
        var mistakes: [String] = []
        if !isAlone, settings.text("TANDEM_CLUSTER_KEY").isEmpty {
            mistakes.append("TANDEM_CLUSTER_KEY is not set: only who works alone does without; make one with `openssl rand -hex 32`")
        }
        do { try declaration.check?(settings) } catch { mistakes.append("\(error)") }
        return mistakes
    }

    /// Who works alone and was given none makes one for this life.
    private static func clusterKey(_ settings: Settings) -> [UInt8] {
        let text = settings.text("TANDEM_CLUSTER_KEY")
        guard !text.isEmpty else { return (0..<32).map { _ in UInt8.random(in: .min ... .max) } }
        guard let key = Hexadecimal.decode(text.utf8) else { preconditionFailure("TANDEM_CLUSTER_KEY was checked to be hexadecimal") }
        return key
    }

    private static func refuse(_ mistakes: [String]) -> Never {
        put(mistakes.joined(separator: "\n") + "\n", to: 2)
        exit(2)
    }

    private static func put(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { buffer in unsafe write(descriptor, buffer.baseAddress, buffer.count) }
    }

    private static func environment() -> [String: String] {
        var values: [String: String] = [:]
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let parts = unsafe String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
            unsafe entry = entry.advanced(by: 1)
        }
        return values
    }

    private static func readFile(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe content.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { return nil }
        return String(validating: content.prefix(count), as: UTF8.self)
    }

    private static func hostname() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, 255) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
