import Addresses
import Datagrams
import HEP
import SIP
import Threads

/// Copies of all messages to a capture server, in packets of HEP version 3, for people who want to see what was said; but for the keys that an INFO
/// tells of, which may be a PIN's.
///
/// One loop's own, with a socket of its own. Nothing waits for it: what the socket does not take is lost, and counted.
final class MessageCapture {
    struct Settings: Sendable {
        let server: SocketAddress
        /// Which of many capturing nodes this is, as a number and by name.
        let id: UInt32
        let node: [UInt8]
        let password: [UInt8]
    }

    private let settings: Settings
    private let socket: DatagramSocket
    private var batch = SendBatch(capacity: 32, size: 65_536 + 64)
    private var index = MessageIndex()

    init(_ settings: Settings) throws(SocketError) {
        self.settings = settings
        let any = settings.server.address.isIPv4 ? IPAddress.anyIPv4 : IPAddress(v6High: 0, v6Low: 0)
        socket = try DatagramSocket(bind: SocketAddress(any, port: 0))
        try socket.connect(to: settings.server)
    }

    func copy(_ message: Span<UInt8>, over transport: Transport, from source: SocketAddress, to destination: SocketAddress) {
        guard Self.isInfo(message) else { return copy(shown: message, over: transport, from: source, to: destination) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(message.count)
        for index in message.indices { bytes.append(message[index]) }
        let shown = Secrets.hidden(in: bytes)
        copy(shown: shown.span, over: transport, from: source, to: destination)
    }

    private static let info = Array("INFO ".utf8)

    /// Whether it is one by its first word: what is no message may hold keys as well.
    static func isInfo(_ message: Span<UInt8>) -> Bool {
        guard message.count > info.count else { return false }
        for index in info.indices where message[index] != info[index] { return false }
        return true
    }

    private func copy(shown message: Span<UInt8>, over transport: Transport, from source: SocketAddress, to destination: SocketAddress) {
        if batch.isFull { flush() }
        let packet = Packet(
            source: source, destination: destination, carrier: transport.isReliable ? .tcp : .udp,
            microseconds: WallClock.microseconds(), captureID: settings.id)
        let callID = callID(of: message)
        let (node, password) = (settings.node, settings.password)
        do throws(EncodeError) {
            _ = try batch.append(to: nil) { output throws(EncodeError) in
                try packet.encode(
                    node: node.span, password: password.span, correlation: message.extracting(callID), payload: message,
                    into: &output)
            }
        } catch { Traffic.captures(sent: 0, lost: 1) }
    }

    func flush() {
        guard !batch.isEmpty else { return }
        let count = batch.count
        let lost = socket.send(&batch)
        Traffic.captures(sent: count - lost, lost: lost)
    }

    /// Empty where there is none: what is no message is worth seeing as well.
    private func callID(of message: Span<UInt8>) -> Range<Int> {
        do throws(SIP.ParseError) { try index.read(message) } catch { return Self.callID(index, message) }
        return Self.callID(index, message)
    }

    private static func callID(_ index: borrowing MessageIndex, _ message: Span<UInt8>) -> Range<Int> {
        guard let view = index.view(of: message) else { return 0..<0 }
        return view.callID ?? 0..<0
    }
}
