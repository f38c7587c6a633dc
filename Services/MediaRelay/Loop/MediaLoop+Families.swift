import Datagrams
import MediaSession

// Phones are met over IPv4 or over IPv6; where checks look for a way, over both.
extension MediaLoop {
    /// The leg's ports are those of another family from now on.
    func move(_ leg: Leg, to place: Place) throws(SocketError) {
        let rtp = try OutsideSocket(bind: place.base(leg.port), dscp: settings.preferences.dscp)
        let rtcp = try OutsideSocket(bind: place.base(leg.port + 1), dscp: settings.preferences.dscp)
        if let rtp = leg.rtp { loop.unwatch(rtp.socket.descriptor) }
        loop.unwatch(leg.rtcp.socket.descriptor)
        closeSecond(leg)
        (leg.place, leg.rtp, leg.rtcp) = (place, rtp, rtcp)
        keep(leg, withSockets: true)
        watchPhone(leg)
        watchControl(leg)
    }

    /// The same port of the other family, for a leg whose description names it as a candidate. Without success checks do without.
    func openSecond(_ leg: Leg) {
        guard leg.session.hasChecks, leg.session.plan?.isOnOnePort == true else { return closeSecond(leg) }
        guard leg.second == nil, let other = settings.other(than: leg.place) else { return }
        do throws(SocketError) {
            let socket = try OutsideSocket(bind: other.base(leg.port), dscp: leg.dscp ?? settings.preferences.dscp)
            let name = leg.insideSSRC
            leg.second = socket
            loop.watch(socket.socket.descriptor, .read) { [unowned self] _ in readPhone(name, isSecond: true) }
        } catch {
            leg.second = nil
        }
    }

    func closeSecond(_ leg: Leg) {
        guard let second = leg.second else { return }
        loop.unwatch(second.socket.descriptor)
        leg.second = nil
    }
}
