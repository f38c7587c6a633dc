import Foundation
import Glibc
import Synchronization

/// A TCP line to a server that can be cut and restored, so that a loss of the server can be had without killing it.
public final class CuttableLine: Sendable {
    private struct State {
        var isCut = false
        var open: Set<Int32> = []
    }

    public let port: UInt16
    private let target: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    public init(to target: UInt16) throws {
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, address, &length) == 0
            }
        }
        guard isBound else { throw RunningSuite.Missing.refused("no port for a line to \(target)") }
        port = UInt16(bigEndian: address.sin_port)
        Foundation.Thread.detachNewThread { [self] in accept() }
    }

    public func cut() {
        let open = state.withLock { state in
            state.isCut = true
            return state.open
        }
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    public func restore() { state.withLock { $0.isCut = false } }

    private func accept() {
        while case let near = Glibc.accept(listener, nil, nil), near >= 0 {
            let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(target)
            let isOpen = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            let isWanted = state.withLock { state in
                guard isOpen, !state.isCut else { return false }
                state.open.formUnion([near, far])
                return true
            }
            guard isWanted else {
                close(near)
                close(far)
                continue
            }
            for (from, to) in [(near, far), (far, near)] {
                Foundation.Thread.detachNewThread { [self] in pump(from, to) }
            }
        }
    }

    /// Descriptors are not closed, so that a late `cut` cannot hit a stranger's: a test's process is short.
    private func pump(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(from, &buffer, buffer.count), count > 0 {
            var sent = 0
            while sent < count {
                let written = buffer[sent..<count].withUnsafeBytes { send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard written > 0 else { break }
                sent += written
            }
        }
        shutdown(to, Int32(SHUT_RDWR))
        shutdown(from, Int32(SHUT_RDWR))
        state.withLock { _ = $0.open.remove(from) }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
