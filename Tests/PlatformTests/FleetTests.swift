import Contracts
import Deadlines
import ServiceKit
import Testing

@Suite("Fleet: who is alive")
struct FleetTests {
    private let fleet = Fleet()
    private let begin = Instant(nanoseconds: 1_000_000_000_000)

    /// The instance announces itself every 250 ms from one moment to another, in milliseconds.
    private func announce(_ instance: String, _ service: ServiceName, from: Int, to: Int) {
        for moment in stride(from: from, through: to, by: 250) {
            fleet.hear(Announcement(service: service, instance: instance, incarnation: "1"), now: begin + .milliseconds(moment))
        }
    }

    private func living(_ moment: Int) -> [String] {
        fleet.living(.callServer, now: begin + .milliseconds(moment)).map(\.instance)
    }

    @Test("a second of silence among others that are heard is death")
    func silence() {
        announce("edge", .edgeProxy, from: 0, to: 5_000)
        announce("a", .callServer, from: 0, to: 5_000)
        announce("b", .callServer, from: 0, to: 3_000)
        #expect(living(3_900) == ["a", "b"])
        #expect(living(4_100) == ["a"])
        #expect(!fleet.isAlive(.callServer, instance: "b", now: begin + .milliseconds(4_100)))
    }

    @Test("when nobody is heard any more, the bus is away and those who lived go on living")
    func deafness() {
        announce("dead", .callServer, from: 0, to: 1_000)
        announce("edge", .edgeProxy, from: 0, to: 3_000)
        announce("a", .callServer, from: 0, to: 3_000)
        #expect(living(60_000) == ["a"])
        // The bus is back: the others have some seconds to find it again.
        announce("edge", .edgeProxy, from: 60_000, to: 66_000)
        #expect(living(64_900) == ["a"])
        #expect(living(65_100) == [])
    }

    @Test("who drains has somebody to leave its work to while another lives that does not drain")
    func others() {
        func announce(_ instance: String, _ service: ServiceName = .callServer, isDraining: Bool = false, at moment: Int) {
            var announcement = Announcement(service: service, instance: instance, incarnation: "1")
            announcement.draining = isDraining
            fleet.hear(announcement, now: begin + .milliseconds(moment))
        }
        func hasOther(_ moment: Int) -> Bool { fleet.hasOther(.callServer, than: "a", now: begin + .milliseconds(moment)) }
        announce("a", isDraining: true, at: 0)
        announce("r", .registrar, at: 0)
        #expect(!hasOther(0))
        announce("b", at: 100)
        #expect(hasOther(100))
        announce("b", isDraining: true, at: 200)
        #expect(!hasOther(200))
        announce("c", at: 300)
        for moment in stride(from: 500, through: 1_500, by: 250) { announce("r", .registrar, at: moment) }
        #expect(!hasOther(1_400), "a second of silence is death")
    }

    @Test("who says goodbye is gone at once, and back when heard again")
    func goodbye() {
        announce("a", .callServer, from: 0, to: 1_000)
        fleet.forget(.callServer, instance: "a")
        #expect(living(1_000) == [])
        announce("a", .callServer, from: 1_250, to: 1_250)
        #expect(living(1_250) == ["a"])
    }
}
