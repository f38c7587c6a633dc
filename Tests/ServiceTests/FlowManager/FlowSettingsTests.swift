import Flow
import Testing

@testable import FlowManager

@Suite("The settings of the flow manager")
struct FlowSettingsTests {
    private func limits(_ given: [String: Int] = [:]) -> Limits {
        FlowSettings.limits { name in
            given[name] ?? FlowSettings.declared.first { $0.name == name }?.fallback.flatMap { Int($0) } ?? -1
        }
    }

    @Test("Limits are settings")
    func limits() {
        let limits = limits(["TANDEM_RUN_ACTIONS": 7, "TANDEM_FLOW_ACTIONS": 3, "TANDEM_RUN_VALUE_BYTES": 64])
        #expect(limits.executedActions == 7)
        #expect(limits.actions == 3)
        #expect(limits.valueBytes == 64)
        #expect(limits.iterations == Limits().iterations)
    }

    @Test("The defaults are those of the Flow module")
    func defaults() {
        #expect(limits() == Limits())
    }

    @Test("Time zones follow summer time, and an unknown one is unknown", arguments: [
        ("Europe/Berlin", 1_764_000_000, 3_600), ("Europe/Berlin", 1_751_000_000, 7_200), ("Asia/Kolkata", 0, 19_800), ("UTC", 0, 0),
        ("Mars/Olympus", 0, nil), ("", 0, nil), ("../../etc/passwd", 0, nil),
    ] as [(String, Int64, Int?)])
    func timeZones(name: String, moment: Int64, offset: Int?) {
        #expect(FlowSettings.timeZones.offset(of: name, at: moment) == offset)
    }
}
