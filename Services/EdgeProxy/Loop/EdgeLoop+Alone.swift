import Addresses
import Deadlines
import SIP

/// Asks the servers of a fixed list whether they are there.
extension EdgeLoop {
    func watchServers() {
        guard var watch else { return }
        for server in watch.due(now: loop.now) { sendInside(question(to: server), to: server) }
        directory = watch.directory(now: loop.now)
        self.watch = watch
        loop.schedule(at: loop.now + watch.step) { self.watchServers() }
    }

    private func question(to server: SocketAddress) -> [UInt8] {
        questions &+= 1
        let us = URI(inside)
        let target = URI(server)
        var from = NameAddress(us)
        from.parameters.set("tag", "watch")
        let callID = "watch-\(core.configuration.generation)-\(questions)"
        let request = RequestBuilder(.options, uri: target, from: from, to: NameAddress(target), callID: callID, cseq: 1)
        var via = Via(transport: .udp, sentBy: inside, branch: "\(Via.magicCookie)\(callID)")
        via.parameters.set("rport", nil)
        return request.serialised(via: via)
    }
}
