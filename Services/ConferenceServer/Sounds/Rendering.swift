import Contracts
import Logging

/// Renders plays away from the mixers, all that wait at once up to a limit: a slow fetch holds up nobody's ring-back.
final class Rendering: Sendable {
    struct Job: Sendable {
        let room: String
        let customer: String
        let playID: String
        let sources: [PlaySource]
        /// A conference waits for it, and no play: the first of the sources that there is.
        var spoken: SpokenOrder?
    }

    private static let queueLimit = 256
    private static let atOnce = 512

    private let library: SoundLibrary
    private let loops: MixerLoops
    private let logger: Logger
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation

    init(library: SoundLibrary, loops: MixerLoops, logger: Logger) {
        (self.library, self.loops, self.logger) = (library, loops, logger)
        (jobs, queue) = AsyncStream.makeStream(of: Job.self, bufferingPolicy: .bufferingOldest(Self.queueLimit))
    }

    /// False when too many wait already.
    func submit(_ job: Job) -> Bool {
        if case .enqueued = queue.yield(job) { true } else { false }
    }

    /// Of rooms that were taken over more may have to be rendered than wait in line at once.
    func render(_ jobs: [Job]) {
        guard !jobs.isEmpty else { return }
        Task {
            for job in jobs {
                while !submit(job), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
            }
        }
    }

    /// Renders until its task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await job in jobs {
                if running == Self.atOnce {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await self.render(job) }
            }
        }
    }

    /// Hands each piece over as soon as it is ready, so that the first words are heard while the next are made.
    private func render(_ job: Job) async {
        let loop = loops.loop(of: job.room)
        if let order = job.spoken { return await speak(order, for: loop) }
        for source in job.sources {
            do throws(SoundProblem) {
                let piece = try await library.piece(source, customer: job.customer)
                guard try await loop.extend(play: job.playID, room: job.room, with: piece) else { return }
            } catch {
                logger.info("a play failed: \(error)", metadata: ["room": "\(job.room)", "play": "\(job.playID)"])
                await loop.end(play: job.playID, room: job.room, .failed("\(error)"))
                return
            }
        }
        await loop.complete(play: job.playID, room: job.room)
    }

    /// A conference that gets no sound has a tone for it.
    private func speak(_ order: SpokenOrder, for loop: MixerLoop) async {
        for source in order.choices {
            do throws(SoundProblem) {
                let piece = try await library.piece(source, customer: order.customer)
                guard case .sound(let samples) = piece, !samples.isEmpty else { continue }
                return await loop.spoken(order, samples)
            } catch {
                logger.info("a conference does not say what it would: \(error)", metadata: ["room": "\(order.room)"])
            }
        }
        await loop.spoken(order, nil)
    }
}
