// Candidates that come after the description, in the body of an INFO (RFC 8840 §9).
extension SessionDescription {
    /// Parses `application/trickle-ice-sdpfrag`: a description without its head, whose media have credentials, tags and candidates.
    public static func parse(trickled bytes: [UInt8]) throws(ParseError) -> SessionDescription {
        let head = Array("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\n".utf8)
        do {
            return try parse(head + bytes)
        } catch {
            // Lines are counted in what came.
            guard case .malformed(let line) = error else { throw error }
            throw .malformed(line: max(1, line - 2))
        }
    }

    /// The media with that tag.
    public func index(ofMedia mid: String) -> Int? { media.firstIndex { $0.mid == mid } }

    /// Of candidates that came later, those for the stream with that tag (RFC 8840 §4.4). Where one of the two has none, a single line can only
    /// mean the stream. Nil: nothing is said of it, or not whose candidates they are.
    public func trickled(for mid: String?) -> Connectivity? {
        if let named = mid.flatMap({ index(ofMedia: $0) }) { return connectivity(ofMedia: named) }
        guard media.count == 1, let line = media.first, mid == nil || line.mid == nil else { return nil }
        return connectivity(ofMedia: 0)
    }
}
