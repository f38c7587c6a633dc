import Addresses
import Contracts
import ServiceKit

extension Directory {
    init(_ fleet: Fleet, _ trunks: Trunks) {
        self.trunks = trunks
        registrars = Servers(Self.servers(fleet, .registrar))
        callServers = Servers(Self.servers(fleet, .callServer))
    }

    /// Those that have said where their SIP socket is.
    private static func servers(_ fleet: Fleet, _ service: ServiceName) -> [Server] {
        fleet.living(service).compactMap { announcement in
            announcement.addresses["sip"].flatMap { SocketAddress($0) }.map {
                Server(instance: announcement.instance, address: $0, isDraining: announcement.draining)
            }
        }
    }
}

extension Fleet {
    /// Nobody listens where this instance said that its SIP socket is.
    func forget(sipAt address: SocketAddress) {
        for service in [ServiceName.callServer, .registrar] {
            for announcement in living(service) where announcement.addresses["sip"].flatMap({ SocketAddress($0) }) == address {
                forget(service, instance: announcement.instance)
            }
        }
    }
}

extension AccountCache.Key {
    /// The extension an event is about; nil when it does not say, or when it is about more than one.
    init?(changedBy event: Event) {
        guard event.type.hasPrefix("extension."), let number = event.data.object?["number"]?.string,
            let domain = event.data.object?["domain"]?.string
        else { return nil }
        self.init(user: number, domain: domain)
    }
}
