import Contracts

extension MediaLoop {
    /// `relay.session.delete`: the end of a session and what it was like; again within two minutes, the same answer.
    func delete(_ command: DeleteMediaSession) throws(RPCError) -> MediaStatistics {
        if let stone = tombstones[command.sessionID] {
            try Self.check(command.epoch, against: stone.epoch)
            return stone.statistics
        }
        let leg = try living(command.sessionID, epoch: command.epoch)
        close(leg)
        return leg.statistics
    }

    /// Nobody owns the session's call any more; a session that has been taken over meanwhile stays.
    func abandon(_ id: String, epoch: UInt64) {
        guard let name = names[id], let leg = legs[name], leg.epoch == epoch else { return }
        close(leg)
    }

    /// `relay.session.query`: what the session has been like so far, or was.
    func query(_ command: QueryMediaSession) throws(RPCError) -> MediaStatistics {
        if let stone = tombstones[command.sessionID] { return stone.statistics }
        return try living(command.sessionID, epoch: nil).statistics
    }
}
