import Contracts

extension MediaLoop {
    /// `relay.session.own`: who is told from now on; nothing of the media changes.
    func own(_ command: OwnMediaSession) throws(RPCError) -> Done {
        let leg = try living(command.sessionID, epoch: command.epoch)
        leg.owner = command.owner
        keep(leg)
        return Done()
    }
}
