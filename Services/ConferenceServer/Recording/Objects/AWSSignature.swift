import Bytes
import Cryptography

/// Signature Version 4 of AWS, as S3 and those that are compatible with it take it: a code over the parts of a request that count.
struct AWSSignature: Sendable {
    let keyID: String
    let secret: String
    let region: String
    var service = "s3"

    /// What a request is; `path` and `query` are not encoded yet, names of headers are in lower case.
    struct Request: Sendable {
        var method: String
        var path: String
        var query: [(name: String, value: String)] = []
        /// `host`, `x-amz-date` and what else is to be signed.
        var headers: [(name: String, value: String)]
        /// SHA-256 of the body in hexadecimal.
        var payload: String
    }

    /// The field `Authorization`; `date` as in `20130524T000000Z`.
    func authorization(_ request: Request, date: String) -> String {
        let scope = "\(date.prefix(8))/\(region)/\(service)/aws4_request"
        let signed = request.headers.map(\.name).sorted().joined(separator: ";")
        return "AWS4-HMAC-SHA256 Credential=\(keyID)/\(scope),SignedHeaders=\(signed),Signature=\(signature(request, date: date))"
    }

    func signature(_ request: Request, date: String) -> String {
        let day = String(date.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let canonical = Self.hexadecimal(DigestAlgorithm.sha256.hash(Self.canonical(request)))
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(canonical)"
        var key = Array("AWS4\(secret)".utf8)
        for word in [day, region, service, "aws4_request"] { key = DigestAlgorithm.sha256.authenticate(Array(word.utf8), key: key) }
        return Self.hexadecimal(DigestAlgorithm.sha256.authenticate(Array(text.utf8), key: key))
    }

    private static func canonical(_ request: Request) -> String {
        let headers = request.headers.sorted { $0.name < $1.name }
        return [
            request.method, encoded(path: request.path), encoded(query: request.query),
            headers.map { "\($0.name):\($0.value)\n" }.joined(), headers.map(\.name).joined(separator: ";"), request.payload,
        ].joined(separator: "\n")
    }

    /// Each segment by itself, once.
    static func encoded(path: String) -> String { encoded(path, keeping: "/") }

    static func encoded(query: [(name: String, value: String)]) -> String {
        query.map { (encoded($0.name), encoded($0.value)) }.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    private static func encoded(_ text: String, keeping others: String = "") -> String {
        var bytes: [UInt8] = []
        let kept = Array(("-._~" + others).utf8)
        for byte in text.utf8 {
            if ASCII.isLetter(byte) || ASCII.isDigit(byte) || kept.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += Array("%".utf8) + Array(hexadecimal([byte]).uppercased().utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String { Hexadecimal.encode(bytes) }

    /// `2013-05-24T00:00:00.000Z` as signatures have it.
    static func date(_ timestamp: String) -> String {
        timestamp.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }
}
