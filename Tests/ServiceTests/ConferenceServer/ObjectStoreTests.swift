import Contracts
import Cryptography
import Foundation
import Hostile
import ServiceKit
import Synchronization
import Testing

@testable import ConferenceServer

/// A store that speaks S3 as far as it is used here, and believes nothing that is not signed.
private final class Bucket: Sendable {
    struct State {
        var objects: [String: [UInt8]] = [:]
        var uploads: [String: [Int: [UInt8]]] = [:]
        var refusals = 0
        /// So many requests fail before one is served.
        var failures = 0
    }

    let state = Mutex(State())
    let signature = AWSSignature(keyID: "id", secret: "secret", region: "eu-test-1")

    func answer(_ request: WebServer.Request) -> WebServer.Response {
        state.withLock { state in
            guard isSigned(request) else {
                state.refusals += 1
                return .init(403, [:], Array("<Error><Code>SignatureDoesNotMatch</Code></Error>".utf8))
            }
            if state.failures > 0 {
                state.failures -= 1
                return .init(503, [:], Array("<Error><Code>SlowDown</Code></Error>".utf8))
            }
            return serve(request, &state)
        }
    }

    private func parts(_ request: WebServer.Request) -> (path: String, query: [(name: String, value: String)]) {
        let halves = request.path.split(separator: "?", maxSplits: 1).map(String.init)
        let query = halves.count > 1 ? halves[1].split(separator: "&").map { pair -> (name: String, value: String) in
            let words = pair.split(separator: "=", omittingEmptySubsequences: false).map { $0.removingPercentEncoding ?? "" }
            return (words[0], words.count > 1 ? words[1] : "")
        } : []
        return (halves[0].removingPercentEncoding ?? "", query)
    }

    private func isSigned(_ request: WebServer.Request) -> Bool {
        guard let given = request.headers["authorization"], let date = request.headers["x-amz-date"],
            let payload = request.headers["x-amz-content-sha256"],
            payload == AWSSignature.hexadecimal(DigestAlgorithm.sha256.hash(request.body)),
            let names = given.split(separator: ",").first(where: { $0.hasPrefix("SignedHeaders=") })?.dropFirst(14)
        else { return false }
        let signed = names.split(separator: ";").map { (name: String($0), value: request.headers[String($0)] ?? "") }
        guard Set(["host", "x-amz-date", "x-amz-content-sha256"]).isSubset(of: signed.map(\.name)) else { return false }
        let (path, query) = parts(request)
        return signature.authorization(
            .init(method: request.method, path: path, query: query, headers: signed, payload: payload), date: date) == given
    }

    private func serve(_ request: WebServer.Request, _ state: inout State) -> WebServer.Response {
        let (path, query) = parts(request)
        let upload = query.first { $0.name == "uploadId" }?.value
        switch (request.method, upload) {
        case ("POST", nil) where query.map(\.name) == ["uploads"]:
            state.uploads["up&1"] = [:]
            return .init(200, [:], Array("<InitiateMultipartUploadResult><UploadId>up&amp;1</UploadId></InitiateMultipartUploadResult>".utf8))
        case ("PUT", let upload?):
            guard let number = query.first(where: { $0.name == "partNumber" }).flatMap({ Int($0.value) }), state.uploads[upload] != nil
            else { return .init(404) }
            state.uploads[upload]?[number] = request.body
            return .init(200, ["etag": "\"\(number)\""])
        case ("POST", let upload?):
            guard let pieces = state.uploads.removeValue(forKey: upload) else { return .init(404) }
            let list = String(decoding: request.body, as: UTF8.self)
            for number in pieces.keys where !list.contains("<PartNumber>\(number)</PartNumber><ETag>\"\(number)\"</ETag>") { return .init(400) }
            state.objects[path] = pieces.sorted { $0.key < $1.key }.flatMap(\.value)
            return .init(200, [:], Array("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>".utf8))
        case ("DELETE", let upload?):
            state.uploads[upload] = nil
            return .init(204)
        case ("PUT", nil):
            state.objects[path] = request.body
            return .init(200)
        case ("DELETE", nil):
            state.objects[path] = nil
            return .init(204)
        case ("HEAD", _), ("GET", _):
            guard let object = state.objects[path] else { return .init(404) }
            guard let range = request.headers["range"]?.dropFirst(6).split(separator: "-").compactMap({ Int($0) }), range.count == 2 else {
                return .init(200, [:], object)
            }
            return .init(206, [:], Array(object.dropFirst(range[0]).prefix(range[1] - range[0] + 1)))
        default: return .init(405)
        }
    }
}

@Suite("The object store of recordings")
struct ObjectStoreTests {
    private let example = AWSSignature(
        keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1")
    private let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @Test("the examples that AWS publishes for S3: an object's range, an object, a bucket's lifecycle, a list")
    func published() {
        let date = "20130524T000000Z"
        func headers(_ payload: String, _ others: [(name: String, value: String)] = []) -> [(name: String, value: String)] {
            [("host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", payload), ("x-amz-date", date)] + others
        }
        let range = AWSSignature.Request(method: "GET", path: "/test.txt", headers: headers(empty, [("range", "bytes=0-9")]), payload: empty)
        #expect(example.signature(range, date: date) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        #expect(
            example.authorization(range, date: date)
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        let body = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        #expect(AWSSignature.hexadecimal(DigestAlgorithm.sha256.hash("Welcome to Amazon S3.")) == body)
        let put = AWSSignature.Request(
            method: "PUT", path: "/test$file.text",
            headers: headers(body, [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")]), payload: body)
        #expect(example.signature(put, date: date) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
        let lifecycle = AWSSignature.Request(method: "GET", path: "/", query: [("lifecycle", "")], headers: headers(empty), payload: empty)
        #expect(example.signature(lifecycle, date: date) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        let list = AWSSignature.Request(
            method: "GET", path: "/", query: [("prefix", "J"), ("max-keys", "2")], headers: headers(empty), payload: empty)
        #expect(example.signature(list, date: date) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
        #expect(AWSSignature.date("2013-05-24T00:00:00.123Z") == date)
    }

    private func with(_ body: (Bucket, ObjectStore, String) async throws -> Void) async throws {
        let bucket = Bucket()
        let server = try WebServer { bucket.answer($0) }
        defer { server.close() }
        var store = try ObjectStore(
            url: server.url, bucket: "calls", prefix: "a b/", signature: bucket.signature,
            now: { Timestamp(milliseconds: 1_800_000_000_000) })
        store.piece = 100_000
        let path = NSTemporaryDirectory() + "tandem-object-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(bucket, store, path)
    }

    @Test("an object is put whole, read in ranges, and deleted; one that is long goes up in pieces", arguments: [0, 99_999, 100_001, 350_000])
    func objects(length: Int) async throws {
        try await with { bucket, store, path in
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try Data(bytes).write(to: URL(filePath: path))
            let noted = Mutex<[String?]>([])
            try await store.put(path, as: "cust/2027-01-01/rec=1.wav") { upload in noted.withLock { $0.append(upload) } }
            #expect(bucket.state.withLock { $0.objects["/calls/a b/cust/2027-01-01/rec=1.wav"] } == bytes)
            #expect(bucket.state.withLock { $0.uploads.isEmpty && $0.refusals == 0 })
            #expect(noted.withLock { $0 } == (length > 100_000 ? ["up&1", nil] : []))
            #expect(try await store.length(of: "cust/2027-01-01/rec=1.wav") == length)
            let object = try await ObjectBytes(store, "cust/2027-01-01/rec=1.wav")
            #expect(try await object.read(10, 1000) == Array(bytes.dropFirst(10).prefix(1000)))
            #expect(try await object.read(length, 10).isEmpty)
            try await store.delete("cust/2027-01-01/rec=1.wav")
            #expect(try await store.length(of: "cust/2027-01-01/rec=1.wav") == nil)
        }
    }

    @Test("what fails in the middle leaves no pieces there, and can be done again; a wrong secret is refused")
    func failures() async throws {
        try await with { bucket, store, path in
            try Data([UInt8](repeating: 1, count: 250_000)).write(to: URL(filePath: path))
            bucket.state.withLock { $0.failures = 1 }
            await #expect(throws: RecordingTrouble.self) { try await store.put(path, as: "k") { _ in } }
            await #expect(throws: CancellationError.self) {
                try await store.put(path, as: "k") { upload in
                    if upload == nil { throw CancellationError() }
                    bucket.state.withLock { $0.failures = 0 }
                }
            }
            bucket.state.withLock { $0.objects = [:] }
            await #expect(throws: RecordingTrouble.self) {
                try await store.put(path, as: "k") { _ in bucket.state.withLock { $0.failures = 1 } }
            }
            #expect(bucket.state.withLock { $0.uploads.isEmpty && $0.objects.isEmpty })
            try await store.put(path, as: "k") { _ in }
            #expect(try await store.length(of: "k") == 250_000)
            let stranger = try ObjectStore(
                url: store.url, bucket: "calls", signature: AWSSignature(keyID: "id", secret: "other", region: "eu-test-1"), now: store.now)
            await #expect(throws: RecordingTrouble.self) { try await stranger.read("k", 0, 10) }
            #expect(bucket.state.withLock { $0.refusals } == 1)
        }
    }

    @Test("a recording that is sealed is opened from the store in pieces as from the folder")
    func sealedMedia() async throws {
        try await with { bucket, store, path in
            let key = [UInt8](repeating: 4, count: 32)
            let file = try RecordingFile(creating: path, .init(format: .wav, channels: 1, bitrate: 0), key: key)
            file.append((0..<30_000).map { Int16(truncatingIfNeeded: $0) })
            file.finish()
            try await store.put(path, as: "sealed") { _ in }
            let media = try await RecordingMedia(try await ObjectBytes(store, "sealed"), keys: [key])
            let local = try await RecordingMedia(try LocalBytes(path: path, threads: Completion.threads), keys: [key])
            #expect(media.length == 60_044)
            for (offset, count) in [(0, 60_044), (0, 44), (40, 10), (4000, 9000), (60_000, 500)] {
                #expect(try await media.read(offset, count) == (try await local.read(offset, count)))
            }
        }
    }
}
