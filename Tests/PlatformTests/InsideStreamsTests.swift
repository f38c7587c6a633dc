import Deadlines
import ServiceKit
import Testing

@Suite("ServiceKit: connections between servers")
struct InsideStreamsTests {
    private func settings(_ given: [String: String] = [:]) throws -> Settings {
        try Settings(InsideStreams.declared, environment: given) { _ in nil }
    }

    @Test("Four mebibytes may wait, two minutes of silence end it, and a ping every half minute keeps it alive, unless an operator says otherwise")
    func values() throws {
        let usual = try InsideStreams(try settings())
        #expect((usual.limits.queuedBytes, usual.limits.idle, usual.ping) == (4_194_304, .seconds(120), .seconds(30)))
        let other = try InsideStreams(
            try settings([
                "TANDEM_INSIDE_TCP_QUEUE_BYTES": "65536", "TANDEM_INSIDE_TCP_IDLE_SECONDS": "3", "TANDEM_INSIDE_TCP_PING_SECONDS": "2",
            ]))
        #expect((other.limits.queuedBytes, other.limits.idle, other.ping) == (65_536, .seconds(3), .seconds(2)))
    }

    @Test("Pings that come too late to keep a connection are a mistake")
    func tooLate() throws {
        let settings = try settings(["TANDEM_INSIDE_TCP_IDLE_SECONDS": "30"])
        #expect(throws: InsideStreams.Mistake.self) { try InsideStreams(settings) }
    }
}
