import Addresses
import Audio
import Datagrams
import Deadlines
import RTP
import SDP
import Threads

/// The sound of one call: sends a tone every 20 ms as agreed, and hears what comes. Loop thread only.
final class SoundStream {
    private static let pace = Interval.milliseconds(20)

    let localAddress: SocketAddress
    var tone: Int? { didSet { prepareTone() } }
    private(set) var hearing: Hearing
    private(set) var packetsSent = 0

    private let loop: EventLoop
    private let socket: DatagramSocket
    /// Whether the sound is somebody else's, and the socket idle.
    private let isElsewhere: Bool
    /// A call's socket seldom has more than one packet waiting.
    private var batch = ReceiveBatch(capacity: 1, size: 2048)
    private var agreement: Agreement?
    private var law = G711.Law.ulaw
    private var toneLoop = ToneLoop.of(frequency: nil, law: .ulaw)

    private let ssrc: SSRC
    private var sequence: SequenceNumber
    private var timestamp: RTP.Timestamp
    private var frame = 0
    private var marksNext = true
    private var timer: EventLoop.Timer?
    private var due = Instant.distantFuture
    private var digits: [UInt8] = []
    private var event: EventSender?
    private var pauseFrames = 0
    /// Frames of keys that are pressed as tones.
    private var tones: [[UInt8]] = []
    var reports = false
    var losesEach: Int?
    private var reportDue = 0
    private var heardCount = 0
    private var isClosed = false

    init(loop: EventLoop, local: IPAddress, elsewhere: SocketAddress?, tone: Int?, memory: Interval) throws {
        (self.loop, self.tone) = (loop, tone)
        hearing = Hearing(memory: memory)
        socket = try DatagramSocket(bind: SocketAddress(local, port: 0), receiveBuffer: 1 << 18)
        (localAddress, isElsewhere) = (elsewhere ?? socket.localAddress, elsewhere != nil)
        ssrc = SSRC(.random(in: .min ... .max))
        (sequence, timestamp) = (SequenceNumber(.random(in: .min ... .max)), RTP.Timestamp(.random(in: .min ... .max)))
        guard !isElsewhere else { return }
        loop.watch(socket.descriptor, .read) { [weak self] _ in self?.read() }
    }

    var report: SoundReport {
        var report = hearing.current
        report.packetsSent = packetsSent
        return report
    }

    var codec: String? { agreement?.codec?.codec.name }

    /// Sends and understands what was agreed, from now on; called again when it is agreed anew.
    func follow(_ agreement: Agreement) {
        guard !isClosed else { return }
        self.agreement = agreement
        law = agreement.codec?.codec.isSameFormat(as: .pcma) == true ? .alaw : .ulaw
        prepareTone()
        if timer == nil, !isElsewhere { start() }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        if let timer { loop.cancel(timer) }
        if !isElsewhere { loop.unwatch(socket.descriptor) }
    }

    /// Sends the digits as telephone events, one after the other.
    func send(digits more: [UInt8]) { digits += more }

    var isSendingDigits: Bool { !digits.isEmpty || event != nil || !tones.isEmpty }

    /// Each key for 100 ms, with as much silence before it.
    func send(tones keys: String) {
        let silence = [Int16](repeating: 0, count: 5 * Samples.frame)
        let sound = keys.reduce(into: [Int16]()) { $0 += silence + (DTMF.samples(of: $1)?.values ?? []) } + silence
        let codes = G711.encode(sound, law)
        tones += stride(from: 0, to: codes.count, by: Samples.frame).map { Array(codes[$0..<min($0 + Samples.frame, codes.count)]) }
    }

    /// Any sound, in place of its tone.
    func send(sound: [Int16]) {
        let codes = G711.encode(sound, law)
        tones += stride(from: 0, to: codes.count - codes.count % Samples.frame, by: Samples.frame).map { Array(codes[$0..<($0 + Samples.frame)]) }
    }

    func forgetWhatWasHeard() { hearing.forget() }

    private func prepareTone() { toneLoop = ToneLoop.of(frequency: tone, law: law) }

    // MARK: Sending

    private func start() {
        // Streams that start together are spread over the 20 ms, as independent phones are; whole milliseconds, so that hundreds of them share some turns.
        let next = loop.now + .milliseconds(.random(in: 0..<20))
        due = Instant(nanoseconds: next.nanoseconds - next.nanoseconds % 1_000_000)
        schedule()
    }

    private func schedule() {
        timer = loop.schedule(at: due) { [weak self] in self?.tick() }
    }

    private func tick() {
        guard !isClosed else { return }
        sendFrame()
        loop.handled(1)
        due = due + Self.pace
        // After a stall (a busy machine) what was missed is not sent in a burst.
        if loop.now - due > .milliseconds(200) {
            let missed = Int((loop.now - due).nanoseconds / Self.pace.nanoseconds)
            due = due + Self.pace * missed
            timestamp = timestamp.advanced(by: Samples.frame * missed)
        }
        schedule()
    }

    private func sendFrame() {
        defer { timestamp = timestamp.advanced(by: Samples.frame) }
        guard let agreement, agreement.direction.sends, let format = agreement.codec else { return }
        if let packet = nextEventPacket(agreement) { return send(packet) }
        var packet: [UInt8] = []
        packet.reserveCapacity(Header.length + Samples.frame)
        header(PayloadType(format.sendingPayloadType), timestamp, marker: marksNext).append(to: &packet)
        packet += tones.isEmpty ? toneLoop[frame] : tones.removeFirst()
        marksNext = false
        frame += 1
        send(packet)
    }

    private func nextEventPacket(_ agreement: Agreement) -> [UInt8]? {
        guard let format = agreement.telephoneEvent else { return nil }
        if event == nil, pauseFrames > 0 {
            pauseFrames -= 1
            return nil
        }
        if event == nil, !digits.isEmpty {
            event = EventSender(code: digits.removeFirst(), timestamp: timestamp, duration: 800)
        }
        guard let next = event?.next(), let start = event?.timestamp else {
            // At least 40 ms between digits (ITU-T Q.24); the tone is heard in the pause.
            if event != nil { (event, pauseFrames, marksNext) = (nil, 3, true) }
            return nil
        }
        var packet: [UInt8] = []
        header(PayloadType(format.sendingPayloadType), start, marker: next.marker).append(to: &packet)
        next.event.append(to: &packet)
        return packet
    }

    private func header(_ payloadType: PayloadType, _ timestamp: RTP.Timestamp, marker: Bool) -> Header {
        defer { sequence = sequence.next }
        return Header(payloadType: payloadType, sequence: sequence, timestamp: timestamp, ssrc: ssrc, marker: marker)
    }

    private func send(_ packet: [UInt8]) {
        guard let agreement else { return }
        packetsSent += 1
        if let losesEach, packetsSent % losesEach == 0 { return }
        socket.send(packet, to: agreement.remote)
        reportDue += 1
        if reports, reportDue % 25 == 0 { sendReport(to: agreement.remote) }
    }

    /// RFC 3550 §6.4.2, and its name (§6.5).
    private func sendReport(to peer: SocketAddress) {
        var compound: [UInt8] = []
        ControlPacket.receiverReport(ReceiverReport(ssrc: ssrc, blocks: hearing.reportBlocks())).append(to: &compound)
        ControlPacket.sourceDescription([SourceDescription(ssrc: ssrc, canonicalName: "phone")]).append(to: &compound)
        socket.send(compound, to: peer)
    }

    // MARK: Hearing

    private func read() {
        let count = socket.receive(into: &batch)
        loop.handled(count)
        for index in 0..<count { hear(batch[index].bytes, from: batch[index].source) }
    }

    private func hear(_ packet: Span<UInt8>, from source: SocketAddress) {
        guard !Header.isControlPacket(packet) else { return hearing.hear(control: packet, now: loop.now) }
        guard let agreement, source == agreement.remote, let header = try? Header(parsing: packet) else {
            return hearing.countUnexpected()
        }
        heardCount += 1
        if let losesEach, heardCount % losesEach == 0 { return }
        let payload = packet.extracting(header.payloadRange)
        let format = agreement.formats.first { $0.receivingPayloadType == header.payloadType.value }
        switch format?.codec {
        case .some(let codec) where codec.isTelephoneEvent:
            guard let event = try? TelephoneEvent(parsing: payload) else { return hearing.countUnexpected() }
            hearing.receive(header, now: loop.now)
            hearing.hear(event, at: header.timestamp)
        case .some(let codec) where codec.isSameFormat(as: .pcmu) || codec.isSameFormat(as: .pcma):
            hearing.receive(header, now: loop.now)
            hearing.hear(payload, codec.isSameFormat(as: .pcma) ? .alaw : .ulaw)
        default:
            hearing.countUnexpected()
        }
    }
}
