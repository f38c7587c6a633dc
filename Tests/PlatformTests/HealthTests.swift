import Deadlines
import Flow
import Testing

@testable import ServiceKit

@Suite("ServiceKit: /healthz")
struct HealthTests {
    private static let began = Instant(nanoseconds: 5_000_000_000)

    private func document(_ health: Health, after seconds: Double = 0) throws -> JSONValue {
        let now = Instant(nanoseconds: Self.began.nanoseconds + UInt64(seconds * 1e9))
        return try JSONValue(json: Array(health.document(service: "CallServer", instance: "a\"b", now: now).utf8))
    }

    @Test("It says who it is, of which version, and for how many whole seconds it has been there")
    func identity() throws {
        let document = try document(Health(began: Self.began), after: 61.9)
        #expect(document["service"] == "CallServer" && document["instance"] == "a\"b")
        #expect(document["version"] == .string(Version.current) && document["uptime"] == 61)
    }

    @Test("Calls are counted where there are any, each time anew, and else left out")
    func calls() throws {
        let health = Health(began: Self.began)
        #expect(try document(health)["active_calls"] == nil)
        health.countCalls { 7 }
        #expect(try document(health)["active_calls"] == 7)
    }

    @Test("What is missing and what is waited for is named; who drains is not ready")
    func missing() throws {
        let health = Health(began: Self.began)
        health.add("Redis") { false }
        #expect(try document(health)["missing"] == ["Redis", "start"])
        health.markStarted()
        health.markDraining()
        health.wait(for: ["sess_1 of call_1"])
        let later = try document(health)
        #expect(later["missing"] == ["Redis", "draining"] && later["waiting_for"] == ["sess_1 of call_1"])
        #expect(later["ready"] == false && later["draining"] == true)
    }
}
