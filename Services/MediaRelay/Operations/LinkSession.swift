import Addresses
import Contracts
import RTP

extension MediaLoop {
    /// `relay.session.link`: the inside of the session is a room's seat from now on, another session of this thread, or nothing.
    func link(_ command: LinkMediaSession) throws(RPCError) -> Done {
        let leg = try living(command.sessionID, epoch: command.epoch)
        if let name = command.session {
            let other = try living(name, epoch: nil)
            guard other !== leg else { throw RPCError(.invalid, "a session cannot be linked with itself") }
            if leg.tap == nil, other.tap == nil { link(leg, other) } else { linkByInside(leg, other) }
            for side in [leg, other] { side.keys = command.keys == true ? side.keys ?? EventReceiver() : nil }
            save(other)
            save(leg)
            return Done()
        }
        if let peer = leg.peer {
            unlink(leg)
            save(peer)
        }
        leg.keys = command.keys == true ? EventReceiver() : nil
        if let inside = command.inside {
            guard let address = SocketAddress(inside.address) else {
                let problem = Problem(pointer: "/inside/address", detail: "not ADDRESS:PORT")
                throw RPCError(.invalid, "the room's address cannot be read", problems: [problem])
            }
            leg.session.link(to: address, ssrc: SSRC(inside.ssrc))
        } else {
            leg.session.link(to: nil, ssrc: SSRC(0))
        }
        save(leg)
        return Done()
    }
}
