import Addresses
import Flow
import RTP
import SDP

enum MediaSurface {
    /// What is understood is printed so that it is understood again, and then prints the same.
    static func sdp(_ bytes: [UInt8]) {
        _ = (try? SessionDescription.parse(trickled: bytes))?.trickled(for: "0")
        guard let session = try? SessionDescription.parse(bytes) else { return }
        for index in session.media.indices { _ = (session.connection(ofMedia: index), session.direction(ofMedia: index)) }
        let printed = session.description
        guard let again = try? SessionDescription.parse(printed) else {
            preconditionFailure("its own text is not understood: \(printed)")
        }
        precondition(again.description == printed, "a second printing differs")
        answer(session)
    }

    /// Whatever is offered: a refusal that changes nothing, or an answer with as many media lines, one protection and our keys only.
    private static func answer(_ offer: SessionDescription) {
        guard let fingerprint = Fingerprint(algorithm: "sha-256", digest: [UInt8](repeating: 7, count: 32)) else {
            preconditionFailure("a digest of 32 octets")
        }
        let security = LocalSecurity(
            kinds: [.dtls, .sdes, .none], crypto: ["1 AES_CM_128_HMAC_SHA1_80 inline:ours"], fingerprints: [fingerprint],
            isOpportunistic: true)
        let local = LocalMedia(
            address: SocketAddress(.loopbackIPv4, port: 30_000), codecs: [.pcmu, .opus, .telephoneEvent(48_000), .telephoneEvent],
            security: security, ice: Connectivity(fragment: "ours", password: "ourpasswordourpassword", isLite: true))
        var side = OfferAnswer(sessionID: 1, local: local)
        guard let answer = try? side.answer(offer, preferring: [.pcmu]) else {
            precondition(side.agreement == nil && side.localDescription == nil, "a refusal left something behind")
            return
        }
        let open = answer.media.indices.filter { answer.media[$0].port != 0 }
        precondition(answer.media.count == offer.media.count && open.count == 1, "an answer of another shape")
        let media = answer.media[open[0]]
        precondition(media.transport == offer.media[open[0]].transport, "another profile than the one offered")
        precondition(media.crypto.count + answer.fingerprints(ofMedia: open[0]).count <= 1, "two protections")
        guard let again = try? SessionDescription.parse(answer.bytes) else { preconditionFailure("our answer is no description") }
        precondition(again == answer, "our answer reads otherwise")
        _ = side.offer()
        _ = try? side.accept(offer)
    }

    static func rtp(_ bytes: [UInt8]) {
        _ = RTP.Header.isControlPacket(bytes.span)
        _ = try? RTP.Header(parsing: bytes.span)
        _ = try? RTP.TelephoneEvent(parsing: bytes.span)
    }

    static func rtcp(_ bytes: [UInt8]) {
        guard let packets = try? RTP.ControlPacket.parse(bytes.span) else { return }
        var written: [UInt8] = []
        for packet in packets { packet.append(to: &written) }
    }

    /// A list of actions is understood, or every mistake has a pointer into it.
    static func flow(_ bytes: [UInt8]) {
        if case .failure(let problems) = Validation().actions(json: bytes) {
            precondition(problems.list.allSatisfy { $0.pointer.hasPrefix("/actions") }, "a pointer leads elsewhere")
        }
    }
}
