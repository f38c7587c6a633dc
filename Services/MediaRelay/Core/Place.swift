import Addresses
import SDP

/// An address of the relay for phones of one family: what they are told, and what its sockets are bound to.
struct Place: Hashable, Sendable {
    /// What phones are told to send to.
    var media: IPAddress
    /// Another one behind a one-to-one NAT or in a container.
    var listen: IPAddress

    var isIPv4: Bool { media.isIPv4 }

    /// What ICE calls a port there.
    func base(_ port: UInt16) -> SocketAddress { SocketAddress(listen, port: port) }
}

extension RelaySettings {
    var primary: Place { Place(media: media, listen: listen) }

    /// Where phones of that family are met; nil: nowhere.
    func place(isIPv4: Bool) -> Place? { [primary, place6].compactMap(\.self).first { $0.isIPv4 == isIPv4 } }

    /// The place in whose family a description is written. With ICE the other family's is tried as well.
    func place(of description: SessionDescription) -> Place {
        guard let index = description.media.firstIndex(where: { $0.kind == "audio" && $0.port != 0 }),
            description.connectivity(ofMedia: index) == nil, let address = description.connection(ofMedia: index)?.ipAddress
        else { return primary }
        return place(isIPv4: address.isIPv4) ?? primary
    }

    /// Beside that one, where there is one.
    func other(than place: Place) -> Place? { self.place(isIPv4: !place.isIPv4) }
}
