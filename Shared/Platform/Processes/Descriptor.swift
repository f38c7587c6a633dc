internal import Glibc

/// A descriptor of this process, closed with the last reference to it.
public final class Descriptor: Sendable {
    public let number: Int32

    /// It is this value's from here on.
    public init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Another one for the same thing as `number`, which stays its owner's.
    public static func copy(of number: Int32) -> Descriptor? {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        return copy >= 0 ? Descriptor(owning: copy) : nil
    }

    /// Another number for the same thing, for who closes it himself; nil when there is none left.
    public func duplicate() -> Int32? {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        return copy >= 0 ? copy : nil
    }
}
