public import Addresses
public import AsyncHTTPClient
public import NIOCore

extension HTTPClient {
    /// Calls `body` with a client that takes `host` to be at `address`, whatever a name server says meanwhile: the address that was
    /// checked. It follows no redirect, and belongs to this call alone.
    public static func pinned<Value: Sendable>(
        _ host: String, to address: IPAddress, read: TimeAmount? = nil, _ body: @Sendable (HTTPClient) async -> Value
    ) async -> Value {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.dnsOverride = [host: address.description]
        configuration.timeout.connect = .seconds(3)
        configuration.timeout.read = read
        configuration.httpVersion = .http1Only
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let value = await body(client)
        // All that was asked of it has been answered.
        try? await client.shutdown()
        return value
    }
}
