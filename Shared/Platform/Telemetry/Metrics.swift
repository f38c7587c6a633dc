import Synchronization

/// All metrics of this process, and their text for Prometheus. Names carry the prefix `tandem_` and base units.
public enum Metrics {
    private static let registry = Mutex<[String: any Metric]>([:])

    /// The Prometheus text exposition format, version 0.0.4.
    public static func exposition() -> String {
        let metrics = registry.withLock { $0 }
        var text = ""
        var described: String?
        // By name first: all lines of one name must stand together.
        for (_, metric) in metrics.sorted(by: { ($0.value.name, $0.key) < ($1.value.name, $1.key) }) {
            if described != metric.name {
                described = metric.name
                text += "# HELP \(metric.name) \(escaped(metric.help))\n# TYPE \(metric.name) \(metric.kind)\n"
            }
            metric.expose(into: &text)
        }
        return text
    }

    static func register(_ metric: any Metric, labels: String) {
        let added = registry.withLock { $0.updateValue(metric, forKey: metric.name + labels) == nil }
        precondition(added, "the metric \(metric.name)\(labels) exists: keep it in a static let")
    }

    static func labelText(_ labels: KeyValuePairs<String, String>) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.key)=\"\(labelValue($0.value))\"" }.joined(separator: ",") + "}"
    }

    static func labelValue(_ text: String) -> String {
        escaped(text).split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    }

    /// What the format escapes everywhere: a line must stay one.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\n") }) else { return text }
        return text.reduce(into: "") { $0 += $1 == "\\" ? "\\\\" : $1 == "\n" ? "\\n" : String($1) }
    }
}

protocol Metric: AnyObject, Sendable {
    var name: String { get }
    var help: String { get }
    var kind: String { get }
    func expose(into text: inout String)
}

/// Counts upward; adding costs one relaxed atomic operation. Keep it in a `static let`.
public final class Counter: Metric, Sendable {
    let name: String
    let help: String
    let kind = "counter"
    private let labels: String
    private let count = Atomic<UInt64>(0)

    public init(_ name: String, _ help: String, labels: KeyValuePairs<String, String> = [:]) {
        (self.name, self.help, self.labels) = (name, help, Metrics.labelText(labels))
        Metrics.register(self, labels: self.labels)
    }

    public func add(_ amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }
    public var value: UInt64 { count.load(ordering: .relaxed) }

    func expose(into text: inout String) { text += "\(name)\(labels) \(value)\n" }
}

/// A value that goes up and down.
public final class Gauge: Metric, Sendable {
    let name: String
    let help: String
    let kind = "gauge"
    private let labels: String
    private let unitsShown: Int
    private let current = Atomic<Int64>(0)

    /// `unitsShown`: how many of the units it is set in make one of those that are shown; 1,000 for a ratio set in thousandths.
    public init(_ name: String, _ help: String, unitsShown: Int = 1, labels: KeyValuePairs<String, String> = [:]) {
        (self.name, self.help, self.unitsShown, self.labels) = (name, help, max(1, unitsShown), Metrics.labelText(labels))
        Metrics.register(self, labels: self.labels)
    }

    public func set(_ value: Int) { current.store(Int64(value), ordering: .relaxed) }
    public func add(_ amount: Int) { current.wrappingAdd(Int64(amount), ordering: .relaxed) }
    public var value: Int { Int(current.load(ordering: .relaxed)) }

    func expose(into text: inout String) {
        text += "\(name)\(labels) \(unitsShown == 1 ? "\(value)" : "\(Double(value) / Double(unitsShown))")\n"
    }
}

/// How often a measured value fell below each of a few fixed bounds. Times are observed in nanoseconds and shown in seconds;
/// counts are what they are.
public final class Histogram: Metric, Sendable {
    let name: String
    let help: String
    let kind = "histogram"
    private let labels: KeyValuePairs<String, String>
    let bounds: [UInt64]
    /// How many observed units make one of those that are shown.
    private let unitsShown: UInt64
    private let buckets: [Cell]
    private let sum = Atomic<UInt64>(0)

    /// An atomic cannot stand in an array by itself.
    private final class Cell: Sendable {
        let count = Atomic<UInt64>(0)
    }

    public static let defaultBounds: [Double] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

    /// Of times; `bounds` in seconds, ascending.
    public convenience init(
        _ name: String, _ help: String, bounds: [Double] = Histogram.defaultBounds, labels: KeyValuePairs<String, String> = [:]
    ) {
        self.init(name, help, bounds.map { UInt64(($0 * 1e9).rounded()) }, unitsShown: 1_000_000_000, labels)
    }

    /// Of counts, like the length of a batch; `bounds` ascending.
    public convenience init(_ name: String, _ help: String, counts bounds: [UInt64], labels: KeyValuePairs<String, String> = [:]) {
        self.init(name, help, bounds, unitsShown: 1, labels)
    }

    /// Of ratios and scores, kept in thousandths; `bounds` ascending.
    public convenience init(_ name: String, _ help: String, ratios bounds: [Double], labels: KeyValuePairs<String, String> = [:]) {
        self.init(name, help, bounds.map { UInt64(($0 * 1000).rounded()) }, unitsShown: 1000, labels)
    }

    private init(_ name: String, _ help: String, _ bounds: [UInt64], unitsShown: UInt64, _ labels: KeyValuePairs<String, String>) {
        (self.name, self.help, self.bounds, self.unitsShown, self.labels) = (name, help, bounds, unitsShown, labels)
        buckets = (0...bounds.count).map { _ in Cell() }
        Metrics.register(self, labels: Metrics.labelText(labels))
    }

    /// `times` for many that are known by their mean only, as the messages of a batch are, for which the clock is read once.
    public func observe(nanoseconds: UInt64, times: UInt64 = 1) { observe(nanoseconds, times) }

    public func observe(count: UInt64) { observe(count, 1) }

    public func observe(ratio: Double) { observe(UInt64(max(0, min(ratio, 1e12)) * 1000 + 0.5), 1) }

    private func observe(_ value: UInt64, _ times: UInt64) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        buckets[index].count.wrappingAdd(times, ordering: .relaxed)
        sum.wrappingAdd(value &* times, ordering: .relaxed)
    }

    func add(_ count: UInt64, toBucket index: Int) { buckets[index].count.wrappingAdd(count, ordering: .relaxed) }
    func add(toSum amount: UInt64) { sum.wrappingAdd(amount, ordering: .relaxed) }

    private func shown(_ value: UInt64) -> String { unitsShown == 1 ? "\(value)" : "\(Double(value) / Double(unitsShown))" }

    func expose(into text: inout String) {
        let plain = labels.map { "\($0.key)=\"\(Metrics.labelValue($0.value))\"" }
        var total: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            total += bucket.count.load(ordering: .relaxed)
            let bound = index < bounds.count ? shown(bounds[index]) : "+Inf"
            text += "\(name)_bucket{\((plain + ["le=\"\(bound)\""]).joined(separator: ","))} \(total)\n"
        }
        let suffix = Metrics.labelText(labels)
        text += "\(name)_sum\(suffix) \(shown(sum.load(ordering: .relaxed)))\n\(name)_count\(suffix) \(total)\n"
    }
}
