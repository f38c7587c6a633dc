import Audio
import Contracts
import RTP
import Speech
import Testing

@testable import ConferenceServer

@Suite("A room listens to a seat") struct MixerHearingTests {
    private static func command(_ watch: Watch, of participant: String = "anna", epoch: UInt64 = 1) -> ListenInRoom {
        ListenInRoom(roomID: "room_1", participantID: participant, epoch: epoch, watch: watch)
    }

    /// Lets a phone say something, a packet a tick.
    private static func say(_ sound: [Int16], _ name: String, in bench: inout Bench) {
        let index = bench.index(name)
        for start in stride(from: 0, to: sound.count - Samples.frame + 1, by: Samples.frame) {
            let payload = G711.encode(Array(sound[start..<(start + Samples.frame)]), .ulaw)
            bench.receive(Bench.packet(bench.phones[index], payload: payload))
            bench.phones[index].sequence &+= 1
            bench.phones[index].timestamp &+= UInt32(Samples.frame)
            bench.step()
        }
    }

    private static func findings(_ bench: Bench) -> [(watch: String, finding: Finding)] {
        bench.box.events.compactMap {
            if case .heard("call_anna", "CallServer-1", let watch, let finding) = $0 { (watch, finding) } else { nil }
        }
    }

    @Test("Speech begins and ends for who asked, though the phone is muted; nobody else's is told")
    func speech() async throws {
        var bench = Bench()
        try bench.sit("anna", muted: true)
        try bench.sit("bert")
        try bench.mixer.listen(Self.command(Watch(id: "w", speech: true, silence: 500)))
        let sound = try await Synthesiser.shared.synthesise(text: "This is a sentence of some length.")
        let pause = [Int16](repeating: 0, count: 8000)
        Self.say(pause, "bert", in: &bench)
        Self.say(sound, "bert", in: &bench)
        #expect(Self.findings(bench).map(\.finding) == [.silence(milliseconds: 500)])
        bench.box.events = []
        Self.say(pause + sound + pause + pause, "anna", in: &bench)
        let heard = Self.findings(bench)
        #expect(heard.allSatisfy { $0.watch == "w" } && heard.count == 3)
        #expect(heard.first?.finding == .speechStarted && heard.last?.finding == .silence(milliseconds: 500))
        if heard.count > 1, case .speechEnded(let milliseconds) = heard[1].finding {
            #expect(abs(milliseconds - sound.count / 8) < 600, "\(milliseconds) of \(sound.count / 8) ms")
        } else {
            Issue.record("no end of speech: \(heard)")
        }
    }

    @Test("A machine that greets and beeps; two watches hear it, each what it asked for; a stopped one hears nothing")
    func machine() async throws {
        var bench = Bench()
        try bench.sit("anna")
        try bench.mixer.listen(Self.command(Watch(id: "amd", machine: MachineDetection())))
        try bench.mixer.listen(Self.command(Watch(id: "beep", beep: true)))
        try bench.mixer.listen(Self.command(Watch(id: "gone", speech: true, fax: true)))
        bench.mixer.stopListening(StopListening(roomID: "room_1", participantID: "anna", watchID: "gone"))
        let greeting = try await Synthesiser.shared.synthesise(
            text: "You have reached the voicemail of Anna. I cannot come to the phone. Please leave a message after the tone.")
        var beep = Tone(frequency: 1000)
        let pause = [Int16](repeating: 0, count: 4000)
        Self.say(pause + greeting + pause + beep.next(4000) + pause, "anna", in: &bench)
        let heard = Self.findings(bench)
        #expect(heard.map(\.watch) == ["amd", "beep"])
        if case .answerer(.machine, _, let milliseconds)? = heard.first?.finding {
            #expect(milliseconds < 5000)
        } else {
            Issue.record("\(heard)")
        }
        if case .beep(let frequency, let milliseconds)? = heard.last?.finding {
            #expect(abs(frequency - 1000) <= 5 && abs(milliseconds - 500) <= 60)
        } else {
            Issue.record("\(heard)")
        }
    }

    @Test("An owner of before does not listen any more; a participant has a bound of watches; who leaves is listened to no more")
    func bounds() throws {
        var bench = Bench()
        try bench.sit("anna")
        #expect(throws: RPCError.self) { try bench.mixer.listen(Self.command(Watch(id: "w"), epoch: 0)) }
        #expect(throws: RPCError.self) { try bench.mixer.listen(Self.command(Watch(id: "w"), of: "nobody")) }
        for number in 0..<SeatEar.mostWatches { try bench.mixer.listen(Self.command(Watch(id: "\(number)", speech: true))) }
        try bench.mixer.listen(Self.command(Watch(id: "0", fax: true)))
        #expect(throws: RPCError.self) { try bench.mixer.listen(Self.command(Watch(id: "more"))) }
        #expect(bench.mixer.snapshot(of: "room_1")?.members[0].watches?.count == SeatEar.mostWatches)
        _ = try bench.leave("anna")
        #expect(bench.mixer.seats.allSatisfy { $0.ear == nil })
    }
}
