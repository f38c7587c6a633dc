import Audio
import Foundation
import Phone
import Suite
import Testing

/// What Kamailio's rtpengine module asks for beside offers and answers: its functions, by an INFO of one of two phones in a call.
@Suite("A media relay alone: recording, playing and blocking by Kamailio's rtpengine module", .timeLimit(.minutes(2)))
struct NGMediaTests {
    private let relay: LoneRelay
    private let kamailio: Kamailio
    private let recorded: RecordedCalls
    private let sounds: URL

    init() async throws {
        recorded = try RecordedCalls()
        sounds = FileManager.default.temporaryDirectory.appending(path: "tandem-sounds-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: sounds, withIntermediateDirectories: true)
        var sine = Tone(frequencies: [1500])
        try Data(WAVWriter.encode(Samples(sine.next(Samples.rate)))).write(to: sounds.appending(path: "hello.wav"))
        relay = try await LoneRelay(environment: ["TANDEM_RECORDINGS": recorded.folder.path, "TANDEM_NG_SOUNDS": sounds.path])
        kamailio = try await Kamailio(relay: relay.control)
    }

    private func phone(_ number: String, tone: Int) async throws -> PhoneLine {
        var settings = PhoneSettings(number: number, domain: "farm.example", password: "", proxy: kamailio.address)
        settings.tone = tone
        let phone = PhoneLine(settings)
        try await phone.register()
        return phone
    }

    /// Two phones in a call: 440 Hz calls 620 Hz.
    private func talk(to number: String = "1002", _ body: (_ caller: PhoneCall, _ callee: PhoneCall) async throws -> Void) async throws {
        let (caller, callee) = (try await phone("1001", tone: 440), try await phone(number, tone: 620))
        let (outgoing, incoming) = try await connect(caller, callee)
        #expect(await outgoing.hears(620))
        #expect(await incoming.hears(440))
        try await body(outgoing, incoming)
        try await outgoing.hangup()
        try await incoming.ended()
        await caller.close()
        await callee.close()
        recorded.remove()
        try FileManager.default.removeItem(at: sounds)
    }

    private func ask(_ call: PhoneCall, _ command: String, _ status: Int = 200) async throws {
        #expect(try await call.sendInfo("text/plain", command) == status, "\(command): \(relay.log.suffix(500))")
    }

    /// Whether nothing but silence, or nothing, is heard from now on.
    private func isSilent(_ call: PhoneCall) async throws -> Bool {
        try await Task.sleep(for: .milliseconds(200))
        await call.forgetWhatWasHeard()
        return await !call.hearsSomething(within: .milliseconds(700))
    }

    private func hearsAgain(_ call: PhoneCall, _ frequency: Double) async -> Bool {
        await call.forgetWhatWasHeard()
        return await call.hears(frequency)
    }

    @Test("start_recording() and stop_recording(): each side is in its channel of one file, which ends when it is told to")
    func records() async throws {
        try await talk { caller, callee in
            try await ask(caller, "start")
            try await Task.sleep(for: .seconds(2))
            try await ask(callee, "stop")
            try await caller.setTone(2000)
            try await Task.sleep(for: .seconds(1))
            let files = try await recorded.settled(1)
            let levels = try recorded.levels(files[0], [440, 620, 2000])
            #expect(levels.count == 2 && levels[0][0] > -25 && levels[0][1] < -32, "the caller is on the left: \(levels)")
            #expect(levels.count == 2 && levels[1][1] > -25 && levels[1][0] < -32, "the called one on the right: \(levels)")
            #expect(levels[0][2] < -32, "and nothing after the end: \(levels)")
            try await ask(caller, "start")
            try await Task.sleep(for: .seconds(1))
        }
    }

    @Test("rtpengine_manage() with the flags of its documentation: understood, sound as ever, and record-call=on records from the answer to the end")
    func flags() async throws {
        try await talk(to: "1041") { caller, _ in
            #expect(try await relay.metric("tandem_ng_unknown_options_total") == 0)
            #expect(try await relay.metric("tandem_ng_failed_requests_total") == 0)
            #expect(try recorded.names().count == 1)
            try await ask(caller, "query")
            try await Task.sleep(for: .seconds(1))
            let levels = try recorded.levels(try recorded.names()[0], [440, 620])
            #expect(levels.count == 2 && levels[0][0] > -25 && levels[1][1] > -25, "\(levels)")
        }
    }

    @Test("play_media() is heard by whoever is named, in place of the other, and by nobody else; stop_media() ends it")
    func plays() async throws {
        try await talk { caller, callee in
            try await ask(caller, "play")
            #expect(await hearsAgain(caller, 1500))
            #expect(await caller.level(of: 620) < -40)
            #expect(await hearsAgain(callee, 440))
            #expect(await callee.level(of: 1500) < -40)
            try await ask(caller, "quiet")
            #expect(await hearsAgain(caller, 620))
            #expect(await caller.level(of: 1500) < -40)
        }
    }

    @Test("block_media() and silence_media() of one party: its peer hears nothing of it, and it hears its peer as ever")
    func blocks() async throws {
        try await talk { caller, callee in
            for (on, off) in [("mute", "unmute"), ("hush", "unhush")] {
                try await ask(callee, on)
                #expect(try await isSilent(caller), "\(on)")
                let packets = await caller.report.sound.packetsReceived
                #expect((packets > 0) == (on == "hush"), "silence is sent, what is blocked is not: \(packets)")
                #expect(await hearsAgain(callee, 440), "\(on)")
                try await ask(callee, off)
                #expect(await hearsAgain(caller, 620), "\(off)")
            }
        }
    }

    @Test("RFC 4733, block_dtmf(): keys go no further and sound does; unblock_dtmf(): they do again; play_dtmf() presses one")
    func keys() async throws {
        try await talk { caller, callee in
            try await ask(caller, "no keys")
            try await caller.send(digits: "12")
            #expect(await callee.hears(440))
            try await ask(caller, "keys")
            try await caller.send(digits: "34")
            #expect(await callee.receives(digits: "34"))
            try await ask(caller, "press")
            #expect(await callee.receives(digits: "347"))
            try await ask(caller, "forward", 500)
        }
    }
}
