import Addresses
import Audio
import Bus
import Contracts
import Datagrams
import Deadlines
import Logging
import RTP
import Threads

/// A room of many, all of whose legs are at one relay: this program. What does a participant cost, and does everybody hear every frame?
struct RoomLoad {
    /// As `make up` names it.
    private static let instance = Recipient.instance("ConferenceServer-1")

    let url: String
    var participants = 300
    /// Those who talk; the others send silence, as phones do.
    var talkers = 3
    var seconds = 10

    func run() async throws -> [Figure] {
        guard let settings = Bus.Settings(url: url) else { throw Settings.Missing(text: "TANDEM_AMQP_URL is not amqp://user:password@host:port/vhost") }
        guard let server = (Processes.named("room-worker") + Processes.named("ConferenceServer")).first else { throw Settings.Missing(text: "no process ConferenceServer: is the suite up?") }
        var logger = Logger(label: "benchmark")
        logger.logLevel = .warning
        let bus = Bus(settings: settings, service: .callServer, instance: "benchmark-\(UInt32.random(in: .min ... .max))", logger: logger)
        await bus.start()
        let relay = try RoomRelay(participants: participants, talkers: talkers)
        var joins: [Interval] = []
        for number in 0..<participants {
            let start = MonotonicClock.now()
            let reply = try await bus.call(JoinRoom(roomID: "room_benchmark", customerID: "benchmark", participant: participant(number, relay)), to: Self.instance)
            joins.append(MonotonicClock.now() - start)
            guard let room = SocketAddress(reply.inside.address) else { throw Settings.Missing(text: "the room is nowhere: \(reply.inside.address)") }
            relay.seat(number, room: room, ssrc: reply.inside.ssrc)
        }
        relay.start()
        try await Task.sleep(for: .seconds(2))
        let (before, begin) = (Processes.time(of: server), MonotonicClock.now())
        await relay.forget()
        try await Task.sleep(for: .seconds(seconds))
        let heard = await relay.heard()
        let (time, passed) = (Interval(nanoseconds: Processes.time(of: server).nanoseconds - before.nanoseconds), MonotonicClock.now() - begin)
        relay.stop()
        for number in 0..<participants {
            _ = try await bus.call(LeaveRoom(roomID: "room_benchmark", participantID: "part_\(number)", epoch: 1), to: Self.instance)
        }
        await bus.stop()
        let measure = RoomMeasure(name: "room", participants: participants, talkers: talkers, time: time, passed: passed)
        return [measure.cost(target: "<= 6.5 us"), measure.quality(heard), joining(joins, of: measure.subject)]
    }

    private func participant(_ number: Int, _ relay: RoomRelay) -> ParticipantSettings {
        ParticipantSettings(
            participantID: "part_\(number)", callID: "call_\(number)", owner: "benchmark", epoch: 1,
            inside: InsideEndpoint(address: relay.address.description, ssrc: UInt32(number + 1)))
    }

    private func joining(_ joins: [Interval], of subject: String) -> Figure {
        let (first, last) = (Sample(Array(joins.prefix(50))), Sample(Array(joins.suffix(50))))
        return Figure(
            subject: "\(subject): to join, the first 50 and the last 50",
            value: "median \(Sample.milliseconds(first.percentile(0.5), 2)) and \(Sample.milliseconds(last.percentile(0.5), 2)) ms", target: "the same")
    }
}
