import Addresses
import Foundation
import SIP

/// Sends any bytes to an edge, and hears what it answers on every port that a Via may have named. One test owns it.
final class HostileSender {
    private static let sipPort: UInt16 = 5060
    private let edge: SocketAddress
    let address = Loopback.address()
    private var sockets: [UInt16: Int32] = [:]
    private var questions = 0

    /// `ports`: where answers may come, beside 5060.
    init(to edge: SocketAddress, ports: [UInt16] = []) throws {
        self.edge = edge
        for port in [Self.sipPort] + ports { sockets[port] = try Loopback.open(SOCK_DGRAM, at: SocketAddress(address, port: port)) }
    }

    deinit { for descriptor in sockets.values { close(descriptor) } }

    func send(_ bytes: [UInt8]) throws {
        guard let socket = sockets[Self.sipPort] else { throw Loopback.Trouble.socket("none") }
        try Loopback.send(bytes, over: socket, to: edge)
    }

    /// The first answer; nil when an OPTIONS that was sent behind the bytes is answered and they are not: they went the same way, so
    /// nothing will come of them any more.
    func answer(to bytes: [UInt8], within limit: Duration = .seconds(8)) async throws -> Message? {
        discard()
        try send(bytes)
        let (question, callID) = question(over: "UDP")
        try send(question)
        var first: Message?
        var isThrough = false
        let end = ContinuousClock.now + limit
        while true {
            for socket in sockets.values {
                while let received = Loopback.receive(socket) {
                    let message = try Message.parse(received)
                    if message.callID == callID { isThrough = true }
                    if !isOwn(message), first == nil { first = message }
                }
            }
            if let first { return first }
            if isThrough { return nil }
            guard ContinuousClock.now < end else { throw Loopback.Trouble.silence("not even an OPTIONS is answered") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// The next message, whatever it belongs to.
    func next(_ what: String, within limit: Duration = .seconds(8)) async throws -> Message {
        let end = ContinuousClock.now + limit
        while true {
            for socket in sockets.values {
                while let received = Loopback.receive(socket) {
                    let message = try Message.parse(received)
                    if !isOwn(message) { return message }
                }
            }
            guard ContinuousClock.now < end else { throw Loopback.Trouble.silence(what) }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// An answer to a question to the edge, maybe an earlier one.
    private func isOwn(_ message: Message) -> Bool { message.callID?.hasPrefix("question-") == true }

    private func discard() { for socket in sockets.values { while Loopback.receive(socket) != nil {} } }

    /// Asks the edge itself whether it is there (RFC 3261 §11).
    private func question(over transport: String) -> (bytes: [UInt8], callID: String) {
        questions += 1
        let callID = "question-\(questions)"
        return (Self.question(to: edge, over: transport, callID: callID), callID)
    }

    static func question(to edge: SocketAddress, over transport: String, callID: String) -> [UInt8] {
        let lines = [
            "OPTIONS sip:\(edge) SIP/2.0", "Via: SIP/2.0/\(transport) \(edge.address):5060;branch=z9hG4bK\(callID)", "Max-Forwards: 5",
            "To: <sip:\(edge)>", "From: <sip:there@\(edge)>;tag=1", "Call-ID: \(callID)", "CSeq: 1 OPTIONS", "Content-Length: 0", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}
