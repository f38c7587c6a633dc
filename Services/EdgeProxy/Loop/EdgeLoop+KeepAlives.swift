import Addresses
import Datagrams
import STUN

/// The keep-alive of RFC 5626 §4.4.2 on the port for SIP over UDP.
extension EdgeLoop {
    func isKeepAlive(stun bytes: Span<UInt8>) -> Bool { Message.isMessage(bytes) }

    func answer(stun request: Span<UInt8>, from source: SocketAddress) {
        guard let port = outsidePort(for: source) else { return Traffic.count(.unsendable) }
        port.makeRoom()
        do throws(ParseError) {
            _ = try port.batch.append(to: source) { output throws(ParseError) in
                _ = try BindingServer.answer(request, from: source, into: &output)
            }
            Traffic.keepAlives.add()
        } catch { Traffic.count(.malformed) }
    }
}
