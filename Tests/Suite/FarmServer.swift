public import Addresses
import Foundation
public import SIP
import Synchronization

/// A SIP server of a farm, as an edge in front of it sees one: it answers every request with 200, and remembers all of them.
public final class FarmServer: Sendable {
    public enum Behaviour: Sendable {
        case answering
        /// Hears, and says nothing, as a process that hangs does.
        case silent
    }

    private struct State {
        var behaviour = Behaviour.answering
        var isClosed = false
        var received: [Message] = []
    }

    public let address: SocketAddress
    private let state = Mutex(State())

    public init() throws {
        let agent = try InsideAgent()
        address = SocketAddress(.loopbackIPv4, port: agent.port)
        let served = Served(agent)
        Thread { [self] in serve(served.agent) }.start()
    }

    /// The thread's alone.
    private struct Served: @unchecked Sendable {
        let agent: InsideAgent
        init(_ agent: InsideAgent) { self.agent = agent }
    }

    public func behave(_ behaviour: Behaviour) { state.withLock { $0.behaviour = behaviour } }

    /// From here on nobody listens at its address, as after kill -9; returns when that is so.
    public func die() async throws {
        state.withLock { $0.isClosed = true }
        while LocalPort.isOpen(Int(address.port)) { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// The requests that have come so far, all or of one method.
    public func requests(_ method: SIP.Method? = nil) -> [Message] {
        state.withLock { $0.received.filter { method == nil || $0.method == method } }
    }

    private func serve(_ agent: InsideAgent) {
        while !state.withLock({ $0.isClosed }) {
            guard let message = agent.next(), message.isRequest else { continue }
            let answers = state.withLock { state in
                state.received.append(message)
                return state.behaviour == .answering
            }
            // A lost answer is the edge's to notice.
            if answers, message.method != .ack { try? agent.answer(message, 200) }
        }
    }
}
