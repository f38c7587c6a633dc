public import Contracts
internal import Processes
public import ServiceKit

/// What a service whose work outlives its processes says of itself: how its processes are called, and the settings of its keeper.
public struct KeptService: Sendable {
    public static let defaultPatience = 3

    public let service: ServiceName
    /// As `ps` shows its processes: `relay` is `relay-keeper`, `relay-worker` and `relay-standby`.
    public let name: String
    /// The names of the settings, which the keeper reads before anybody has judged them.
    public let wish: String
    public let patience: String

    public init(_ service: ServiceName, name: String, wish: String, patience: String) {
        (self.service, self.name, self.wish, self.patience) = (service, name, wish, patience)
    }

    public var declared: [Setting] {
        [
            Setting(wish, .flag, default: "1", "a keeper holds sockets and state, so that they outlive the process that serves them"),
            Setting(patience, .integer(1...3600), default: "\(Self.defaultPatience)", "seconds until a worker that does not answer is replaced"),
        ]
    }

    /// Whether this process is to be a keeper: not to print something, and not when it is told otherwise.
    public var isWanted: Bool {
        let wish = ThisProcess.environment[wish]?.lowercased() ?? "1"
        return !["0", "false", "no", "off"].contains(wish) && !CommandLine.arguments.contains { $0.hasPrefix("--") }
    }

    var ownName: String { ServiceProgram.ownName(of: service) }
}
