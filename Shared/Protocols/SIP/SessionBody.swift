internal import Bytes

/// What the body of a message is to one that knows session descriptions and nothing else (RFC 3261 §8.2.3, RFC 5621).
public struct SessionBody: Sendable, Equatable {
    public enum Defect: Sendable {
        /// Something has to be understood and is not (RFC 3261 §8.2.3): 415.
        case notUnderstood
        /// Its parts cannot be told apart: 400.
        case malformed
    }

    /// The session description, where it lies in the message; of several the first.
    public var description: Range<Int>?
    /// Why a request with it is to be refused.
    public var defect: Defect?

    /// For the `Accept` of a 415 (RFC 3261 §21.4.13).
    public static let accepted = "application/sdp, multipart/mixed, multipart/alternative"
    /// A multipart in a multipart in a multipart; nobody has more in earnest.
    private static let deepest = 3

    /// `usually`: the type of what names none.
    fileprivate static func read(_ head: EntityHead, _ content: Range<Int>, in bytes: Span<UInt8>, usually: String, depth: Int) -> SessionBody {
        let (type, purpose) = (head.typeName(in: bytes) ?? usually, head.purpose(in: bytes))
        let unknown = SessionBody(defect: purpose.isOptional ? nil : .notUnderstood)
        guard head.isPlain(in: bytes) else { return unknown }
        if type == "application/sdp" {
            // RFC 3959 §4: an early session is one of its own.
            return purpose.type == "early-session" ? unknown : SessionBody(description: content.isEmpty ? nil : content)
        }
        guard type.hasPrefix("multipart/") else { return unknown }
        var body = parts(head, content, in: bytes, isAlternative: type == "multipart/alternative", depth: depth)
        if purpose.isOptional { body.defect = nil }
        return body
    }

    private static func parts(_ head: EntityHead, _ content: Range<Int>, in bytes: Span<UInt8>, isAlternative: Bool, depth: Int) -> SessionBody {
        guard depth <= deepest, let boundary = head.boundary(in: bytes), let body = try? MultipartBody(bytes, content, boundary: boundary)
        else { return SessionBody(defect: .malformed) }
        var found: [SessionBody] = []
        // RFC 2046 §5.1: a part that names no type is text.
        for part in body.parts { found.append(read(part.head, part.content, in: bytes, usually: "text/plain", depth: depth + 1)) }
        let understood = found.filter { $0.defect == nil }
        guard !isAlternative else {
            // The last that is understood (RFC 2046 §5.1.4).
            let described = understood.last { $0.description != nil }
            return described ?? understood.last ?? SessionBody(defect: .notUnderstood)
        }
        return SessionBody(
            description: found.first { $0.description != nil }?.description, defect: found.first { $0.defect != nil }?.defect)
    }
}

extension Message {
    public var sessionBody: SessionBody {
        guard !bodyRange.isEmpty else { return SessionBody() }
        let head = EntityHead(
            type: first(.contentType)?.valueRange, disposition: first(.contentDisposition)?.valueRange,
            encoding: first(.contentEncoding)?.valueRange)
        // Who leaves out what it is can only mean what all others send.
        return SessionBody.read(head, bodyRange, in: bytes.span, usually: "application/sdp", depth: 1)
    }
}
