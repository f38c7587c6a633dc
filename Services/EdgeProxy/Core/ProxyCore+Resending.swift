import Addresses
import SIP

/// The second way of a request that had no response.
extension ProxyCore {
    func isLiving(_ server: SocketAddress, _ directory: Directory) -> Bool {
        directory.callServers.hears(server) || directory.registrars.hears(server)
    }

    /// Where it goes now: where it went while that lives, else where its Call-ID leads, and what was recorded for the phone's way
    /// back leads there too. Nil: nobody is there.
    func secondWay(
        of kept: KeptRequests.Kept, _ servers: inout Placement
    ) -> (server: SocketAddress, forwarding: Forwarding)? {
        guard !isLiving(kept.server, servers.directory) else { return (kept.server, kept.forwarding) }
        let view = kept.message.view
        guard let callID = view.callIDHash else { return nil }
        do throws(Refusal) {
            let head = try RequestHead(view)
            let isForRegistrar = head.method == .register && configuration.alone == nil || isForRegistrar(view, head)
            let server = isForRegistrar ? servers.directory.registrars.pick(callID: callID) : servers.callServer(callID: callID)
            guard let server else { return nil }
            var forwarding = kept.forwarding
            if case .routes(let upper, _) = forwarding.recording {
                forwarding.recording = .routes(upper: upper, lower: outsideRoute(server, kept.arrival.transport, for: kept.arrival.source))
                servers.note(callID: callID, server)
            }
            return (server, forwarding)
        } catch { return nil }
    }
}
