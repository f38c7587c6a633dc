internal import Deadlines
internal import Flow
internal import Threads

extension Health {
    /// What `/healthz` answers with. `active_calls` is there where the service has calls.
    func document(service: String, instance: String, now: Instant = MonotonicClock.now()) -> String {
        func text(_ value: String) -> String { JSONValue.string(value).jsonText }
        func list(_ values: [String]) -> String { "[" + values.map(text).joined(separator: ",") + "]" }
        let missing = missing
        var members: [(name: String, value: String)] = [
            ("service", text(service)), ("instance", text(instance)), ("version", text(Version.current)), ("uptime", "\(uptime(now: now))"),
        ]
        if let activeCalls { members.append(("active_calls", "\(activeCalls)")) }
        members.append(("ready", "\(missing.isEmpty)"))
        members.append(("draining", "\(isDraining)"))
        members.append(("missing", list(missing)))
        members.append(("waiting_for", list(waitingFor)))
        return "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}\n"
    }
}
