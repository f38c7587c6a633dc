import Contracts

// Two sessions of this process may live on two threads.
extension Relay {
    /// `relay.session.link`. Sessions of different threads reach each other as a room would: as PCMU, by their inside sockets.
    func link(_ command: LinkMediaSession, _ respond: @escaping @Sendable (Result<Done, RPCError>) -> Void) {
        let first = loop(of: command.sessionID)
        guard let name = command.session, loop(of: name) !== first else {
            return first.post { loop in respond(Result { () throws(RPCError) in try loop.link(command) }) }
        }
        let second = loop(of: name)
        second.post { loop in
            switch (Result { () throws(RPCError) in try loop.insideEnd(of: name) }) {
            case .failure(let error): respond(.failure(error))
            case .success(let there):
                first.post { loop in
                    let here = Result { () throws(RPCError) in
                        _ = try loop.link(LinkMediaSession(sessionID: command.sessionID, epoch: command.epoch, inside: there, keys: command.keys))
                        return try loop.insideEnd(of: command.sessionID)
                    }
                    switch here {
                    case .failure(let error): respond(.failure(error))
                    case .success(let here):
                        second.post { loop in
                            respond(Result { () throws(RPCError) in try loop.link(name, to: here, keys: command.keys) })
                        }
                    }
                }
            }
        }
    }
}

extension MediaLoop {
    /// Where a session takes packets as a room would send them.
    fileprivate func insideEnd(of name: String) throws(RPCError) -> InsideEndpoint {
        InsideEndpoint(address: insideAddress.description, ssrc: try living(name, epoch: nil).insideSSRC)
    }

    fileprivate func link(_ name: String, to inside: InsideEndpoint, keys: Bool?) throws(RPCError) -> Done {
        let leg = try living(name, epoch: nil)
        return try link(LinkMediaSession(sessionID: name, epoch: leg.epoch, inside: inside, keys: keys))
    }
}
