import Addresses
import Contracts
import Deadlines
import Pcap
import ServiceKit

/// One recording or capture on its way to its file. On the writing thread.
final class TapFile {
    /// What the bytes are made from.
    enum Content {
        case recording(Recording)
        /// Of a leg with these addresses of its own: `microseconds` is the time of day when it began.
        case capture(addresses: [IPAddress], microseconds: Int64)
    }

    private static let flushPause = Interval.milliseconds(500)

    let name: String
    /// Tells the leg that nothing more is wanted.
    let release: @Sendable () -> Void
    private var file: OutputFile
    private var recording: Recording?
    private var addresses: [IPAddress] = []
    private var microseconds: Int64 = 0
    private let began: Instant
    private let ends: Instant
    private let largest: Int
    private var pending: [UInt8] = []
    private var flushedAt: Instant
    private var latest: Instant
    private(set) var failure: OutputFile.Failure?

    init(
        _ name: String, _ file: consuming OutputFile, _ content: Content, now: Instant, longest: Interval, largest: Int,
        release: @escaping @Sendable () -> Void
    ) {
        (self.name, self.release, self.largest) = (name, release, largest)
        self.file = file
        (began, ends, flushedAt, latest) = (now, now + longest, now, now)
        switch content {
        case .recording(let recording): (self.recording, pending) = (recording, recording.header)
        case .capture(let addresses, let microseconds):
            (self.addresses, self.microseconds, pending) = (addresses, microseconds, PacketCapture.header)
        }
        write()
    }

    /// As long, or as large, as it may be.
    var isFull: Bool { recording?.isFull ?? (latest >= ends || file.length + pending.count >= largest) }

    func report(dropped: Int, end: TapReport.End? = nil) -> TapReport {
        let milliseconds = recording?.milliseconds ?? Int(clamping: (min(latest, ends) - began).nanoseconds / 1_000_000)
        return TapReport(path: file.path, milliseconds: milliseconds, bytes: file.length, dropped: dropped, end: end)
    }

    /// `number`: the coding of a phone's own packet; else it is one of the inside.
    func take(_ kind: Tap.Kind, at instant: Instant, peer: SocketAddress, port: UInt16, _ bytes: Span<UInt8>, number: UInt8 = SoundFormats.none) {
        guard recording == nil else {
            // Time goes on with the packets, so that a writer that was held up loses none.
            recording?.advance(to: instant, into: &pending)
            let side: Recording.Side = kind == .said ? .said : .heard
            if let coding = SoundFormats.coding(number) {
                recording?.packet(bytes, side, as: coding, arrived: instant)
            } else {
                recording?.packet(bytes, side, arrived: instant)
            }
            return
        }
        guard instant < ends, file.length + pending.count + bytes.count + PacketCapture.overhead <= largest else { return latest = ends }
        let own = addresses.first { $0.isIPv4 == peer.address.isIPv4 } ?? peer.address
        let local = SocketAddress(own, port: port)
        let (source, destination) = kind == .arrived ? (peer, local) : (local, peer)
        PacketCapture.append(
            bytes, from: source, to: destination, microseconds: microseconds + (instant - began).nanoseconds / 1000, to: &pending)
    }

    /// Time passes; now and then what there is goes to the file.
    func tick(now: Instant) {
        latest = max(latest, now)
        recording?.advance(to: now, into: &pending)
        if now - flushedAt >= Self.flushPause {
            flushedAt = now
            write()
        }
    }

    /// The last of it.
    func finish(now: Instant) {
        latest = max(latest, now)
        recording?.advance(to: min(now, ends), isLast: true, into: &pending)
        write()
    }

    /// Sound first, then the header that counts it: a process that is killed in between leaves a file that is right.
    private func write() {
        guard failure == nil, !pending.isEmpty else { return pending.removeAll() }
        do throws(OutputFile.Failure) {
            try file.append(pending)
            if let recording, file.length > Recording.headerLength { try file.rewrite(recording.header) }
        } catch {
            failure = error
        }
        pending.removeAll(keepingCapacity: true)
    }
}
