import Foundation
import Phone
import SIP
import Suite
import Testing

/// RFC 5359 §2.3: who holds has somebody else play, by an offer that names the other's address; the one that is held hears it.
@Suite("RFC 5359 §2.3: music on hold from a source of its own", .timeLimit(.minutes(2)))
struct MusicOnHoldTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("§2.3: the one that is held hears the music and not who holds, and the other way round afterwards")
    func music() async throws {
        try await withPhones(1, in: suite) { phones in
            let (speech, music) = (try TonePhone(saying: 700), try TonePhone(saying: 1_300))
            let account = try await suite.makeAccount()
            let holder = try Holder(OutsideAgent(suite, account))
            try await holder.register(suite.domain)
            let held = try await phones[0].call(account.number)
            let port = try await holder.answer(speech.description)
            try await held.answered()
            await speech.talk(to: port)
            #expect(await held.hears(700))
            let musicPort = try await holder.offer(music.description + "a=sendonly\r\n", version: 2)
            await speech.quiet()
            await music.talk(to: musicPort)
            #expect(await held.hears(1_300), "the music")
            try await suite.eventually("who holds is not heard") { await held.level(of: 700) < -45 }
            let speechPort = try await holder.offer(speech.description + "a=sendrecv\r\n", version: 3)
            await music.quiet()
            await speech.talk(to: speechPort)
            #expect(await held.hears(700))
            await speech.quiet()
            async let over: Void = held.hangup()
            try await holder.isHungUpOn()
            try await over
        }
    }
}

/// A phone that is called and offers what it likes, line by line.
private final class Holder {
    private let phone: OutsideAgent
    private var invite: Message?
    private let run = UInt32.random(in: 1...999_999)
    private var sequence = 0

    init(_ phone: OutsideAgent) { self.phone = phone }

    func register(_ domain: String) async throws {
        #expect(try await phone.request("REGISTER", "sip:\(domain)", to: phone.address, callID: "moh", ["Expires: 120"]).status == 200)
    }

    /// Where its sound is to go.
    func answer(_ description: String) async throws -> UInt16 {
        let invite = try await phone.agent.receive("the INVITE") { $0.method == .invite }
        self.invite = invite
        var builder = ResponseBuilder(invite, 200, toTag: "holder")
        builder.copiesRecordRoute = true
        builder.contact = NameAddress(phone.contact)
        builder.contentType = "application/sdp"
        builder.body = Array(description.utf8)
        try phone.agent.send(builder.serialised(), to: phone.edge)
        _ = try await phone.agent.receive("the ACK") { $0.method == .ack }
        return try Self.port(in: invite)
    }

    /// A re-INVITE; where that sound is to go.
    func offer(_ description: String, version: Int) async throws -> UInt16 {
        sequence += 1
        let cseq = sequence
        try send("INVITE", cseq, description.replacing("o=- 1 1", with: "o=- 1 \(version)"))
        let answer = try await phone.agent.receive("the answer") { $0.value(.cseq) == "\(cseq) INVITE" && ($0.status ?? 0) >= 200 }
        #expect(answer.status == 200)
        try send("ACK", cseq, "")
        return try Self.port(in: answer)
    }

    func isHungUpOn() async throws { try phone.agent.answer(try await phone.agent.receive("the BYE") { $0.method == .bye }, 200) }

    private static func port(in message: Message) throws -> UInt16 {
        let line = String(decoding: message.body, as: UTF8.self).split(whereSeparator: \.isNewline).first { $0.hasPrefix("m=audio ") }
        guard let port = line?.split(separator: " ").dropFirst().first.flatMap({ UInt16($0) }) else { throw InsideAgent.Trouble.silence("a port") }
        return port
    }

    private func send(_ method: String, _ sequence: Int, _ body: String) throws {
        guard let invite else { throw InsideAgent.Trouble.silence("a call") }
        func lines(_ name: String) -> [String] {
            String(decoding: invite.bytes, as: UTF8.self).split(separator: "\r\n").filter { $0.hasPrefix("\(name):") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
        let target = lines("Contact").first.flatMap { NameAddress($0)?.uri.description } ?? ""
        let head =
            [
                "\(method) \(target) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(phone.agent.port);rport;branch=z9hG4bK\(run)\(method)\(sequence)",
                "From: \(lines("To").first ?? "");tag=holder", "To: \(lines("From").first ?? "")", "Call-ID: \(invite.callID ?? "")",
                "CSeq: \(sequence) \(method)", "Max-Forwards: 70", "Contact: \(phone.contact)", "User-Agent: a modern phone",
            ] + lines("Record-Route").map { "Route: \($0)" } + (body.isEmpty ? [] : ["Content-Type: application/sdp"])
        try phone.agent.send(Array((head + ["Content-Length: \(body.utf8.count)", "", body]).joined(separator: "\r\n").utf8), to: phone.edge)
    }
}
