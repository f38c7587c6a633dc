public import Addresses

/// What names a request of ours wherever it passes (RFC 3261 §17.2.3): sent-by and branch of its Via. Who keeps it can have another
/// layer, perhaps of another process at another address, send the same request again and take its responses.
public struct TransactionName: Sendable, Hashable, Codable {
    public let sentBy: SocketAddress
    public let branch: String

    init(sentBy: SocketAddress, branch: String) { (self.sentBy, self.branch) = (sentBy, branch) }

    func via(_ transport: Transport) -> Via {
        var via = Via(transport: transport, sentBy: sentBy, branch: branch)
        via.parameters.set("rport", nil)
        return via
    }
}
