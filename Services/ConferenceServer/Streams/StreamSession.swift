import Addresses
import Audio
import Deadlines
import MediaStream
import Streams
import TLS
import Threads
import WebSocket

/// One stream for as long as it lasts, over however many connections: on its loop's thread.
///
/// Sound goes on whatever the other side does. What it does not read in time is dropped, the oldest first; while it is away all is; and
/// what it sends faster than is heard waits in the `Playout`, up to a bound.
final class StreamSession {
    struct Limits: Sendable {
        /// What waits for a slow reader, in ms.
        var outgoing = 1000
        /// What waits to be heard, in ms.
        var incoming = 30_000
        /// Attempts to connect, one after the other, before it is given up.
        var attempts = 8
        var streams = StreamLimits()
    }

    struct Figures: Sendable, Equatable {
        var connections = 0
        /// Frames of 20 ms that the other side never got, and what of its sound was never heard.
        var droppedOut = 0
        var droppedIn = 0
        var malformed = 0
    }

    enum News: Sendable, Equatable {
        case started
        case reconnecting(String)
        case stopped(String, Figures)
        case failed(String, Figures)
    }

    /// What a session is made with.
    struct Plan {
        let address: StreamAddress
        let subject: Narrator.Subject
        let encapsulation: Encapsulation
        /// Of the opening request, for each connection.
        let fields: @Sendable () -> [(name: String, value: String)]
        let limits: Limits
        /// For `wss`.
        let trust: TLSContext?
    }

    enum Encapsulation: Sendable { case json, raw }

    private enum State { case connecting, open, waiting, over }

    private static let look = Interval.milliseconds(10)
    private static let pingEvery = Interval.seconds(20)
    /// A connection that lasted so long was a good one.
    private static let stable = Interval.seconds(10)

    private let plan: Plan
    private let loop: EventLoop
    private let line: StreamLine
    private let tell: (News) -> Void
    /// Another connection is wanted: `found` is to be called.
    var onAddressWanted: (() -> Void)?
    private var state = State.connecting
    private var channel: StreamChannel?
    private var narrator: Narrator
    private var coder: Coder
    private var playout: Playout
    private var figures = Figures()
    private var outgoing: [Frame] = []
    /// Of the sound in our format, what is no whole frame yet.
    private var rest: [UInt8] = []
    private var heardFrames = 0
    private var attempts = 0
    private var backoff = Backoff(last: .seconds(5))
    private var openedAt: Instant?
    private var pingAt: Instant
    private var dueAt: Instant

    init(_ plan: Plan, line: StreamLine, loop: EventLoop, tell: @escaping (News) -> Void) throws(SoundError) {
        (self.plan, self.line, self.loop, self.tell) = (plan, line, loop, tell)
        narrator = Narrator(plan.subject)
        coder = try Coder(plan.subject.format)
        playout = Playout(limit: plan.limits.incoming)
        (pingAt, dueAt) = (loop.now, loop.now)
    }

    /// `peer`: where the first connection goes.
    func begin(at peer: SocketAddress) {
        connect(to: peer)
        schedule()
    }

    // MARK: Connecting

    private func connect(to peer: SocketAddress) {
        guard state != .over else { return }
        state = .connecting
        attempts += 1
        let subprotocol = plan.encapsulation == .json ? "tandem-stream-json" : "tandem-stream-raw"
        do {
            channel = try StreamChannel(
                plan.address, at: peer, plan.fields(), subprotocol: subprotocol, trusting: plan.trust, loop: loop,
                limits: plan.limits.streams
            ) { [weak self] event in self?.take(event) }
        } catch { lost("\(error)") }
    }

    /// Where another connection may go, as it was asked for.
    func found(_ result: Result<SocketAddress, SoundProblem>) {
        guard state == .waiting else { return }
        switch result {
        case .success(let peer): connect(to: peer)
        case .failure(let problem):
            attempts += 1
            lost(problem.description)
        }
    }

    private func lost(_ reason: String) {
        guard state != .over else { return }
        channel = nil
        if let openedAt, loop.now - openedAt >= Self.stable {
            attempts = 0
            backoff.reset()
        }
        openedAt = nil
        dropOutgoing()
        forgetIncoming()
        guard attempts < plan.limits.attempts else { return end(.failed(reason, total)) }
        state = .waiting
        tell(.reconnecting(reason))
        let pause = backoff.next(random: .random(in: 0 ... .max))
        _ = loop.schedule(at: loop.now + pause) { [weak self] in self?.onAddressWanted?() }
    }

    private func opened() {
        state = .open
        openedAt = loop.now
        pingAt = loop.now + Self.pingEvery
        figures.connections += 1
        if plan.encapsulation == .json {
            channel?.send(Frame(.text, narrator.connected()))
            channel?.send(Frame(.text, narrator.start()))
        }
        if figures.connections == 1 { tell(.started) }
    }

    private func end(_ news: News) {
        guard state != .over else { return }
        state = .over
        channel?.close()
        channel = nil
        tell(news)
    }

    // MARK: What comes

    private func take(_ event: StreamChannel.Event) {
        switch event {
        case .opened: opened()
        case .text(let text): read(text)
        case .binary(let bytes):
            if plan.encapsulation == .raw { hear(bytes) } else { figures.malformed += 1 }
        case .ended(let how):
            if how.isFarewell, state == .open { end(.stopped("peer", total)) } else { lost("\(how)") }
        }
    }

    private func read(_ text: [UInt8]) {
        do throws(MessageError) {
            switch try Message(parsing: text) {
            case .media(let bytes): hear(bytes)
            case .mark(let name): playout.mark(name)
            case .clear: say(forgetIncoming())
            case .stop: end(.stopped("peer", total))
            case .other: break
            }
        } catch { figures.malformed += 1 }
    }

    private func hear(_ bytes: [UInt8]) {
        do throws(SoundError) {
            playout.append(try coder.decode(bytes), taken: line.taken, now: loop.now)
        } catch { figures.malformed += 1 }
    }

    @discardableResult
    private func forgetIncoming() -> [String] {
        line.takeBack()
        return playout.clear()
    }

    // MARK: The look

    private func schedule() {
        dueAt = max(dueAt + Self.look, loop.now)
        _ = loop.schedule(at: dueAt) { [weak self] in self?.lookAround() }
    }

    private func lookAround() {
        guard state != .over else { return }
        hearRoom()
        if let reason = line.ended {
            // A key pressed just before is told of, too.
            send()
            if plan.encapsulation == .json { channel?.send(Frame(.text, narrator.stop(reason: reason.name))) }
            return end(.stopped(reason.name, total))
        }
        while let frame = playout.next(taken: line.taken, now: loop.now), line.feed(frame) {}
        say(playout.reached(taken: line.taken))
        send()
        if state == .open, loop.now >= pingAt {
            pingAt = loop.now + Self.pingEvery
            channel?.ping()
        }
        schedule()
    }

    /// What the room has said since the last look.
    private func hearRoom() {
        var digits: [Frame] = []
        line.hear({ codes in
            heardFrames += 1
            guard state == .open else {
                figures.droppedOut += 1
                return
            }
            do throws(SoundError) { rest += try coder.encode(codes) } catch { figures.malformed += 1 }
        }, digit: { digit in
            if state == .open, plan.encapsulation == .json { digits.append(Frame(.text, narrator.digit(digit))) }
        })
        while rest.count >= plan.subject.format.frameBytes {
            let payload = Array(rest.prefix(plan.subject.format.frameBytes))
            rest.removeFirst(payload.count)
            switch plan.encapsulation {
            case .json: outgoing.append(Frame(.text, narrator.media(payload, at: heardFrames * 20)))
            case .raw: outgoing.append(Frame(.binary, payload))
            }
        }
        outgoing += digits
        let surplus = outgoing.count - max(1, plan.limits.outgoing / 20)
        if surplus > 0 {
            figures.droppedOut += surplus
            outgoing.removeFirst(surplus)
        }
    }

    private func say(_ marks: [String]) {
        for name in marks { outgoing.append(Frame(.text, narrator.mark(name))) }
    }

    private func send() {
        guard state == .open, let channel else { return }
        var count = 0
        while count < outgoing.count, channel.isOpen, channel.takesMore {
            channel.send(outgoing[count])
            count += 1
        }
        outgoing.removeFirst(min(count, outgoing.count))
    }

    private func dropOutgoing() {
        figures.droppedOut += outgoing.count
        (outgoing, rest) = ([], [])
    }

    private var total: Figures {
        var total = figures
        total.droppedOut += line.lost
        total.droppedIn = playout.dropped
        return total
    }
}
