import Addresses
import Datagrams
import Deadlines
import Streams
import Synchronization
import Testing
import Threads

@Suite("Streams: connections that are kept")
struct PeerStreamsTests {
    private static let addresses = Atomic<UInt32>(0)

    /// Nobody else's: ports of 127.0.0.1 that one test lets go are another's at once.
    private static func freeAddress() -> SocketAddress {
        SocketAddress(IPAddress(v4: 0x7f4d_0000 + addresses.add(1, ordering: .relaxed).newValue), port: 5060)
    }

    private struct PatienceEnded: Error {}

    private final class Box<T> {
        var value: T
        init(_ value: T) { self.value = value }
    }

    /// Runs `body` on a fresh loop until it says that it is done; what it returns lives so long.
    private func onLoop<T: Sendable>(_ body: @escaping @Sendable (EventLoop, @escaping (T) -> Void) throws -> [AnyObject]) async throws -> T {
        let loop = EventLoop(name: "peers")
        loop.start()
        defer { loop.stop() }
        return try await withCheckedThrowingContinuation { answer in
            loop.post {
                let isDone = Atomic<Bool>(false)
                do {
                    let kept = try body(loop) { value in
                        if !isDone.exchange(true, ordering: .relaxed) { answer.resume(returning: value) }
                    }
                    loop.schedule(at: loop.now + .seconds(30)) {
                        _ = kept
                        if !isDone.exchange(true, ordering: .relaxed) { answer.resume(throwing: PatienceEnded()) }
                    }
                } catch { answer.resume(throwing: error) }
            }
        }
    }

    private static func peerStreams(
        _ loop: EventLoop, keepAlive: Interval = .seconds(30), opened: @escaping (StreamConnection) -> Void = { _ in },
        changed: @escaping (SocketAddress, Bool) -> Void = { _, _ in }
    ) throws -> (PeerStreams, SocketAddress) {
        let address = freeAddress()
        return (
            try PeerStreams(
                listen: address, loop: loop, limits: StreamLimits(), keepAlive: .init([13, 10, 13, 10], every: keepAlive), opened: opened, changed: changed),
            address
        )
    }

    @Test("What is written to a peer arrives, and the answer comes back over the same connection")
    func bothWays() async throws {
        let heard: [String] = try await onLoop { loop, done in
            let heard = Box<[String]>([])
            let server = Box<PeerStreams?>(nil)
            let (listening, address) = try Self.peerStreams(loop, opened: { connection in
                connection.onBytes = { bytes in
                    heard.value.append("server \(bytes.count)")
                    _ = server.value?.send([1, 2], to: connection.peer)
                }
            })
            server.value = listening
            let client = Box<PeerStreams?>(nil)
            let (connecting, _) = try Self.peerStreams(loop, opened: { connection in
                connection.onBytes = { bytes in
                    heard.value.append("client \(bytes.count)")
                    done(heard.value)
                }
            }, changed: { peer, isOpen in
                if isOpen { _ = client.value?.send([1, 2, 3], to: peer) }
            })
            client.value = connecting
            connecting.keep([address])
            return [listening, connecting, server, client]
        }
        #expect(heard == ["server 3", "client 2"])
    }

    @Test("A connection that ends is made again, and in between nothing can be sent")
    func reconnects() async throws {
        let changes: [Bool] = try await onLoop { loop, done in
            let changes = Box<[Bool]>([])
            let (listening, address) = try Self.peerStreams(loop, opened: { connection in
                // The first of them is cut by the other side.
                if changes.value.isEmpty { loop.schedule(at: loop.now + .milliseconds(5)) { connection.close() } }
            })
            let client = Box<PeerStreams?>(nil)
            let (connecting, _) = try Self.peerStreams(loop, changed: { peer, isOpen in
                changes.value.append(isOpen)
                #expect(client.value?.isConnected(to: peer) == isOpen)
                #expect(client.value?.send([1], to: peer) == isOpen)
                if changes.value.count == 3 { done(changes.value) }
            })
            client.value = connecting
            connecting.keep([address])
            return [listening, connecting, client]
        }
        #expect(changes == [true, false, true])
    }

    @Test("Where nobody listens there is no connection, until somebody does")
    func lateServer() async throws {
        let isConnected: Bool = try await onLoop { loop, done in
            let address = Self.freeAddress()
            let late = Box<StreamListener?>(nil)
            let client = Box<PeerStreams?>(nil)
            let (connecting, _) = try Self.peerStreams(loop, changed: { peer, _ in
                done(late.value != nil && client.value?.isConnected(to: peer) == true)
            })
            client.value = connecting
            connecting.keep([address])
            #expect(!connecting.send([1], to: address))
            loop.schedule(at: loop.now + .milliseconds(120)) {
                late.value = try? StreamListener(bind: address, loop: loop) { _ in }
            }
            return [connecting, client, late]
        }
        #expect(isConnected)
    }

    @Test("A peer that is no longer wanted is let go, one that stays keeps its connection")
    func letGo() async throws {
        let ended: [SocketAddress] = try await onLoop { loop, done in
            let (first, firstAddress) = try Self.peerStreams(loop)
            let (second, secondAddress) = try Self.peerStreams(loop)
            let (ended, open) = (Box<[SocketAddress]>([]), Box(0))
            let client = Box<PeerStreams?>(nil)
            let (connecting, _) = try Self.peerStreams(loop, changed: { peer, isOpen in
                if isOpen { open.value += 1 } else { ended.value.append(peer) }
                guard open.value == 2, isOpen else { return }
                client.value?.keep([secondAddress])
                #expect(client.value?.isConnected(to: secondAddress) == true)
                done(ended.value == [firstAddress] ? [] : ended.value)
            })
            client.value = connecting
            connecting.keep([firstAddress, secondAddress])
            return [first, second, connecting, client]
        }
        #expect(ended.isEmpty)
    }

    @Test("RFC 5626 §3.5.1: a silent connection is kept alive; one that cannot be read on is dropped and made again")
    func keepAliveAndDrop() async throws {
        let heard: [[UInt8]] = try await onLoop { loop, done in
            let heard = Box<[[UInt8]]>([])
            let (listening, address) = try Self.peerStreams(loop, opened: { connection in
                connection.onBytes = { bytes in
                    heard.value.append(bytes.indices.map { bytes[$0] })
                    if heard.value.count == 2 { done(heard.value) } else { connection.write([0]) }
                }
            })
            let client = Box<PeerStreams?>(nil)
            let (connecting, _) = try Self.peerStreams(loop, keepAlive: .milliseconds(10), opened: { connection in
                connection.onBytes = { [unowned connection] _ in client.value?.drop(connection) }
            })
            client.value = connecting
            connecting.keep([address])
            return [listening, connecting, client]
        }
        #expect(heard == [[13, 10, 13, 10], [13, 10, 13, 10]])
    }

    @Test("RFC 3261 §18.1.1: a peer that no connection is kept to gets one when it is needed, for all that follows")
    func connecting() async throws {
        let heard: (lengths: Int, connections: Int) = try await onLoop { loop, done in
            let (lengths, connections) = (Box(0), Box(0))
            let (listening, address) = try Self.peerStreams(loop, opened: { connection in
                connections.value += 1
                connection.onBytes = { bytes in
                    lengths.value += bytes.count
                    if lengths.value == 220_003 { done((lengths.value, connections.value)) }
                }
            })
            let (sending, _) = try Self.peerStreams(loop)
            var rest = [3, 120_000, 100_000]
            func send() {
                guard let length = rest.popLast() else { return }
                let bytes = [UInt8](repeating: 1, count: length)
                #expect(sending.send(bytes, connectingTo: address) { Issue.record("somebody listens there") })
                #expect(!sending.isConnected(to: address), "it is nobody's to keep")
                loop.schedule(at: loop.now + .milliseconds(5)) { send() }
            }
            send()
            return [listening, sending]
        }
        #expect(heard == (220_003, 1))
    }

    @Test("Where nobody listens, that is told, and the next attempt is a new one")
    func unreachable() async throws {
        let attempts: Int = try await onLoop { loop, done in
            let address = Self.freeAddress()
            let (sending, _) = try Self.peerStreams(loop)
            func attempt(_ number: Int) {
                // Loopback may refuse at once.
                func failed() { if number == 2 { done(number) } else { attempt(number + 1) } }
                if !sending.send([1], connectingTo: address, unreachable: failed) { failed() }
            }
            attempt(1)
            return [sending]
        }
        #expect(attempts == 2)
    }
}
