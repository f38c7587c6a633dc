import Contracts
import MediaSession
import RTP

// Keys that came otherwise than as events, and keys that the room is not to hear.
extension MediaLoop {
    /// The owner hears of keys that the room does not.
    func tellDigits(_ leg: Leg) {
        guard leg.session.hasToldDigits else { return }
        for code in leg.session.takeToldDigits() {
            guard let digit = TelephoneEvent(code: code, isEnd: false, duration: 0).digit else { continue }
            events.digit(DigitPressed(callID: leg.callID, digit: String(digit), duration: 0, bypassesRoom: true), leg.owner)
        }
    }
}
