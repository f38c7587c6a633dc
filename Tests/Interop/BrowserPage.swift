import Foundation
import Glibc
import Synchronization

/// A web server for one page and its script on 127.0.0.1, and what the page reports to it with `POST /report`.
final class BrowserPage: Sendable {
    let port: Int
    private let listener: Int32
    private let html: [UInt8]
    private let script: [UInt8]
    private let received = Mutex<[String]>([])

    var reports: [String] { received.withLock { $0 } }

    struct Unavailable: Error {
        let code: Int32
    }

    init(html: [UInt8], script: [UInt8]) throws {
        (self.html, self.script) = (html, script)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let opened = withUnsafeMutableBytes(of: &address) { bytes -> Bool in
            guard let name = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(descriptor, name, length) == 0 && listen(descriptor, 16) == 0 && getsockname(descriptor, name, &length) == 0
        }
        guard opened else { throw Unavailable(code: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
        // A browser opens connections it does not use, so each has a thread of its own.
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0, let page = self else { return }
                Thread.detachNewThread { page.serve(connection) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0, request.count < 65_536 else { return }
            request += buffer[..<count]
            guard let answer = answer(to: request) else { continue }
            _ = answer.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            return
        }
    }

    /// Nil until the request is whole.
    private func answer(to request: [UInt8]) -> [UInt8]? {
        let text = String(decoding: request, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let (head, body) = (text[..<end.lowerBound].lowercased(), text[end.upperBound...])
        let length = head.range(of: "\r\ncontent-length: ").flatMap { Int(head[$0.upperBound...].prefix(while: \.isNumber)) }
        guard body.utf8.count >= length ?? 0 else { return nil }
        if head.hasPrefix("post /report ") {
            received.withLock { $0.append(String(body)) }
            return respond("204 No Content")
        }
        if head.hasPrefix("get /sip.js ") { return respond("200 OK", script, "text/javascript") }
        return head.hasPrefix("get /?") ? respond("200 OK", html) : respond("404 Not Found")
    }

    private func respond(_ status: String, _ body: [UInt8] = [], _ type: String = "text/html") -> [UInt8] {
        let head = "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        return Array(head.utf8) + body
    }
}
