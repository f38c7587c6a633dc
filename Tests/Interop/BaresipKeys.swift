import Audio
import Foundation
import SIP
import Suite

/// The keys of a baresip phone, which its module ctrl_tcp presses, and its ear while it talks.
extension Baresip {
    // MARK: Keys

    /// Calls somebody beside the calls it has; that call is the one its keys are for then.
    func dials(_ number: String) async throws { _ = try await press("dial", "sip:\(number)@\(domain)") }

    /// Its keys are for the n-th of its calls from now on, the oldest being the first.
    func turns(to line: Int) async throws { _ = try await press("line", "\(line)") }

    func holds() async throws { _ = try await press("hold") }

    func resumes() async throws { _ = try await press("resume") }

    func hangsUp() async throws { _ = try await press("hangup") }

    /// It is not heard from now on.
    func mutes() async throws { _ = try await press("mute") }

    /// Telephone events, one after the other.
    func presses(_ digits: String) async throws {
        for digit in digits {
            _ = try await press("sndcode", String(digit))
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    /// REFER: whom it talks with is to call somebody, in place of its own call there when that is named (RFC 5589 §7).
    func transfers(to number: String, replacing dialog: String? = nil) async throws {
        let escaped = dialog.map { $0.replacing("@", with: "%40").replacing(";", with: "%3B").replacing("=", with: "%3D") }
        _ = try await press("transfer", "<sip:\(number)@\(domain)\(escaped.map { "?Replaces=" + $0 } ?? "")>")
    }

    /// From now on it says what it hears. (After a re-INVITE it records no more; that it hears is heard at the other end.)
    func echoes() async throws { _ = try await press("ausrc", "aubridge,nobody") }

    /// Ends its calls and itself.
    func leaves() async throws {
        // Its answer may not come any more.
        _ = try? await press("quit")
        try await ends()
    }

    /// Netstrings of JSON in both directions; events of its calls come in between.
    private func press(_ key: String, _ parameter: String = "") async throws -> String {
        try await program.prints("baresip is ready", within: .seconds(8))
        let line = try StreamAgent(rawTo: control, .tcp)
        let command = "{\"command\":\"\(key)\",\"params\":\"\(parameter)\",\"token\":\"key\"}"
        try line.sendBytes(Array("\(command.utf8.count):\(command),".utf8))
        let answer = try await line.hears("\"token\":\"key\"")
        guard !answer.contains("\"ok\":false") else { throw RunningSuite.Missing.refused("baresip does not \(key) \(parameter): \(answer)") }
        return answer
    }

    // MARK: Calls

    func talks(with number: String) async throws {
        try await program.prints("Call established: sip:\(number)@", within: .seconds(10))
    }

    /// The call with that number is over: one of the two has said BYE. (It says so itself when another has not been quicker.)
    func isDone(with number: String) async throws {
        try await program.until(.seconds(15), "end its call with \(number)") {
            var isGoodbye = false
            for line in program.output.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
                if line.hasPrefix("BYE sip:") { isGoodbye = true } else if line.isEmpty { isGoodbye = false }
                if isGoodbye, line.contains("sip:\(number)@") { return true }
            }
            return false
        }
    }

    /// The dialog of its own call to that number, as it is named in Replaces (RFC 3891 §6.1).
    func dialog(with number: String) throws -> String {
        var (found, fields) = (String?.none, [Substring: Substring]())
        for line in program.output.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.hasPrefix("SIP/2.0 200 ") {
                fields = ["": ""]
            } else if line.isEmpty {
                if fields["CSeq"]?.hasSuffix("INVITE") == true, let to = fields["To"], to.contains("sip:\(number)@"), let callID = fields["Call-ID"],
                    let theirs = Self.tag(to), let own = fields["From"].flatMap(Self.tag)
                {
                    found = "\(callID);to-tag=\(theirs);from-tag=\(own)"
                }
                fields = [:]
            } else if !fields.isEmpty, let colon = line.firstIndex(of: ":") {
                fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
            }
        }
        guard let found else { throw RunningSuite.Missing.refused("no dialog with \(number):\n\(program.output.suffix(3_000))") }
        return found
    }

    private static func tag(_ address: Substring) -> Substring? {
        address.range(of: ";tag=").map { address[$0.upperBound...].prefix { $0 != ";" } }
    }

    /// Packets of sound it was sent in the call that its keys are for.
    func received() async throws -> Int {
        let told = try await press("audio_debug")
        return told.split(separator: "rcvd=").dropFirst().compactMap { Int($0.prefix { $0.isNumber }) }.reduce(0, +)
    }

    // MARK: Hearing

    /// Whether it hears that tone within `limit`, louder than `threshold` dBFS.
    func hears(_ frequency: Double, within limit: Duration = .seconds(8), above threshold: Double = -35) async -> Bool {
        await poll(limit) { level(of: frequency) > threshold }
    }

    /// The same of a tone that is short: it may be over when one looks.
    func hasHeard(_ frequency: Double, within limit: Duration = .seconds(8), above threshold: Double = -35) async -> Bool {
        await poll(limit) {
            let samples = recorded
            return stride(from: 0, to: samples.count, by: 1_600).contains { start in
                var meter = ToneMeter()
                meter.append(Array(samples[start..<min(start + 1_600, samples.count)]))
                return meter.hears(frequency) > threshold
            }
        }
    }

    /// Whether it hears anything.
    func hearsSomething(within limit: Duration = .seconds(8), above threshold: Double = -45) async -> Bool {
        await poll(limit) { latest.level > threshold }
    }

    /// In dBFS.
    func level(of frequency: Double) -> Double { latest.hears(frequency) }

    /// The last 200 ms that it has recorded.
    private var latest: ToneMeter {
        var meter = ToneMeter()
        let samples = recorded
        if samples.count > 1_600 { meter.append(Array(samples.suffix(1_600))) }
        return meter
    }

    /// All that it has recorded in its latest call.
    private var recorded: [Int16] {
        guard let recording, let file = try? Data(contentsOf: recording), file.count > 44 else { return [] }
        // Behind the head of the file, which knows its length only at the end, are samples of sixteen bits.
        let sound = Array(file[44..<(file.count & ~1)])
        return stride(from: 0, to: sound.count, by: 2).map { Int16(bitPattern: UInt16(sound[$0]) | UInt16(sound[$0 + 1]) << 8) }
    }

    private func poll(_ limit: Duration, _ isTrue: () -> Bool) async -> Bool {
        let end = ContinuousClock.now + limit
        while true {
            if isTrue() { return true }
            guard ContinuousClock.now < end, (try? await Task.sleep(for: .milliseconds(50))) != nil else { return false }
        }
    }
}
