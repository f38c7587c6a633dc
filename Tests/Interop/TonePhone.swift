import Addresses
import Audio
import Datagrams
import RTP
import Suite

/// A phone without signalling: it says a tone as PCMU from a port of its own, and hears what comes there.
actor TonePhone {
    private let socket: DatagramSocket
    private var batch = ReceiveBatch(capacity: 16)
    private var tone: Tone
    private var meter = ToneMeter()
    private var sequence = SequenceNumber(.random(in: .min ... .max))
    private var timestamp = Timestamp(.random(in: .min ... .max))
    private let ssrc = SSRC(.random(in: .min ... .max))
    private var peer: SocketAddress?
    private var talking: Task<Void, Never>?
    nonisolated let address: SocketAddress

    init(saying frequency: Double) throws {
        socket = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: 0))
        address = socket.localAddress
        tone = Tone(frequencies: [frequency])
    }

    /// A description with PCMU alone.
    nonisolated var description: String {
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio \(address.port) RTP/AVP 0\r\na=ptime:20\r\n"
    }

    /// From now on, until it is told to be quiet.
    func talk(to port: UInt16) {
        peer = SocketAddress(.loopbackIPv4, port: port)
        talking?.cancel()
        talking = Task {
            var due = ContinuousClock.now
            while !Task.isCancelled {
                turn()
                due += .milliseconds(20)
                // What a busy machine slept through is not caught up with.
                if due < .now { due = .now }
                do { try await Task.sleep(until: due) } catch { return }
            }
        }
    }

    func quiet() { talking?.cancel() }

    func setTone(_ frequency: Double) { tone = Tone(frequencies: [frequency]) }

    /// Whether it hears a tone within three seconds.
    func hears(_ frequency: Double) async -> Bool {
        meter.clear()
        for _ in 0..<150 {
            if meter.isFull, meter.hears(frequency) > -30 { return true }
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return false }
        }
        return false
    }

    private func turn() {
        guard let peer else { return }
        var packet: [UInt8] = []
        Header(payloadType: .pcmu, sequence: sequence, timestamp: timestamp, ssrc: ssrc).append(to: &packet)
        socket.send(packet + G711.encode(tone.next(160), .ulaw), to: peer)
        sequence = sequence.next
        timestamp = timestamp.advanced(by: 160)
        while socket.receive(into: &batch) > 0 {
            for index in 0..<batch.count { hear(batch[index].bytes) }
        }
    }

    private func hear(_ bytes: Span<UInt8>) {
        guard let header = try? Header(parsing: bytes), header.payloadType == .pcmu else { return }
        meter.append(header.payloadRange.map { G711.decode(bytes[$0], .ulaw) })
    }
}
