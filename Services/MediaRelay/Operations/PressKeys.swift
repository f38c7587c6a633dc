import Contracts
import Deadlines
import RTP

extension MediaLoop {
    /// `relay.session.press`: keys that the phone told of in messages go inside as its events do.
    func press(_ command: PressInMediaSession) throws(RPCError) -> Done {
        let leg = try living(command.sessionID, epoch: command.epoch)
        let codes = command.digits.compactMap { TelephoneEvent.code(of: $0) }
        guard codes.count == command.digits.count else {
            throw RPCError(.invalid, "no keys", problems: [Problem(pointer: "/digits", detail: "0...9, *, # and A...D are keys")])
        }
        guard leg.presses.insert(command.pressID) else { return Done() }
        for code in codes { leg.session.press(code, for: .milliseconds(max(0, min(command.duration, 8000))), now: loop.now) }
        tellDigits(leg)
        schedule(leg)
        return Done()
    }

    /// `relay.session.set`.
    func set(_ command: SetMediaSession) throws(RPCError) -> Done {
        let leg = try living(command.sessionID, epoch: command.epoch)
        if let digits = command.digits { leg.session.blocksDigits = digits == .block }
        save(leg)
        return Done()
    }
}
