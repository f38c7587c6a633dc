import Addresses
import Deadlines
import SIP

/// How a message came in from outside: enough to answer it and to find its sender again.
struct Arrival: Sendable, Hashable {
    let source: SocketAddress
    let transport: Transport
    /// The stream connection in the table of its loop; zero for a datagram.
    var connection: UInt32 = 0
    /// What the sender's certificate was verified for (RFC 5922 §7.1); most phones have none.
    var certificateNames: [String] = []
    /// When the loop read it.
    let received: Instant
}

/// Where a forwarded message leaves.
enum Destination: Sendable, Hashable {
    /// A server on the inside network, from the loop's inside socket.
    case server(SocketAddress)
    /// The same, over the connection it made from this port while that is open.
    case connectedServer(SocketAddress, from: UInt16)
    /// A phone: a datagram from the outside socket, or the stream connection that the token names.
    case flow(FlowToken)

    /// What it is spoken to over; servers take datagrams.
    var transport: Transport {
        switch self {
        case .server, .connectedServer: .udp
        case .flow(let token): token.transport
        }
    }
}

/// What is to be done with a message: the core decides, the loop does it.
enum Decision: Sendable {
    /// `Forwarding.write` makes the bytes of the message that was judged.
    case forward(Forwarding, to: Destination)
    /// Back to whoever sent it.
    case reply([UInt8], status: Int)
    /// The same towards the outside: over a stream on its connection, as a datagram to this address.
    case replyOutside([UInt8], status: Int, to: SocketAddress)
    /// Goes on in `ProxyCore.resume` when the account is known.
    case authenticate(PendingAuthentication)
    /// To be judged again when it is known whether anybody has the domain.
    case awaitDomain(String)
    /// Not admitted: `ProxyCore.turnAway` makes the answer, if it is to have one.
    case turnAway(AdmissionReason)
    /// Nobody is there who could serve it: likewise, with a time to come back at, which is different for each.
    case unavailable
    case drop(DropReason)
}

/// Why a message vanishes without an answer; each has a counter.
enum DropReason: Int, Sendable, CaseIterable {
    case malformed, unanswerable, foreignResponse, ownAcknowledgement, noServer, connectionGone, parkingFull, unsendable
}
