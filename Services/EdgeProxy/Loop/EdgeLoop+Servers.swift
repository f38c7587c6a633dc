import Addresses
import Datagrams
import Deadlines
import SIP

/// Which servers are alive: those of the suite announce themselves, those of a fixed list are asked; and whoever refuses what is
/// sent to it is dead at once.
extension EdgeLoop {
    private static let directoryAge = Interval.milliseconds(100)

    func watchServers() {
        guard watch != nil else { return renewDirectory() }
        askServers()
    }

    private func renewDirectory() {
        use(announced)
        neighbours.living = Neighbours.living(fleet)
        loop.schedule(at: loop.now + Self.directoryAge) { self.renewDirectory() }
    }

    private func askServers() {
        guard var watch else { return }
        for server in watch.due(now: loop.now) { sendInside(question(to: server), to: server) }
        use(watch.directory(now: loop.now))
        self.watch = watch
        loop.schedule(at: loop.now + watch.step) { self.askServers() }
    }

    /// The network tells of datagrams that nobody took (ICMP port unreachable). What was in them is lost, but its sender sends it
    /// again, and then it goes to another server. Who is wronged by this is alive again with its next word.
    func hearRefusals() {
        while let server = insideSocket.nextRefusal() {
            Traffic.refusals.add()
            watch?.refused(server)
            neighbours.refused(server, now: loop.now)
            if watch == nil { fleet.forget(sipAt: server) }
        }
        use(watch?.directory(now: loop.now) ?? announced)
    }

    private var announced: Directory { Directory(fleet, settings.trunks.current) }

    private func use(_ directory: Directory) {
        placement.renew(directory, now: loop.now)
        keepConnections(to: directory)
        Traffic.registrars.set(directory.registrars.alive)
        Traffic.callServers.set(directory.callServers.alive)
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
