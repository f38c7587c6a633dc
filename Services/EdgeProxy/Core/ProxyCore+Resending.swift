import Addresses
import SIP

/// The second way of a request whose server has died before it answered.
extension ProxyCore {
    /// Alone nobody leaves the list: a server that is silent counts as gone.
    func isLiving(_ server: SocketAddress, _ directory: Directory) -> Bool {
        for known in [directory.callServers, directory.registrars] {
            if known.contains(where: { $0.address == server && !(configuration.alone != nil && $0.isDraining) }) { return true }
        }
        return false
    }

    /// Where the request goes now: where it went while that lives, else where its Call-ID leads; nil: nowhere.
    func destination(of kept: KeptRequests.Kept, _ directory: Directory) -> SocketAddress? {
        guard !isLiving(kept.server, directory) else { return kept.server }
        let view = kept.message.view
        do throws(Refusal) {
            let head = try RequestHead(view)
            let isForRegistrar = head.method == .register && configuration.alone == nil || isForRegistrar(view, head)
            let servers = isForRegistrar ? directory.registrars : directory.callServers
            return view.callIDHash.flatMap { servers.pick(callID: $0) }
        } catch { return nil }
    }

    /// What was recorded for the phone's way back leads to the server that gets the request.
    func redirected(_ kept: KeptRequests.Kept, to server: SocketAddress) -> Forwarding {
        var forwarding = kept.forwarding
        if case .routes(let upper, _) = forwarding.recording {
            forwarding.recording = .routes(upper: upper, lower: outsideRoute(server, kept.arrival.transport))
        }
        return forwarding
    }
}
