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
        if insideBatch.isFull { insideSocket.send(&insideBatch) }
        var isWritten = false
        _ = insideBatch.append(to: token.inside) { output in
            isWritten = core.writeHandOver(message, from: origin.server, into: &output)
        }
        if isWritten { Traffic.handedOver.add() } else { Traffic.count(.unsendable) }
        return isWritten
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
