import Addresses
import Cryptography
import Flow
import RTP
import SDP
import SIP

/// The places where outside bytes come in, each with what must hold for any input beyond not crashing.
enum Surface: String, CaseIterable {
    case sip, sdp, rtp, rtcp, flow

    func feed(_ bytes: [UInt8]) {
        switch self {
        case .sip: sip(bytes)
        case .sdp: sdp(bytes)
        case .rtp: rtp(bytes)
        case .rtcp: rtcp(bytes)
        case .flow: flow(bytes)
        }
    }

    /// Every decoder of a header runs; a forwarded message is one again; a stream cut anywhere gives the same messages.
    private func sip(_ bytes: [UInt8]) {
        if let message = try? SIP.Message.parse(bytes) {
            _ = (message.callIDHash, message.cseq, message.from, message.to, message.vias, message.routes, message.recordRoutes)
            _ = (message.contacts, message.contact, message.maxForwards, message.expires, message.contentType, message.challenges)
            _ = (message.required, message.supported, message.allowed, message.requestDefect, message.requestURI)
            _ = message.credentials(.authorization, realm: "demo.localhost")
            forward(message)
        }
        precondition(framed(bytes, pieces: 1) == framed(bytes, pieces: 7), "framing depends on how the bytes arrived")
    }

    /// What leaves is a message again, and carries nothing that only the inside may say.
    private func forward(_ message: SIP.Message) {
        let key = SipHash(key: [UInt8](repeating: 1, count: 16))
        let here = SocketAddress(IPAddress(v4: 0xc000_0201), port: 5060)
        guard let head = try? RequestHead(message.view) else { return }
        let branch = StatelessForwarding.branch(for: message.view, head, key: key)
        var forwarding = Forwarding(
            hop: Forwarding.Hop(.udp, sentBy: here, branch: branch, wayBack: FlowToken(server: here)), stripping: .assertions)
        (forwarding.source, forwarding.maxForwards, forwarding.poppedRoutes) = (here, 69, 1)
        guard let bytes = forwarding.bytes(of: message.view, key: key) else { preconditionFailure("there is always room in its own memory") }
        let limits = Limits(messageLength: .max, headerCount: .max, lineLength: .max >> 1, viaCount: 1_000)
        guard let again = try? SIP.Message.parse(bytes, limits: limits) else { preconditionFailure("what leaves is a message") }
        precondition(!again.contains(.pAssertedIdentity) && again.topmostVia?.host == "192.0.2.1", "what leaves is ours on top")
        precondition((again.vias?.count ?? 0) == (message.vias?.count ?? 0) + 1, "one Via is added")
    }

    private func framed(_ bytes: [UInt8], pieces: Int) -> [String] {
        var framer = MessageFramer()
        var seen: [String] = []
        let size = max(1, bytes.count / pieces)
        for start in stride(from: 0, to: bytes.count, by: size) {
            framer.append(Array(bytes[start..<min(start + size, bytes.count)]))
            do {
                while let output = try framer.next() {
                    // Whether a line end is a ping or a pong may depend on when it came; a message may not.
                    if case .message(let message) = output { seen.append(String(decoding: message.bytes, as: UTF8.self)) }
                }
            } catch {
                return seen
            }
        }
        return seen
    }

    /// What is understood is printed so that it is understood again, and then prints the same.
    private func sdp(_ bytes: [UInt8]) {
        guard let session = try? SessionDescription.parse(bytes) else { return }
        for index in session.media.indices { _ = (session.connection(ofMedia: index), session.direction(ofMedia: index)) }
        let printed = session.description
        guard let again = try? SessionDescription.parse(printed) else {
            preconditionFailure("its own text is not understood: \(printed)")
        }
        precondition(again.description == printed, "a second printing differs")
    }

    private func rtp(_ bytes: [UInt8]) {
        _ = RTP.Header.isControlPacket(bytes.span)
        _ = try? RTP.Header(parsing: bytes.span)
        _ = try? RTP.TelephoneEvent(parsing: bytes.span)
    }

    private func rtcp(_ bytes: [UInt8]) {
        guard let packets = try? RTP.ControlPacket.parse(bytes.span) else { return }
        var written: [UInt8] = []
        for packet in packets { packet.append(to: &written) }
    }

    /// A list of actions is understood, or every mistake has a pointer into it.
    private func flow(_ bytes: [UInt8]) {
        if case .failure(let problems) = Validation().actions(json: bytes) {
            precondition(problems.list.allSatisfy { $0.pointer.hasPrefix("/actions") }, "a pointer leads elsewhere")
        }
    }
}
