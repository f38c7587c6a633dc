import Deadlines
import NG
import Synchronization

/// What all media threads have together: each is asked in turn, and the last one answers.
enum Survey {
    static func list(_ relay: Relay, limit: Int, _ respond: @escaping @Sendable (Reply) -> Void) {
        ask(relay.loops[...], [] as [String]) { calls, loop in
            calls += loop.calls.all.prefix(max(0, limit - calls.count)).map(\.id)
        } done: { calls in
            respond(.ok(["calls": .texts(calls)]))
        }
    }

    /// Under the names of RTPEngine, as far as there is something to say.
    static func statistics(_ relay: Relay, uptime: Interval, _ respond: @escaping @Sendable (Reply) -> Void) {
        ask(relay.loops[...], (calls: 0, transcoded: 0)) { sums, loop in
            sums.calls += loop.calls.count
            sums.transcoded += loop.calls.all.reduce(0) { $0 + $1.legs.count { $0.session.isTranscoding } }
        } done: { sums in
            respond(
                .ok([
                    "statistics": .dictionary([
                        "currentstatistics": .dictionary([
                            "sessionsown": .integer(sums.calls), "sessionsforeign": .integer(0), "sessionstotal": .integer(sums.calls),
                            "transcodedmedia": .integer(sums.transcoded), "mediastreams": .integer(relay.occupancy.count),
                        ]),
                        "totalstatistics": .dictionary(["uptime": .text("\(Int(uptime.seconds))")]),
                    ])
                ]))
        }
    }

    private static func ask<Sum: Sendable>(
        _ loops: ArraySlice<MediaLoop>, _ sum: Sum, _ add: @escaping @Sendable (inout Sum, isolated MediaLoop) -> Void,
        done: @escaping @Sendable (Sum) -> Void
    ) {
        guard let loop = loops.first else { return done(sum) }
        loop.post { loop in
            var sum = sum
            add(&sum, loop)
            ask(loops.dropFirst(), sum, add, done: done)
        }
    }
}
