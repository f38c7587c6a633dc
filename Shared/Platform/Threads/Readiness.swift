internal import CLinux

/// What the owner of a descriptor waits for.
public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let read = Interest(rawValue: 1)
    public static let write = Interest(rawValue: 2)

    var events: UInt32 {
        (contains(.read) ? UInt32(TANDEM_READABLE) : 0) | (contains(.write) ? UInt32(TANDEM_WRITABLE) : 0)
    }
}

/// What a descriptor has become ready for. A failure or the end of the peer comes with `read`, so that reading tells which.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let read = Readiness(rawValue: 1)
    public static let write = Readiness(rawValue: 2)
    public static let failed = Readiness(rawValue: 4)

    init(events: UInt32) {
        let failed = events & UInt32(TANDEM_ERROR | TANDEM_HANGUP) != 0
        var ready: Readiness = failed ? [.failed, .read] : []
        if events & UInt32(TANDEM_READABLE) != 0 { ready.insert(.read) }
        if events & UInt32(TANDEM_WRITABLE) != 0 { ready.insert(.write) }
        self = ready
    }
}
