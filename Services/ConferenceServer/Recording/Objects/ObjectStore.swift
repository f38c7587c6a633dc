import AsyncHTTPClient
import Contracts
import Cryptography
import NIOCore
import ServiceKit

/// A bucket of S3, or of a store that speaks its protocol: objects are put, read in ranges, and deleted. Buckets are named in the path,
/// which all of them understand.
struct ObjectStore: Sendable {
    /// What is longer goes up in pieces.
    static let usualPiece = 8 << 20
    private static let timeout = TimeAmount.seconds(60)
    private static let largestAnswer = 1 << 20

    let url: String
    let host: String
    let bucket: String
    let prefix: String
    let signature: AWSSignature
    var piece = usualPiece
    let now: @Sendable () -> Timestamp

    static let declared = [
        Setting("TANDEM_RECORDING_S3_URL", default: "", "address of an S3-compatible store that keeps recordings; empty: the folder keeps them"),
        Setting("TANDEM_RECORDING_S3_BUCKET", default: "", "its bucket, which must be there"),
        Setting("TANDEM_RECORDING_S3_PREFIX", default: "", "what the names of recordings begin with there"),
        Setting("TANDEM_RECORDING_S3_REGION", default: "us-east-1", "its region"),
        Setting(
            "TANDEM_RECORDING_S3_KILOBYTES", .integer(64...5_242_880), default: "8192",
            "what is longer goes up in pieces of so much; Amazon's store wants 5120 at least"),
        Setting("TANDEM_RECORDING_S3_KEY_ID", .secret, default: "", "id of the access key"),
        Setting("TANDEM_RECORDING_S3_SECRET", .secret, default: "", "the access key's secret"),
    ]

    /// What is wrong with them together.
    static func check(_ settings: Settings) throws { _ = try ObjectStore(settings) { Timestamp(milliseconds: 0) } }

    /// Nil when there is none. The address is the operator's own, so it may be a private one.
    init?(_ settings: Settings, now: @escaping @Sendable () -> Timestamp) throws {
        var url = settings.text("TANDEM_RECORDING_S3_URL")
        guard !url.isEmpty else { return nil }
        while url.hasSuffix("/") { url.removeLast() }
        let (bucket, id, secret) = (
            settings.text("TANDEM_RECORDING_S3_BUCKET"), settings.text("TANDEM_RECORDING_S3_KEY_ID"),
            settings.text("TANDEM_RECORDING_S3_SECRET")
        )
        guard !bucket.isEmpty, !id.isEmpty, !secret.isEmpty else {
            throw ConfigurationError("TANDEM_RECORDING_S3_URL wants TANDEM_RECORDING_S3_BUCKET, _KEY_ID and _SECRET as well")
        }
        try self.init(
            url: url, bucket: bucket, prefix: settings.text("TANDEM_RECORDING_S3_PREFIX"),
            signature: AWSSignature(keyID: id, secret: secret, region: settings.text("TANDEM_RECORDING_S3_REGION")), now: now)
        piece = settings.integer("TANDEM_RECORDING_S3_KILOBYTES") << 10
    }

    init(url: String, bucket: String, prefix: String = "", signature: AWSSignature, now: @escaping @Sendable () -> Timestamp) throws {
        let scheme = ["https://", "http://"].first { url.hasPrefix($0) }
        guard let scheme, !url.dropFirst(scheme.count).contains("/") else {
            throw ConfigurationError("TANDEM_RECORDING_S3_URL is '\(url)': give http(s)://HOST or http(s)://HOST:PORT")
        }
        (self.url, self.bucket, self.prefix, self.signature, self.now) = (url, bucket, prefix, signature, now)
        host = String(url.dropFirst(scheme.count))
    }

    // MARK: Objects

    /// Puts a file there, whole; `note` is told of an upload in pieces while it lasts.
    func put(_ path: String, as key: String, note: (String?) async throws -> Void) async throws {
        guard let length = LocalFile.length(path) else { throw RecordingTrouble.missing(path) }
        guard length > piece else {
            _ = try await ask("PUT", key, body: try await bytes(of: path, 0, length), expecting: [200])
            return
        }
        let begun = try await ask("POST", key, [("uploads", "")], expecting: [200])
        guard let upload = Self.element("UploadId", of: begun.body) else { throw RecordingTrouble.away("\(host) names no upload") }
        try await note(upload)
        do {
            try await putPieces(path, length, as: key, upload)
        } catch {
            // What has come there would be kept, and paid for.
            try? await abort(upload, of: key)
            throw error
        }
        try await note(nil)
    }

    private func putPieces(_ path: String, _ length: Int, as key: String, _ upload: String) async throws {
        var list = ""
        var (number, offset) = (1, 0)
        while offset < length {
            let bytes = try await bytes(of: path, offset, min(piece, length - offset))
            guard !bytes.isEmpty else { throw RecordingTrouble.damaged("\(path) is shorter than it was") }
            let answer = try await ask(
                "PUT", key, [("partNumber", "\(number)"), ("uploadId", upload)], body: bytes, expecting: [200])
            guard let tag = answer.headers.first(name: "etag") else { throw RecordingTrouble.away("\(host) gives no ETag") }
            list += "<Part><PartNumber>\(number)</PartNumber><ETag>\(Self.escaped(tag))</ETag></Part>"
            (number, offset) = (number + 1, offset + bytes.count)
        }
        let body = "<CompleteMultipartUpload>\(list)</CompleteMultipartUpload>"
        let done = try await ask("POST", key, [("uploadId", upload)], body: Array(body.utf8), expecting: [200])
        // An error may come after the head has said 200.
        guard String(decoding: done.body, as: UTF8.self).contains("CompleteMultipartUploadResult") else {
            throw RecordingTrouble.away("\(host) did not put the pieces together")
        }
    }

    /// Of an upload that will not go on; one that is no more is none.
    func abort(_ upload: String, of key: String) async throws {
        _ = try await ask("DELETE", key, [("uploadId", upload)], expecting: [204, 200, 404])
    }

    /// In bytes; nil when it is not there.
    func length(of key: String) async throws -> Int? {
        let answer = try await ask("HEAD", key, expecting: [200, 404])
        guard answer.status == 200 else { return nil }
        return answer.headers.first(name: "content-length").flatMap { Int($0) }
    }

    func read(_ key: String, _ offset: Int, _ count: Int) async throws -> [UInt8] {
        guard count > 0 else { return [] }
        let answer = try await ask(
            "GET", key, headers: [("range", "bytes=\(offset)-\(offset + count - 1)")], expecting: [206, 200, 416])
        switch answer.status {
        case 206: return answer.body
        case 200: return Array(answer.body.dropFirst(offset).prefix(count))
        default: return []
        }
    }

    func delete(_ key: String) async throws { _ = try await ask("DELETE", key, expecting: [204, 200, 404]) }

    private func bytes(of path: String, _ offset: Int, _ count: Int) async throws -> [UInt8] {
        try await Completion.threads.trouble { () throws(RecordingTrouble) in try LocalFile.read(path, offset, count) }
    }

    // MARK: Requests

    private struct Answer {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: [UInt8]
    }

    private static let client = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: {
            var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
            configuration.timeout.connect = .seconds(3)
            configuration.timeout.read = .seconds(30)
            configuration.httpVersion = .http1Only
            return configuration
        }())

    private func ask(
        _ method: String, _ key: String, _ query: [(name: String, value: String)] = [], headers: [(name: String, value: String)] = [],
        body: [UInt8] = [], expecting statuses: [Int]
    ) async throws -> Answer {
        let (date, payload) = (AWSSignature.date(now().description), AWSSignature.hexadecimal(DigestAlgorithm.sha256.hash(body)))
        let path = "/\(bucket)/\(prefix)\(key)"
        let signed = headers + [("host", host), ("x-amz-content-sha256", payload), ("x-amz-date", date)]
        let authorization = signature.authorization(
            .init(method: method, path: path, query: query, headers: signed, payload: payload), date: date)
        let search = query.isEmpty ? "" : "?" + AWSSignature.encoded(query: query)
        var request = HTTPClientRequest(url: url + AWSSignature.encoded(path: path) + search)
        request.method = .init(rawValue: method)
        for (name, value) in signed where name != "host" { request.headers.add(name: name, value: value) }
        request.headers.add(name: "host", value: host)
        request.headers.add(name: "authorization", value: authorization)
        if !body.isEmpty || method == "PUT" || method == "POST" { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response: HTTPClientResponse
        let answer: [UInt8]
        do {
            response = try await Self.client.execute(request, timeout: Self.timeout)
            let limit = max(Self.largestAnswer, ReadRecording.longestPiece * 2)
            answer = method == "HEAD" ? [] : Array(try await response.body.collect(upTo: limit).readableBytesView)
        } catch {
            throw RecordingTrouble.away("\(host): \(error)")
        }
        let status = Int(response.status.code)
        guard statuses.contains(status) else {
            throw RecordingTrouble.away("\(host) answers \(status) \(Self.element("Code", of: answer) ?? "")")
        }
        return Answer(status: status, headers: response.headers.map { ($0.name.lowercased(), $0.value) }, body: answer)
    }

    /// The text of the first element of that name; bounded.
    static func element(_ name: String, of body: [UInt8]) -> String? {
        let text = String(decoding: body.prefix(1 << 16), as: UTF8.self)
        guard let begin = text.range(ofText: "<\(name)>"), let end = text[begin.upperBound...].range(ofText: "</\(name)>") else { return nil }
        let content = text[begin.upperBound..<end.lowerBound]
        return content.isEmpty || content.utf8.count > 1024 ? nil : unescaped(content)
    }

    private static func unescaped(_ text: Substring) -> String {
        let entities = ["&lt;": "<", "&gt;": ">", "&quot;": "\"", "&apos;": "'", "&amp;": "&"]
        var (output, rest) = ("", text)
        while let first = rest.first {
            if first == "&", let entity = entities.first(where: { rest.hasPrefix($0.key) }) {
                output += entity.value
                rest = rest.dropFirst(entity.key.count)
            } else {
                output.append(first)
                rest = rest.dropFirst()
            }
        }
        return output
    }

    private static func escaped(_ text: String) -> String {
        text.map { character -> String in
            switch character {
            case "<": "&lt;"
            case ">": "&gt;"
            case "&": "&amp;"
            default: String(character)
            }
        }.joined()
    }
}

extension [(name: String, value: String)] {
    fileprivate func first(name: String) -> String? { first { $0.name == name }?.value }
}

extension StringProtocol {
    fileprivate func range(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// An object of the store.
struct ObjectBytes: RecordingBytes {
    let store: ObjectStore
    let key: String
    let length: Int

    init(_ store: ObjectStore, _ key: String) async throws {
        guard let length = try await store.length(of: key) else { throw RecordingTrouble.missing(key) }
        (self.store, self.key, self.length) = (store, key, length)
    }

    func read(_ offset: Int, _ count: Int) async throws -> [UInt8] {
        try await store.read(key, offset, min(count, length - offset))
    }
}
