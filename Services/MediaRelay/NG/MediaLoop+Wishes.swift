import NG
import SDP

// What offers and answers wish for beyond their streams.
extension MediaLoop {
    /// RTPEngine's name for it, so that both can stand in a loop.
    private static let loopMark = "rtpengine"

    /// What descriptions say of the call as a whole.
    func heed(_ options: Options, _ call: Call) {
        if let drops = options.dropsTraffic {
            for leg in call.legs {
                leg.session.gates.blocksMedia = drops
                leg.session.gates.blocksEvents = drops
            }
        }
        followRecording(of: call, options)
    }

    /// Routers see an offer's wish on the packets of both sides, until the next offer.
    func mark(_ call: Call, _ options: Options) {
        switch options.typeOfService {
        case .usual: call.dscp = nil
        case .kept: break
        // RFC 3168 §5: the last two bits say what we know of congestion, which is nothing.
        case .octet(let octet): call.dscp = Int(octet) >> 2
        }
        for leg in call.legs where leg.dscp != call.dscp { leg.mark(call.dscp, usually: settings.preferences.dscp) }
    }

    // MARK: Descriptions

    /// Whether signalling has brought back what this relay has written (`loop-protect`).
    func isOurs(_ description: SessionDescription, _ options: Options) -> Bool {
        options.protectsLoops && description.attributes.contains(Attribute(Self.loopMark, settings.ng.mark))
    }

    func written(_ description: SessionDescription, _ local: [LocalStream?], _ options: Options) -> [UInt8] {
        var written = description.rewritten(local, options)
        if options.protectsLoops { written.attributes.append(Attribute(Self.loopMark, settings.ng.mark)) }
        return written.bytes
    }
}
