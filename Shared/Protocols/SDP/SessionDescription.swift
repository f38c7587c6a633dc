/// A session description (RFC 8866): the session level and its media.
///
/// Parsing keeps every line; printing writes them in the order of RFC 8866 §5, so what came in that order goes out unchanged.
public struct SessionDescription: Hashable, Sendable {
    public var origin: Origin
    public var name: String
    public var connection: Connection?
    public var attributes: [Attribute]
    public var otherLines: [Line]
    public var media: [MediaDescription]

    public init(
        origin: Origin, name: String = "-", connection: Connection? = nil, attributes: [Attribute] = [],
        otherLines: [Line] = [Line("t", "0 0")], media: [MediaDescription] = []
    ) {
        (self.origin, self.name, self.connection) = (origin, name, connection)
        (self.attributes, self.otherLines, self.media) = (attributes, otherLines, media)
    }

    /// Where the media of that index is wanted: its own `c=` line or the session's.
    public func connection(ofMedia index: Int) -> Connection? {
        media.indices.contains(index) ? media[index].connection ?? connection : nil
    }

    /// The direction of that media: its own, the session's, or `sendrecv` (RFC 8866 §6.7).
    public func direction(ofMedia index: Int) -> Direction {
        if media.indices.contains(index), let own = media[index].direction { return own }
        return attributes.lazy.compactMap { $0.value == nil ? Direction(rawValue: $0.name) : nil }.first ?? .sendReceive
    }
}

/// Bounds that hold before anything is kept: a description is a few hundred bytes, a browser's a few thousand.
enum Limits {
    static let bytes = 32 * 1024
    static let lines = 1024
    static let media = 16
    static let formats = 64
}
