internal import Synchronization

/// Part of a large value that is borrowed many times for each packet.
///
/// What holds an atomic has an address and is borrowed where it lies. Any other value is copied to the stack for that, however
/// large it is (Swift 6.3): that was a quarter of the relay's own time.
struct Pinned: ~Copyable, Sendable {
    private let cell = Atomic<UInt8>(0)
}
