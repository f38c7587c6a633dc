import Fetching
import Flow
import Foundation
import ServiceKit

/// The settings of the flow manager, and what they make: limits, time zones.
enum FlowSettings {
    private static let allowance = Setting.Format("an address, a range like 10.0.0.0/8 or a host name") { entry in
        // That it is wrong is all there is to say.
        (try? FetchPolicy(allowing: [entry])) != nil
    }

    static let declared: [Setting] = [
        Setting("TANDEM_FLOW_ACTIONS", .integer(1...10_000), default: "500", "actions one flow may have"),
        Setting("TANDEM_RUN_ACTIONS", .integer(1...1_000_000), default: "1000", "actions one run may have performed"),
        Setting("TANDEM_RUN_ITERATIONS", .integer(1...100_000), default: "1000", "actions a run may pass without performing one"),
        Setting("TANDEM_FLOW_BRANCHES", .integer(1...64), default: "8", "branches that one parallel may have"),
        Setting("TANDEM_FLOW_NESTING", .integer(1...64), default: "8", "lists of actions inside one another: `fetch`, `fetch_flow`, `run_actions`"),
        Setting("TANDEM_RUN_VARIABLES", .integer(1...10_000), default: "100", "variables one run may have"),
        Setting("TANDEM_RUN_VARIABLE_BYTES", .integer(1_024...1_048_576), default: "65536", "bytes of all variables of a run"),
        Setting("TANDEM_RUN_VALUE_BYTES", .integer(64...1_048_576), default: "32768", "bytes of one variable"),
        Setting(
            "TANDEM_FETCH_ALLOW", as: allowance.list, default: "",
            "private addresses, ranges or host names that flows may send requests to; none by default"),
        Setting("TANDEM_FLOW_REQUESTS", .integer(1...100_000), default: "1000", "requests of flows that wait for an answer at once"),
        Setting("TANDEM_WEBHOOKS_AT_ONCE", .integer(1...10_000), default: "200", "webhooks without sync that one FlowManager delivers at once"),
        Setting("TANDEM_WEBHOOKS_OF_ONE_CUSTOMER", .integer(1...10_000), default: "50", "of these, those of one customer"),
        Setting(
            "TANDEM_WEBHOOK_SECONDS", .integer(0...2_592_000), default: "86400",
            "how long a webhook without sync is tried until it is given up"),
        Setting("TANDEM_WEBHOOK_KEEP_DAYS", .integer(1...3_650), default: "7", "how long webhooks that were given up are kept"),
        Setting("TANDEM_MAILBOX_MESSAGES", .integer(1...100_000), default: "500", "voicemails one mailbox may hold"),
        Setting("TANDEM_MAILBOX_PIN_ROUNDS", .integer(1_000...10_000_000), default: "100000", "rounds of PBKDF2 that the PIN of a mailbox is kept with"),
        Setting("TANDEM_MAILBOX_PIN_FAILURES", .integer(1...1_000), default: "10", "wrong PINs in a row after which a mailbox is locked"),
        Setting("TANDEM_MAILBOX_LOCK_SECONDS", .integer(0...86_400), default: "900", "how long it is locked then"),
        Setting("TANDEM_FLOW_CACHE", .integer(1...1_000_000), default: "5000", "flows, and runs, kept in memory"),
    ]

    /// `value` gives the number of a setting.
    static func limits(_ value: (_ name: String) -> Int) -> Limits {
        var limits = Limits()
        limits.actions = value("TANDEM_FLOW_ACTIONS")
        limits.executedActions = value("TANDEM_RUN_ACTIONS")
        limits.iterations = value("TANDEM_RUN_ITERATIONS")
        limits.branches = value("TANDEM_FLOW_BRANCHES")
        limits.nestedLists = value("TANDEM_FLOW_NESTING")
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
