import Contracts
import Deadlines
import MediaSession

/// Whom a media thread tells what happens to its sessions. Called on the media thread: they take it and return at once.
struct SessionEvents: Sendable {
    var began: @Sendable (SessionRecord) -> Void
    var changed: @Sendable (SessionRecord) -> Void
    var ended: @Sendable (SessionRecord, SessionStatistics) -> Void
    /// The phone has fallen silent; to be told to the call's owner.
    var silent: @Sendable (MediaTimedOut, _ owner: String) -> Void
    /// There is no path, or there are no keys; to be told likewise.
    var failed: @Sendable (MediaFailed, _ owner: String) -> Void = { _, _ in }
    /// A key that the room was not to hear, for the call's owner.
    var digit: @Sendable (DigitPressed, _ owner: String) -> Void = { _, _ in }
    /// The thread goes on with so many sessions of a worker that has died; how long it took to take them over.
    var tookOver: @Sendable (Int, Interval) -> Void = { _, _ in }
    /// What became of a leg's checks and keys.
    var transport: @Sendable (_ sessionID: String, MediaTransport.Event) -> Void = { _, _ in }
}
