internal import CLinux
internal import Glibc

/// One end of a connection between processes of one machine and one user that keeps messages apart and carries descriptors (SCM_RIGHTS).
///
/// Non-blocking; may be used by several threads, each message being one system call.
public final class MessageSocket: Sendable {
    public struct Message: Sendable {
        public let bytes: [UInt8]
        public let descriptors: [Descriptor]
    }

    public enum Received: Sendable {
        case message(Message)
        case nothing
        /// The other end is closed, or what came was too long to be of ours.
        case closed
    }

    public enum Sent: Sendable {
        case sent
        /// The other end reads too slowly: write when it is writable.
        case full
        /// Longer than the system takes.
        case tooLong
        case closed
    }

    /// The longest message that is read.
    public static let largest = 1 << 20

    private let handle: Descriptor
    public var descriptor: Int32 { handle.number }

    public init(owning descriptor: Int32) { handle = Descriptor(owning: descriptor) }

    /// Both ends of a connection.
    public static func pair() -> (MessageSocket, MessageSocket)? {
        var ends: [Int32] = [0, 0]
        guard unsafe tandem_message_pair(&ends) == 0 else { return nil }
        return (MessageSocket(owning: ends[0]), MessageSocket(owning: ends[1]))
    }

    /// To whoever of this user listens under the name; nil when nobody does.
    public static func connect(to name: String) -> MessageSocket? {
        let descriptor = unsafe tandem_message_connect(name)
        guard descriptor >= 0 else { return nil }
        let socket = MessageSocket(owning: descriptor)
        return socket.peer == nil ? nil : socket
    }

    /// The process at the other end; nil when it is another user's.
    public var peer: Int32? {
        let process = tandem_peer_process(descriptor)
        return process > 0 ? process : nil
    }

    public func send(_ bytes: [UInt8], _ descriptors: [Int32] = []) -> Sent {
        let result = unsafe tandem_message_send(descriptor, bytes, bytes.count, descriptors, Int32(descriptors.count))
        switch -result {
        case 0: return .sent
        case EAGAIN, ENOBUFS, ETOOMANYREFS: return .full
        case EMSGSIZE: return .tooLong
        default: return .closed
        }
    }

    /// The next message; `buffer` has room for the largest.
    public func receive(_ buffer: inout [UInt8]) -> Received {
        var numbers = [Int32](repeating: -1, count: 16)
        var count: Int32 = 0
        let length = unsafe tandem_message_receive(descriptor, &buffer, buffer.count, &numbers, &count)
        let descriptors = numbers.prefix(Int(count)).map { Descriptor(owning: $0) }
        if length == -Int(EAGAIN) { return .nothing }
        guard length > 0 else { return .closed }
        return .message(Message(bytes: Array(buffer.prefix(length)), descriptors: descriptors))
    }
}

/// Where processes of this user find one whose name they know.
public final class MessageListener: Sendable {
    private let handle: Descriptor
    public var descriptor: Int32 { handle.number }

    /// Nil when another has the name.
    public init?(name: String) {
        let descriptor = unsafe tandem_message_listen(name)
        guard descriptor >= 0 else { return nil }
        handle = Descriptor(owning: descriptor)
    }

    /// Nil when nobody waits, or somebody who is another user's.
    public func accept() -> MessageSocket? {
        let descriptor = tandem_message_accept(descriptor)
        guard descriptor >= 0 else { return nil }
        let socket = MessageSocket(owning: descriptor)
        return socket.peer == nil ? nil : socket
    }
}
