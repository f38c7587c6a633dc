import Flow
import RTP
import SDP

enum MediaSurface {
    /// What is understood is printed so that it is understood again, and then prints the same.
    static func sdp(_ bytes: [UInt8]) {
        guard let session = try? SessionDescription.parse(bytes) else { return }
        for index in session.media.indices { _ = (session.connection(ofMedia: index), session.direction(ofMedia: index)) }
        let printed = session.description
        guard let again = try? SessionDescription.parse(printed) else {
            preconditionFailure("its own text is not understood: \(printed)")
        }
        precondition(again.description == printed, "a second printing differs")
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
