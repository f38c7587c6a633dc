import Addresses
import Deadlines
import Threads

/// The same room in somebody else's server, which takes each participant's packets at a port of its own and sends all of them to ours.
struct PeerRoom {
    let process: Int32
    /// Where it sends.
    let port: UInt16
    var talkers = 3
    var seconds = 10

    /// The server's ports stand on standard input, one a line, up to an empty line.
    func run() async throws -> [Figure] {
        var ports: [UInt16] = []
        while let line = readLine(), !line.isEmpty {
            guard let port = UInt16(line) else { throw Settings.Missing(text: "not a port: \(line)") }
            ports.append(port)
        }
        let relay = try RoomRelay(participants: ports.count, talkers: talkers, port: port, hasPorts: true)
        for (number, port) in ports.enumerated() {
            relay.seat(number, room: SocketAddress(.loopbackIPv4, port: port), ssrc: UInt32(number + 1))
        }
        relay.start()
        try await Task.sleep(for: .seconds(3))
        let (before, begin) = (Processes.time(of: process), MonotonicClock.now())
        await relay.forget()
        try await Task.sleep(for: .seconds(seconds))
        let heard = await relay.heard()
        let (time, passed) = (Interval(nanoseconds: Processes.time(of: process).nanoseconds - before.nanoseconds), MonotonicClock.now() - begin)
        relay.stop()
        let measure = RoomMeasure(name: "peer's room", participants: ports.count, talkers: talkers, time: time, passed: passed)
        return [measure.cost(target: ""), measure.quality(heard)]
    }
}
