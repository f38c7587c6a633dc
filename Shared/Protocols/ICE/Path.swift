public import Addresses

/// Where datagrams of a component leave and where they go: our base and their address (RFC 8445 §4).
public struct Path: Hashable, Sendable, Codable {
    public let component: Component
    public let base: SocketAddress
    public let remote: SocketAddress

    public init(component: Component, base: SocketAddress, remote: SocketAddress) {
        (self.component, self.base, self.remote) = (component, base, remote)
    }
}
