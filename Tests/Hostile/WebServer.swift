import Foundation
import Synchronization

/// A web server on 127.0.0.1 that answers as a test says, and remembers what it was asked. One request a connection.
public final class WebServer: Sendable {
    public struct Request: Sendable {
        public let method: String
        public let path: String
        /// Names in lower case.
        public let headers: [String: String]
        public let body: [UInt8]
    }

    public struct Response: Sendable {
        public var status: Int
        public var headers: [String: String]
        public var body: [UInt8]

        public init(_ status: Int = 200, _ headers: [String: String] = [:], _ body: [UInt8] = []) {
            (self.status, self.headers, self.body) = (status, headers, body)
        }
    }

    public enum Trouble: Error { case socket }

    public let port: UInt16
    private let listener: Int32
    private let answer: @Sendable (Request) -> Response
    private let seen = Mutex<(requests: [Request], isClosed: Bool)>(([], false))

    public init(_ answer: @escaping @Sendable (Request) -> Response) throws {
        self.answer = answer
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard listener >= 0, isListening else { throw Trouble.socket }
        port = UInt16(bigEndian: address.sin_port)
        Self.setTimeout(listener)
        Thread.detachNewThread { [self] in serve() }
    }

    public var url: String { "http://127.0.0.1:\(port)" }

    /// What it was asked so far, all or for one path.
    public func requests(for path: String? = nil) -> [Request] {
        seen.withLock { $0.requests.filter { path == nil || $0.path == path } }
    }

    /// Nobody listens any more, a moment from now.
    public func close() { seen.withLock { $0.isClosed = true } }

    private func serve() {
        while !seen.withLock({ $0.isClosed }) {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            Self.setTimeout(connection)
            Thread.detachNewThread { [self] in
                if let request = Self.read(connection) {
                    seen.withLock { $0.requests.append(request) }
                    Self.write(answer(request), to: connection, hasBody: request.method != "HEAD")
                }
                Foundation.close(connection)
            }
        }
        Foundation.close(listener)
    }

    private static func setTimeout(_ descriptor: Int32) {
        var patience = timeval(tv_sec: 0, tv_usec: 200_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let blank = Array("\r\n\r\n".utf8)
        for _ in 0..<50 {
            if let end = bytes.indices.first(where: { bytes[$0...].starts(with: blank) }) {
                let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
                let words = lines.first?.split(separator: " ").map(String.init) ?? []
                guard words.count == 3 else { return nil }
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                }
                let body = bytes[(end + 4)...]
                if body.count >= headers["content-length"].flatMap({ Int($0) }) ?? 0 {
                    return Request(method: words[0], path: words[1], headers: headers, body: Array(body))
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count != 0 else { return nil }
            if count > 0 { bytes += buffer.prefix(count) }
        }
        return nil
    }

    private static func write(_ response: Response, to connection: Int32, hasBody: Bool) {
        var head = "HTTP/1.1 \(response.status) Answer\r\nconnection: close\r\n"
        if response.status != 304 { head += "content-length: \(response.body.count)\r\n" }
        for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
        let bytes = Array((head + "\r\n").utf8) + (hasBody ? response.body : [])
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { send(connection, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            sent += count
        }
    }
}
