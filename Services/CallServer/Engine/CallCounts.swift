import Contracts
import Deadlines
import Telemetry

/// Calls as dashboards of the field count them, each leg as one.
enum CallCounts {
    static let active = Gauge("tandem_calls_active", "calls that are up: legs between their answer and their end")
    static let postDialDelay = Histogram(
        "tandem_call_pdd_seconds", "from our first INVITE of a leg to the first response that a phone rings (18x)")
    private static let endings: [Call.Direction: [Call.Status: Counter]] = {
        var endings: [Call.Direction: [Call.Status: Counter]] = [:]
        for direction in [Call.Direction.inbound, .outbound] {
            for result in [Call.Status.completed, .busy, .noAnswer, .failed, .canceled] {
                endings[direction, default: [:]][result] = Counter(
                    "tandem_calls_total", "calls that are over, by what has become of them",
                    labels: ["direction": direction.rawValue, "result": result.rawValue])
            }
        }
        return endings
    }()

    static func ended(_ call: Call) { endings[call.direction]?[call.status]?.add() }

    /// All of them are to be seen from the beginning, at zero.
    static func declare() { _ = (active.value, endings.count, postDialDelay) }
}

/// How far a leg is that rings a phone, for the time that takes.
enum DialProgress {
    case notInvited
    case invited(Instant)
    /// It has been measured, or cannot be: a predecessor sent the INVITE.
    case done
}
