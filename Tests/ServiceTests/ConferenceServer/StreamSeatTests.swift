import Audio
import Contracts
import RTP
import Testing
import Threads

@testable import ConferenceServer

@Suite("Sockets in rooms: what they hear, and who hears them")
struct StreamSeatTests {
    private static let tones = [400.0, 640, 1010, 1370, 1700]

    /// The socket's thread, in the test's: it speaks a tone and hears what comes.
    private final class Socket {
        let line = StreamLine()
        private var tone: Tone
        var meter = ToneMeter(window: 1600)
        var digits = ""
        var frames = 0

        init(_ frequency: Double) { tone = Tone(frequency: frequency, level: .dBm0(-16)) }

        func tick(speaks: Bool = true) {
            if speaks { _ = line.feed(G711.encode(tone.next(160), .ulaw)) }
            line.hear({ codes in
                frames += 1
                meter.append(G711.decode(codes, .ulaw))
            }, digit: { digits.append($0) })
        }

        func hears() -> [Double] { meter.tones(among: StreamSeatTests.tones) }
    }

    private func request(
        _ id: String, of participant: String?, _ listen: StreamSettings.Direction = .both, _ speak: StreamSettings.Direction = .both,
        customer: String = "cust_1"
    ) -> StartStream {
        StartStream(
            roomID: "room_1", customerID: customer, callID: participant.map { "call_\($0)" }, participantID: participant, owner: "CallServer-1",
            stream: StreamSettings(id: id, url: "ws://example.com/", listen: listen, speak: speak))
    }

    private func three() throws -> Bench {
        var bench = Bench()
        for (name, tone) in zip(["a", "b", "c"], Self.tones) { try bench.sit(name, tone: tone) }
        return bench
    }

    private static let now = Contracts.Timestamp(milliseconds: 0)

    private func run(_ bench: inout Bench, _ socket: Socket, ticks: Int = 25) {
        for _ in 0..<ticks {
            socket.tick()
            bench.run(ticks: 1)
        }
        socket.tick(speaks: false)
    }

    @Test("A room's socket hears all and is heard by all, and not by itself")
    func ofRoom() throws {
        var bench = try three()
        let socket = Socket(1370)
        let isNew = [
            try bench.mixer.seat(request("s", of: nil), socket.line, at: Self.now), try bench.mixer.seat(request("s", of: nil), socket.line, at: Self.now),
        ]
        #expect(isNew == [true, false], "once")
        run(&bench, socket)
        #expect(socket.hears() == [400, 640, 1010])
        #expect(bench.hears("a", Self.tones) == [640, 1010, 1370])
        #expect(bench.hears("c", Self.tones) == [400, 640, 1370])
        let participant = try #require(bench.mixer.snapshot(of: "room_1")?.participants.last)
        #expect(participant.kind == .stream && participant.id == "s" && participant.talking)
        #expect(bench.mixer.snapshot(of: "room_1")?.members.count == 3, "members are phones")
    }

    @Test("A call's socket: what it listens to and who hears it, in every direction", arguments: StreamSettings.Direction.allCases, StreamSettings.Direction.allCases)
    func ofCall(listen: StreamSettings.Direction, speak: StreamSettings.Direction) throws {
        var bench = try three()
        let socket = Socket(1370)
        _ = try bench.mixer.seat(request("s", of: "a", listen, speak), socket.line, at: Self.now)
        // Heard by a alone.
        let play = PlayInRoom(
            roomID: "room_1", participantID: "a", playID: "play_1", sources: [.tone(frequency: 1700, milliseconds: 1000)], loop: true)
        var tone = Tone(frequency: 1700, level: .dBm0(-20))
        try bench.begin(play, [.sound(tone.next(8000))])
        run(&bench, socket)
        let heard: [Double] =
            switch listen {
            case .in: [400]
            case .out: [640, 1010, 1700]
            case .both: [400, 640, 1010, 1700]
            }
        #expect(socket.hears() == heard, "never itself")
        #expect(bench.hears("a", Self.tones) == [640, 1010] + (speak == .in ? [] : [1370]) + [1700])
        #expect(bench.hears("b", Self.tones) == [400, 1010] + (speak == .out ? [] : [1370]))
        #expect(socket.frames >= 25)
    }

    @Test("Keys of its call come to the socket, others' do not; a room's socket gets all")
    func digits() throws {
        var bench = try three()
        let (own, rooms) = (Socket(1370), Socket(1700))
        _ = try bench.mixer.seat(request("s", of: "a"), own.line, at: Self.now)
        _ = try bench.mixer.seat(request("t", of: nil), rooms.line, at: Self.now)
        bench.press("5", "a")
        bench.press("6", "b")
        own.tick()
        rooms.tick()
        #expect(own.digits == "5" && rooms.digits == "56")
    }

    @Test("It goes with its call, with its room, or when it is stopped; and keeps no room alive")
    func ends() throws {
        var bench = try three()
        let sockets = [Socket(1370), Socket(1370), Socket(1370)]
        _ = try bench.mixer.seat(request("s", of: "a"), sockets[0].line, at: Self.now)
        _ = try bench.mixer.seat(request("t", of: "b"), sockets[1].line, at: Self.now)
        _ = try bench.mixer.seat(request("u", of: nil), sockets[2].line, at: Self.now)
        #expect(sockets[0].line.ended == nil)
        _ = try bench.leave("a")
        #expect(sockets[0].line.ended == .participantLeft && bench.mixer.seatCount == 4)
        let departures = ["cust_2", "cust_1"].map { bench.mixer.unseat(stream: "t", room: "room_1", customer: $0, .requested) != nil }
        #expect(departures == [false, true], "only its customer takes it out")
        #expect(sockets[1].line.ended == .requested)
        _ = try bench.leave("b")
        _ = try bench.leave("c")
        #expect(sockets[2].line.ended == .roomEnded)
        #expect(bench.mixer.rooms.isEmpty && bench.mixer.seatCount == 0)
        let expulsions = bench.mixer.takeExpulsions()
        #expect(expulsions.isEmpty, "nobody is told that owns no call")
    }

    @Test("Who goes to another room of the mixer leaves nobody behind alone: his socket is let go, and one of the room ends with it")
    func movedAway() throws {
        var bench = Bench()
        try bench.sit("a")
        try bench.sit("b")
        let (his, rooms) = (StreamLine(), StreamLine())
        _ = try bench.mixer.seat(request("s", of: "a"), his, at: Self.now)
        _ = try bench.mixer.seat(request("t", of: nil), rooms, at: Self.now)
        for (number, name) in ["a", "b"].enumerated() {
            var settings = bench.settings(of: name, number: number)
            settings.from = "room_1"
            _ = try bench.mixer.join(RoomIdentity(id: "room_2", customerID: "cust_1"), settings, relay: bench.address(number), at: Self.now)
            #expect(his.ended == .participantLeft && rooms.ended == (number == 0 ? nil : .roomEnded))
        }
        #expect(bench.mixer.rooms.map(\.identity.id) == ["room_2"] && bench.mixer.seatCount == 2)
    }

    @Test("A room that is another instance's now keeps no socket and no recording here, and only phones are told to come in elsewhere")
    func dropped() throws {
        var bench = Bench()
        try bench.sit("a")
        let line = StreamLine()
        _ = try bench.mixer.seat(request("s", of: "a"), line, at: Self.now)
        let order = RoomTap.Order(
            number: 7, recordingID: "rec_1", roomID: "room_1", participantID: nil, terms: RecordingTerms(), ring: RecordRing(capacity: 1 << 16))
        try bench.mixer.begin(order)
        #expect(bench.mixer.drop("room_1").map(\.participantID) == ["a"])
        #expect(line.ended == .roomEnded && bench.mixer.takeTapEnds().map(\.reason) == [.interrupted])
        #expect(bench.mixer.rooms.isEmpty && bench.mixer.seatCount == 0)
    }

    @Test("Where it cannot sit: no room, another's, no such call, too many")
    func refused() throws {
        var bench = Bench()
        #expect(throws: RPCError.self) { try bench.mixer.seat(request("s", of: nil), StreamLine(), at: Self.now) }
        try bench.sit("a")
        #expect(throws: RPCError.self) { try bench.mixer.seat(request("s", of: nil, customer: "cust_2"), StreamLine(), at: Self.now) }
        #expect(throws: RPCError.self) { try bench.mixer.seat(request("s", of: "x"), StreamLine(), at: Self.now) }
        for number in 0..<Mixer.largestStreams { _ = try bench.mixer.seat(request("s\(number)", of: nil), StreamLine(), at: Self.now) }
        let full = #expect(throws: RPCError.self) { try bench.mixer.seat(request("s", of: nil), StreamLine(), at: Self.now) }
        #expect(full?.code == .exhausted)
    }

    @Test("Muted, softer, whispering: a socket is moderated as a phone is")
    func moderated() throws {
        var bench = try three()
        let socket = Socket(1370)
        _ = try bench.mixer.seat(request("s", of: nil), socket.line, at: Self.now)
        run(&bench, socket)
        let before = bench.level(1370, "a")
        try bench.mixer.direct("s", room: "room_1", DirectionChange(gainIn: -6, whisperTo: "a"))
        run(&bench, socket)
        #expect(abs(bench.level(1370, "a") - (before - 6)) < 0.5)
        #expect(bench.hears("b", [1370]) == [])
        try bench.mixer.moderate("s", room: "room_1", Moderation(muted: true))
        run(&bench, socket)
        #expect(bench.hears("a", [1370]) == [])
        #expect(bench.mixer.snapshot(of: "room_1")?.participant("s")?.muted == true)
    }

    @Test("What was given to the room is taken back; frames of a socket's thread that is late are lost and counted")
    func line() {
        let line = StreamLine()
        var codes = [UInt8](repeating: 0, count: 320)
        var isTaken = line.take(into: &codes, at: 160)
        #expect(!isTaken)
        #expect(codes.suffix(160).allSatisfy { $0 == 0xff } && codes.prefix(160).allSatisfy { $0 == 0 })
        for value in 1...3 { #expect(line.feed([UInt8](repeating: UInt8(value), count: 160))) }
        isTaken = line.take(into: &codes, at: 0)
        #expect(isTaken && codes[0] == 1 && line.taken == 1)
        line.takeBack()
        #expect(line.feed([UInt8](repeating: 9, count: 160)))
        isTaken = line.take(into: &codes, at: 0)
        #expect(isTaken && codes[0] == 9 && line.taken == 4)
        for _ in 0..<100 { line.send(codes.span.extracting(0..<160)) }
        var heard = 0
        line.hear({ _ in heard += 1 }, digit: { _ in })
        #expect(heard >= 25 && heard + line.lost == 100)
        line.close(.participantLeft)
        line.close(.requested)
        #expect(line.ended == .participantLeft)
    }
}
