import Addresses
import Bytes
import SIP

/// Where a message from inside began its way to us: a server, perhaps past the loop that it was sent to.
struct Origin: Sendable, Hashable {
    let server: SocketAddress
    /// Another loop or edge has given it to us, as the one that owns the connection.
    var isHandedOver = false
    /// The server's end of the connection that the message came over; nil for a datagram.
    var connection: SocketAddress?
}

/// A message from inside for a connection that another loop or another edge holds goes on to that as it came (RFC 5626 §5.3:
/// any edge of a domain reads the tokens of all), under a header that says whose it is. The owner judges it as if the server
/// had found the way by itself: the same branch, its own addresses, answers straight to the server.
extension ProxyCore {
    /// No message grows by more.
    static let handOverGrowth = 256
    /// The most that UDP over IPv4 carries (RFC 768, RFC 791 §3.1).
    private static let longestDatagram = 65_507

    /// The header stands first or not at all, so asking costs nothing where it is not. Only what we signed counts.
    func origin(of message: borrowing MessageView, from source: SocketAddress) -> Origin {
        guard message.fields.count > 0 else { return Origin(server: source) }
        let first = message.fields[0]
        guard first.name == .other,
            ASCII.equalsIgnoringCase(message.bytes.extracting(first.nameRange), "X-Tandem-Handed-Over"),
            let token = FlowToken(verifying: message.bytes.extracting(first.valueRange), key: tokenKey), token.kind == .server
        else { return Origin(server: source) }
        return Origin(server: token.inside, isHandedOver: true)
    }

    /// False, with nothing written, when the message would be too long for a datagram.
    func writeHandOver(
        _ message: borrowing MessageView, from server: SocketAddress, into output: inout OutputSpan<UInt8>
    ) -> Bool {
        guard message.bodyRange.upperBound + Self.handOverGrowth <= Self.longestDatagram else { return false }
        return write(message, from: server, overStream: false, into: &output)
    }

    /// The same for a connection, whatever its length.
    func handOver(_ message: borrowing MessageView, from server: SocketAddress) -> [UInt8]? {
        var isWritten = false
        let length = message.bodyRange.upperBound + Self.handOverGrowth
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
            isWritten = write(message, from: server, overStream: true, into: &output)
            count = unsafe output.finalize(for: buffer)
        }
        return isWritten ? bytes : nil
    }

    private func write(
        _ message: borrowing MessageView, from server: SocketAddress, overStream: Bool, into output: inout OutputSpan<UInt8>
    ) -> Bool {
        guard message.fields.count > 0, output.freeCapacity >= message.bodyRange.upperBound + Self.handOverGrowth else { return false }
        let place = message.fields[0].lineRange.lowerBound
        output.write(message.bytes.extracting(message.startLineRange.lowerBound..<place))
        output.write("X-Tandem-Handed-Over: ")
        FlowToken(server: server).write(into: &output, key: tokenKey)
        output.write("\r\n")
        output.write(message.bytes.extracting(place..<message.headersEnd))
        // A connection cannot do without (§18.3).
        if overStream, !message.contains(.contentLength) {
            output.write("Content-Length: ")
            output.write(decimal: message.bodyRange.count)
            output.write("\r\n")
        }
        output.write(message.bytes.extracting(message.headersEnd..<message.bodyRange.upperBound))
        return true
    }
}
