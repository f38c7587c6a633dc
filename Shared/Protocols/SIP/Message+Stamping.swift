internal import Addresses
internal import Bytes

extension Message {
    /// The first Via field, with where the request really came from as far as its sender has not said so (RFC 3261 §18.2.1, RFC 3581
    /// §4); nil when there is nothing to add. Of a request that cannot be read, too: its sender may be behind a NAT like any other.
    func stampedViaField(source: SocketAddress) -> String? {
        guard let field = first(.via), let via = view.replyVia else { return nil }
        let isNamed = IPAddress(parsing: bytes.span.extracting(via.host)) == source.address
        guard via.wantsSourcePort || !isNamed || via.received != nil else { return nil }
        // Before the other parameters: what cannot be read among them has no end that could be relied on.
        var copied = via.sentBy.upperBound
        var value = unfolded(field.valueRange.lowerBound..<copied)
        if via.wantsSourcePort || !isNamed { value += ";received=\(source.address)" }
        if via.wantsSourcePort { value += ";rport=\(source.port)" }
        let replaced = [via.received, via.rport].compactMap(\.self).sorted { $0.lowerBound < $1.lowerBound }
        for range in replaced where range.lowerBound >= copied {
            value += unfolded(copied..<range.lowerBound)
            copied = range.upperBound
        }
        return value + unfolded(copied..<field.valueRange.upperBound)
    }
}
