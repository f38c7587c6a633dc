import Flow
import Foundation
import ServiceKit

/// The settings of the flow manager, and what they make: limits, time zones.
enum FlowSettings {
    static let declared = [
        Setting("TANDEM_FLOW_ACTIONS", .integer(1...10_000), default: "500", "actions one flow may have"),
        Setting("TANDEM_RUN_ACTIONS", .integer(1...1_000_000), default: "1000", "actions one run may have performed"),
        Setting("TANDEM_RUN_ITERATIONS", .integer(1...100_000), default: "1000", "actions a run may pass without performing one"),
        Setting("TANDEM_RUN_VARIABLES", .integer(1...10_000), default: "100", "variables one run may have"),
        Setting("TANDEM_RUN_VARIABLE_BYTES", .integer(1_024...1_048_576), default: "65536", "bytes of all variables of a run"),
        Setting("TANDEM_RUN_VALUE_BYTES", .integer(64...1_048_576), default: "32768", "bytes of one variable"),
        Setting(
            "TANDEM_FETCH_ALLOW", default: "", "private addresses, ranges or host names that flows may send requests to; none by default"),
        Setting("TANDEM_FLOW_REQUESTS", .integer(1...100_000), default: "1000", "requests of flows that wait for an answer at once"),
        Setting("TANDEM_FLOW_CACHE", .integer(1...1_000_000), default: "5000", "flows, and runs, kept in memory"),
    ]

    /// `value` gives the number of a setting.
    static func limits(_ value: (_ name: String) -> Int) -> Limits {
        var limits = Limits()
        limits.actions = value("TANDEM_FLOW_ACTIONS")
        limits.executedActions = value("TANDEM_RUN_ACTIONS")
        limits.iterations = value("TANDEM_RUN_ITERATIONS")
        limits.variables = value("TANDEM_RUN_VARIABLES")
        limits.variableBytes = value("TANDEM_RUN_VARIABLE_BYTES")
        limits.valueBytes = value("TANDEM_RUN_VALUE_BYTES")
        return limits
    }

    /// The time zone database of the system.
    static let timeZones = TimeZones { name, unixSeconds in
        TimeZone(identifier: name)?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(unixSeconds)))
    }
}
