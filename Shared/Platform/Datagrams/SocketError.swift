public import Addresses
internal import CLinux
internal import Glibc

/// Why a socket could not be opened, connected or used: the system's code, the address, and what to do about it.
public struct SocketError: Error, Hashable, Sendable {
    public enum Transport: String, Sendable { case udp = "UDP", tcp = "TCP" }

    public let transport: Transport
    public let address: SocketAddress
    /// The errno of the system call.
    public let code: Int32

    public init(_ transport: Transport, _ address: SocketAddress, code: Int32) {
        (self.transport, self.address, self.code) = (transport, address, code)
    }

    /// The text for the operator, naming the setting that holds the address.
    public func description(setting: String) -> String { text(remedy: "set \(setting)") }

    private func text(remedy: String) -> String {
        let subject = "\(transport.rawValue) \(address)"
        return switch code {
        case EADDRINUSE: "\(subject) is in use by another process: stop it or \(remedy)"
        case EADDRNOTAVAIL: "\(subject) is not an address of this machine: \(remedy)"
        case EACCES, EPERM: "\(subject) is not permitted: allow ports below 1024 (CAP_NET_BIND_SERVICE) or \(remedy)"
        case EMFILE, ENFILE: "no descriptor left for \(subject): raise the limit of open files (ulimit -n)"
        case EAFNOSUPPORT: "\(subject) needs an address family this machine or socket does not have: \(remedy)"
        case ECONNREFUSED: "nothing listens at \(subject): start it or \(remedy)"
        case EHOSTUNREACH, ENETUNREACH: "\(subject) cannot be reached from this machine: check the network or \(remedy)"
        case ETIMEDOUT: "\(subject) does not answer: check the network, start it or \(remedy)"
        default: "\(subject): \(unsafe String(cString: strerror(code)))"
        }
    }
}

extension SocketError: CustomStringConvertible {
    public var description: String { text(remedy: "choose another address") }
}
