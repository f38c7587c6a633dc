import Deadlines
import Phone

/// One call between two phones of our own through the suite, and what each of them heard of the other.
struct SelfCall {
    /// What both phones send, far enough apart to be told from each other and from call progress tones.
    private static let callerTone = 440
    private static let calleeTone = 620
    /// More than one packet in fifty missing is audible.
    private static let toleratedLoss = 50

    struct Failure: Error {
        let text: String
    }

    /// What one side measured.
    struct Side {
        let number: String
        let expectedTone: Int
        let toneLevel: Double
        let report: CallReport

        var isToneHeard: Bool { toneLevel > -35 }

        func line(_ width: Int) -> String {
            let sound = report.sound
            let tone = isToneHeard ? "\(expectedTone) Hz heard at \(decibels(toneLevel))" : "\(expectedTone) Hz NOT heard (\(decibels(toneLevel)))"
            return "\(number) heard".padded(to: width)
                + "\(sound.packetsReceived) packets (\(report.codec ?? "no codec")), \(sound.lost) lost, jitter "
                + "\(milliseconds(sound.jitter)), \(tone)"
        }
    }

    let options: Options

    /// Registers both phones, calls, listens, hangs up. Throws when anything is not as it should be.
    func run() async throws(Failure) -> String {
        let caller = PhoneLine(settings(options.caller, options.callerPassword, tone: Self.callerTone))
        let callee = PhoneLine(settings(options.callee, options.calleePassword, tone: Self.calleeTone))
        let outcome: Result<String, Failure>
        do throws(Failure) {
            outcome = .success(try await call(caller, callee))
        } catch {
            outcome = .failure(error)
        }
        await caller.close()
        await callee.close()
        return try outcome.get()
    }

    private func settings(_ number: String, _ password: String, tone: Int) -> PhoneSettings {
        var settings = PhoneSettings(number: number, domain: options.domain, password: password, proxy: options.proxy)
        settings.tone = tone
        settings.expires = 60
        if options.usesTCP { settings.transport = .tcp }
        return settings
    }

    private func call(_ caller: PhoneLine, _ callee: PhoneLine) async throws(Failure) -> String {
        for phone in [caller, callee] {
            try await step("\(phone.number) cannot register at \(options.proxy)") { try await phone.register() }
        }
        let what = "\(options.caller) calls \(options.callee)"
        let outgoing = try await step(what) { try await caller.call(options.callee) }
        try await step(what) { try await outgoing.answered(within: .seconds(10)) }
        let incoming = try await step("\(options.callee) was not called") { try await callee.incomingCall(within: .seconds(1)) }
        // The first packets find their way while the relays learn the addresses: counted from the first that is heard.
        _ = await outgoing.hears(Double(Self.calleeTone), within: .seconds(2))
        try? await Task.sleep(for: .seconds(options.seconds))
        let heard = [
            await side(outgoing, options.caller, hears: Self.calleeTone), await side(incoming, options.callee, hears: Self.callerTone),
        ]
        try await step("hang-up") { try await outgoing.hangup() }
        let end = try await step("\(options.callee) saw no hang-up") { try await incoming.ended(within: .seconds(5)) }
        let text = describe(heard, hangUpSeen: end == .hungUpThere)
        try judge(heard, end, text)
        return text
    }

    @discardableResult
    private func step<T: Sendable>(_ what: String, _ body: () async throws -> T) async throws(Failure) -> T {
        do { return try await body() } catch { throw Failure(text: "\(what): \(error)") }
    }

    private func side(_ call: PhoneCall, _ number: String, hears tone: Int) async -> Side {
        Side(number: number, expectedTone: tone, toneLevel: await call.level(of: Double(tone)), report: await call.report)
    }

    private func describe(_ sides: [Side], hangUpSeen: Bool) -> String {
        let width = 14
        var lines = ["self-test call: \(options.caller) -> \(options.callee) through \(options.proxy) (\(options.domain))"]
        if let setup = sides[0].report.setupTime {
            let ringing = sides[0].report.ringTime.map { ", ringing after \(milliseconds($0))" } ?? ""
            lines.append("  " + "set-up".padded(to: width) + milliseconds(setup) + ringing)
        }
        lines += sides.map { "  " + $0.line(width) }
        lines.append("  " + "hang-up".padded(to: width) + (hangUpSeen ? "seen by both" : "NOT seen by \(options.callee)"))
        return lines.joined(separator: "\n")
    }

    private func judge(_ sides: [Side], _ end: CallEnd, _ text: String) throws(Failure) {
        for side in sides {
            let sound = side.report.sound
            guard side.isToneHeard else { throw Failure(text: "\(side.number) did not hear \(side.expectedTone) Hz\n\(text)") }
            guard sound.lost * Self.toleratedLoss <= sound.packetsReceived else {
                throw Failure(text: "\(side.number) lost \(sound.lost) packets\n\(text)")
            }
        }
        guard end == .hungUpThere else { throw Failure(text: "\(options.callee) did not see the hang-up but: \(end)\n\(text)") }
    }
}

private func milliseconds(_ interval: Interval) -> String { "\(tenths(interval.milliseconds)) ms" }
private func decibels(_ level: Double) -> String { "\(tenths(level)) dBFS" }
private func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
