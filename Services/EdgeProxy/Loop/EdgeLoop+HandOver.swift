import Addresses
import Contracts
import SIP
import ServiceKit

extension EdgeLoop {
    /// Gives a message for a connection that is not ours to the loop that holds it; false when there is none that lives, or when
    /// the message has been given to us already.
    func handOver(_ message: borrowing MessageView, _ token: FlowToken, _ origin: Origin) -> Bool {
        guard !origin.isHandedOver, token.transport.isReliable, token.inside != inside,
            neighbours.include(token.inside, now: loop.now)
        else { return false }
        let isHandedOver = message.bodyRange.upperBound <= settings.longestDatagram
            ? handOverAsDatagram(message, token, origin) : handOverByStream(message, token, origin) || handOverAsDatagram(message, token, origin)
        if isHandedOver { Traffic.handedOver.add() } else { Traffic.count(.unsendable) }
        return isHandedOver
    }

    private func handOverAsDatagram(_ message: borrowing MessageView, _ token: FlowToken, _ origin: Origin) -> Bool {
        if insideBatch.isFull { insideSocket.send(&insideBatch) }
        var isWritten = false
        _ = insideBatch.append(to: token.inside) { output in
            isWritten = core.writeHandOver(message, from: origin.server, into: &output)
        }
        return isWritten
    }

    /// What is too long for a datagram goes as it does to servers (RFC 3261 §18.1.1).
    private func handOverByStream(_ message: borrowing MessageView, _ token: FlowToken, _ origin: Origin) -> Bool {
        guard let bytes = core.handOver(message, from: origin.server) else { return false }
        return sendInside(bytes, connectingTo: token.inside)
    }
}

extension Neighbours {
    /// The inside addresses of all edges that have said where they are.
    static func living(_ fleet: Fleet) -> Set<SocketAddress> {
        Set(
            fleet.living(.edgeProxy).flatMap { announcement in
                (announcement.addresses["inside"] ?? "").split(separator: " ").compactMap { SocketAddress(String($0)) }
            })
    }
}
