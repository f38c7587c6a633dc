import Addresses
import Datagrams
import Deadlines
import Streams
import Synchronization
import Testing
import Threads

@Suite("Streams: TCP on an event loop")
struct StreamsTests {
    static let loopback = SocketAddress(.loopbackIPv4, port: 0)

    /// Runs `body` on a fresh loop with a way to finish; the loop and all that lives on it end with the test.
    private func onLoop<T: Sendable>(_ body: @escaping @Sendable (EventLoop, @escaping (T) -> Void) throws -> Void) async throws -> T {
        let loop = EventLoop(name: "streams")
        loop.start()
        defer { loop.stop() }
        return try await withCheckedThrowingContinuation { answer in
            loop.post {
                let isDone = Atomic<Bool>(false)
                do {
                    try body(loop) { value in
                        if !isDone.exchange(true, ordering: .relaxed) { answer.resume(returning: value) }
                    }
                } catch {
                    answer.resume(throwing: error)
                }
            }
        }
    }

    private final class Box<T> {
        var value: T
        init(_ value: T) { self.value = value }
    }

    @Test("What one end writes, even before the connection is there, the other reads, however large")
    func echo() async throws {
        let sent = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let heard: [UInt8] = try await onLoop { loop, done in
            let listener = try StreamListener(bind: Self.loopback, loop: loop) { connection in
                connection.onBytes = { bytes in connection.write(bytes.indices.map { bytes[$0] }) }
            }
            let client = try StreamConnection.connect(to: listener.localAddress, loop: loop)
            let received = Box<[UInt8]>([])
            client.onBytes = { bytes in
                for index in bytes.indices { received.value.append(bytes[index]) }
                if received.value.count == sent.count {
                    #expect(listener.connectionCount == 1)
                    client.close()
                    done(received.value)
                }
            }
            #expect(client.write(sent))
        }
        #expect(heard == sent)
    }

    @Test("Finish sends what is queued before it closes")
    func finishSendsTheRest() async throws {
        let length = 150_000
        let heard: Int = try await onLoop { loop, done in
            let count = Box(0)
            let listener = try StreamListener(bind: Self.loopback, loop: loop) { connection in
                connection.onBytes = { count.value += $0.count }
                connection.onEnd = { reason in
                    #expect(reason == .closedByPeer)
                    done(count.value)
                }
            }
            let client = try StreamConnection.connect(to: listener.localAddress, loop: loop)
            client.write([UInt8](repeating: 1, count: length))
            client.finish()
            loop.schedule(at: .distantFuture) { _ = (listener, client) }
        }
        #expect(heard == length)
    }

    @Test("A peer that does not read is cut off at the bound of its queue")
    func slowPeer() async throws {
        let reason: StreamEnd = try await onLoop { loop, done in
            var limits = StreamLimits()
            limits.queuedBytes = 100_000
            let listener = try StreamListener(bind: Self.loopback, loop: loop, limits: limits) { connection in
                connection.onEnd = done
                // Both ends live on this loop, so within this callback the other cannot read.
                for _ in 0..<1000 {
                    guard connection.write([UInt8](repeating: 0, count: 50_000)) else { return }
                }
            }
            let client = try StreamConnection.connect(to: listener.localAddress, loop: loop)
            loop.schedule(at: .distantFuture) { _ = (listener, client) }
        }
        #expect(reason == .slowPeer)
    }

    @Test("A silent connection is closed at its idle limit")
    func idleConnection() async throws {
        let reason: StreamEnd = try await onLoop { loop, done in
            var limits = StreamLimits()
            limits.idle = .milliseconds(30)
            let listener = try StreamListener(bind: Self.loopback, loop: loop, limits: limits) { $0.onEnd = done }
            let client = try StreamConnection.connect(to: listener.localAddress, loop: loop)
            loop.schedule(at: .distantFuture) { _ = (listener, client) }
        }
        #expect(reason == .idle)
    }

    @Test("Above the cap connections are closed at once and counted")
    func connectionCap() async throws {
        let refused: Int = try await onLoop { loop, done in
            var limits = StreamLimits()
            limits.connections = 2
            let listener = try StreamListener(bind: Self.loopback, loop: loop, limits: limits) { _ in }
            let ended = Box(0)
            let clients = try (0..<5).map { _ in
                let client = try StreamConnection.connect(to: listener.localAddress, loop: loop)
                client.onEnd = { _ in
                    ended.value += 1
                    if ended.value == 3 { done(listener.refused) }
                }
                return client
            }
            loop.schedule(at: .distantFuture) { _ = clients }
        }
        #expect(refused == 3)
    }

    @Test("The place of a connection that has ended is free")
    func freedPlace() async throws {
        let refused: Int = try await onLoop { loop, done in
            var limits = StreamLimits()
            limits.connections = 1
            let (accepted, clients) = (Box(0), Box<[StreamConnection]>([]))
            let listener = Box<StreamListener?>(nil)
            func again() throws {
                guard let address = listener.value?.localAddress else { return }
                clients.value.append(try StreamConnection.connect(to: address, loop: loop))
            }
            listener.value = try StreamListener(bind: Self.loopback, loop: loop, limits: limits) { connection in
                accepted.value += 1
                if accepted.value == 3 { return done(listener.value?.refused ?? -1) }
                connection.close()
                try? again()
            }
            try again()
        }
        #expect(refused == 0)
    }

    @Test("Connecting to a port where nobody listens fails with a text that says so")
    func refusedConnection() async throws {
        let text: String = try await onLoop { loop, done in
            let listener = try StreamListener(bind: Self.loopback, loop: loop) { _ in }
            let address = listener.localAddress
            listener.close()
            let client = try StreamConnection.connect(to: address, loop: loop)
            client.onEnd = { reason in
                if case .failed(let error) = reason { done(error.description(setting: "TANDEM_PROXY")) } else { done("\(reason)") }
            }
            loop.schedule(at: .distantFuture) { _ = client }
        }
        #expect(text.hasPrefix("nothing listens at TCP 127.0.0.1:"))
        #expect(text.hasSuffix(": start it or set TANDEM_PROXY"))
    }
}
