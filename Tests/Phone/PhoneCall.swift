public import Addresses
public import Deadlines

/// One call of a phone, as a test holds it: what can be waited for, done, and measured.
public struct PhoneCall: Sendable {
    public let line: PhoneLine
    /// The number called, or of the caller.
    public let peer: String
    let id: Int

    init(line: PhoneLine, id: Int, peer: String) { (self.line, self.id, self.peer) = (line, id, peer) }

    // MARK: Waiting

    /// Returns when it rings at the other side (or is answered); throws when it is refused or takes too long.
    public func ringing(within limit: Interval = .seconds(10)) async throws { try await line.wait(id, for: .ringing, within: limit) }

    /// Returns when it is answered; throws when it is refused or takes too long.
    public func answered(within limit: Interval = .seconds(10)) async throws { try await line.wait(id, for: .answered, within: limit) }

    /// Returns how it ended.
    @discardableResult
    public func ended(within limit: Interval = .seconds(10)) async throws -> CallEnd {
        try await line.wait(id, for: .ended, within: limit)
        return await line.report(id).end ?? .failed("ended without a reason")
    }

    /// Whether that tone is heard within `limit`, louder than `threshold` dBFS.
    public func hears(_ frequency: Double, within limit: Interval = .seconds(8), above threshold: Double = -35) async -> Bool {
        await poll(limit) { await level(of: frequency) > threshold }
    }

    /// Whether anything is heard within `limit`, louder than `threshold` dBFS.
    public func hearsSomething(within limit: Interval = .seconds(8), above threshold: Double = -45) async -> Bool {
        await poll(limit) { await report.sound.level > threshold }
    }

    /// Whether these digits have been received within `limit`, all of them in order.
    public func receives(digits: String, within limit: Interval = .seconds(8)) async -> Bool {
        await poll(limit) { await report.sound.digits == digits }
    }

    private func poll(_ limit: Interval, _ isTrue: () async -> Bool) async -> Bool {
        let end = ContinuousClock.now + .nanoseconds(limit.nanoseconds)
        while true {
            if await isTrue() { return true }
            guard ContinuousClock.now < end, (try? await Task.sleep(for: .milliseconds(20))) != nil else { return false }
        }
    }

    // MARK: Doing

    /// Answers a call of a phone that only rings.
    public func answer() async throws { try await line.answer(id) }

    /// Ends the call: CANCEL, refusal or BYE as its state asks for. Returns when the other side has confirmed.
    public func hangup() async throws { try await line.hangUp(id) }

    /// Puts the other side on hold with a re-INVITE (RFC 3264 §8.4).
    public func hold() async throws { try await line.offerAgain(id, .sendOnly) }

    public func resume() async throws { try await line.offerAgain(id, .sendReceive) }

    /// Presses keys, one after the other, as telephone events; returns when all have been sent.
    public func send(digits: String) async throws {
        try await line.send(digits: digits, id)
        while await line.isSendingDigits(id) { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Presses keys that are heard as tones in its sound; returns when all have been sent.
    public func send(tones: String) async throws {
        try await line.send(tones: tones, id)
        while await line.isSendingDigits(id) { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Says something, in place of its tone: 8 kHz; returns when all has been sent.
    public func say(_ sound: [Int16]) async throws {
        try await line.send(sound: sound, id)
        while await line.isSendingDigits(id) { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Tells of something in an INFO; the status of the answer.
    @discardableResult
    public func sendInfo(_ contentType: String, _ body: String) async throws -> Int {
        try await line.sendInfo(id, contentType: contentType, body: body)
    }

    /// Transfers who is talked with by REFER (RFC 5589 §6); the status of the answer. The call ends when the other has answered.
    public func transfer(to number: String) async throws -> Int { try await line.refer(id, to: number) }

    /// Sends another tone from now on; nil is silence.
    public func setTone(_ frequency: Int?) async throws { try await line.setTone(frequency, id) }

    // MARK: Measuring

    public var report: CallReport { get async { await line.report(id) } }

    /// From the first INVITE to the 200.
    public var setupTime: Interval? { get async { await line.report(id).setupTime } }

    /// The level of a tone in the last 200 ms heard, in dBFS.
    public func level(of frequency: Double) async -> Double { await line.level(of: frequency, id) }

    /// Whether the last 200 ms hold that tone.
    public func heard(frequency: Double, above threshold: Double = -35) async -> Bool { await level(of: frequency) > threshold }

    /// The sound heard last, 8 kHz, as much as the settings' `memory` keeps.
    public var sound: [Int16] { get async { await line.sound(id) } }

    /// Where this phone sends its sound, once that is agreed.
    public var relay: SocketAddress? { get async { await line.relay(id) } }

    /// The Call-ID this phone knows the call by.
    public var callID: String? { get async { await line.callID(id) } }

    /// Starts all counts and the memory of sound anew.
    public func forgetWhatWasHeard() async { await line.forgetWhatWasHeard(id) }

    /// Lets the line forget an ended call: its report is empty from then on. For load, where calls come by the thousand.
    public func forget() async { await line.forget(id) }
}
