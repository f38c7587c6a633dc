import Deadlines
import SIP
import Streams

/// A phone connected by TCP; TLS and WebSocket will be further kinds of framing in front of the same messages.
struct StreamPeer {
    let connection: StreamConnection
    var framer = MessageFramer()
    var hasGreeted = false
}

extension EdgeLoop {
    func accept(_ connection: StreamConnection) {
        let number = UInt32(truncatingIfNeeded: connection.id.number)
        peers[number] = StreamPeer(connection: connection)
        Traffic.connections.add(1)
        connection.onBytes = { bytes in self.received(Self.copy(bytes), on: number) }
        connection.onEnd = { _ in self.forget(number) }
        // Who connects and says nothing holds a place that a phone could have.
        loop.schedule(at: loop.now + settings.greeting) {
            if self.peers[number]?.hasGreeted == false { self.close(number) }
        }
    }

    private func received(_ bytes: [UInt8], on number: UInt32) {
        peers[number]?.framer.append(bytes)
        do throws(ParseError) {
            while let output = try peers[number]?.framer.next() {
                switch output {
                case .message(let message): receive(message, on: number)
                case .ping:
                    Traffic.keepAlives.add()
                    peers[number]?.connection.write([13, 10])
                case .pong:
                    Traffic.keepAlives.add()
                }
            }
        } catch {
            // A stream that has lost its framing cannot be read on.
            Traffic.count(error)
            close(number)
        }
    }

    private func receive(_ message: Message, on number: UInt32) {
        guard let peer = peers[number] else { return }
        peers[number]?.hasGreeted = true
        receiveOutside(message, Arrival(source: peer.connection.peer, transport: .tcp, connection: number))
    }

    /// False when there is no such connection: it ended, or its number is from an earlier life of this port.
    func writeStream(_ bytes: [UInt8], _ token: FlowToken) -> Bool {
        guard token.inside == inside, token.generation == core.configuration.generation, let peer = peers[token.connection],
            peer.connection.peer == token.remote
        else { return false }
        return peer.connection.write(bytes)
    }

    private func close(_ number: UInt32) {
        peers[number]?.connection.close()
        forget(number)
    }

    private func forget(_ number: UInt32) {
        if peers.removeValue(forKey: number) != nil { Traffic.connections.add(-1) }
    }
}
