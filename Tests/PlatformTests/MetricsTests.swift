import Telemetry
import Testing

/// The text format of Prometheus, read as strictly as a scraper may.
private struct Exposition {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    var kinds: [String: String] = [:]
    var samples: [Sample] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(description: "the last line does not end") }
        var current = ""
        var seen: Set<String> = []
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            func malformed(_ what: String) -> Malformed { Malformed(description: "\(what): \(line)") }
            if line.hasPrefix("#") {
                let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
                guard parts.count == 4, ["HELP", "TYPE"].contains(parts[1]), Self.isName(parts[2]) else { throw malformed("comment") }
                if parts[1] == "HELP" {
                    current = parts[2]
                    guard seen.insert(current).inserted else { throw malformed("the lines of a name do not stand together") }
                } else {
                    guard parts[2] == current, kinds[current] == nil, ["counter", "gauge", "histogram"].contains(parts[3]) else {
                        throw malformed("TYPE")
                    }
                    kinds[current] = parts[3]
                }
                continue
            }
            let sample = try Self.sample(line)
            guard let kind = kinds[current] else { throw malformed("no TYPE before") }
            let names = kind == "histogram" ? ["_bucket", "_sum", "_count"].map { current + $0 } : [current]
            guard names.contains(sample.name) else { throw malformed("a line of another name") }
            guard kind != "counter" || current.hasSuffix("_total") else { throw malformed("a counter's name") }
            samples.append(sample)
        }
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.first, first.isLetter || first == "_" else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private static func sample(_ line: Substring) throws -> Sample {
        let malformed = Malformed(description: "sample: \(line)")
        var rest = line
        let name = rest.prefix { $0 != "{" && $0 != " " }
        guard isName(name) else { throw malformed }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest = rest.dropFirst()
                let label = rest.prefix { $0 != "=" }
                rest = rest.dropFirst(label.count)
                guard isName(label), rest.hasPrefix("=\"") else { throw malformed }
                rest = rest.dropFirst(2)
                var value = ""
                while let next = rest.popFirst(), next != "\"" {
                    guard next == "\\" else {
                        value.append(next)
                        continue
                    }
                    guard let escaped = rest.popFirst(), let real = ["n": "\n", "\\": "\\", "\"": "\""][escaped] else { throw malformed }
                    value += real
                }
                guard labels.updateValue(value, forKey: String(label)) == nil else { throw malformed }
            } while rest.first == ","
            guard rest.popFirst() == "}" else { throw malformed }
        }
        guard rest.popFirst() == " ", let value = Double(rest) else { throw malformed }
        return Sample(name: String(name), labels: labels, value: value)
    }

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }
}

@Suite("Telemetry: metrics and their text")
struct MetricsTests {
    private static let plain = Counter("tandem_test_things_total", "things")
    private static let longer = Gauge("tandem_test_things", "things now, with a \\ and\na second line")
    private static let labelled = Gauge("tandem_test_things_of", "by kind", labels: ["kind": "a \"b\"\\\nc", "more": ""])
    private static let second = Counter("tandem_test_labelled_total", "by kind", labels: ["kind": "2"])
    private static let first = Counter("tandem_test_labelled_total", "by kind", labels: ["kind": "1"])
    /// Sorts between the two above by mere text.
    private static let between = Counter("tandem_test_labelled_total_of_total", "sorts beside")
    private static let times = Histogram("tandem_test_work_seconds", "time", bounds: [0.000_001, 0.5], labels: ["of": "x"])
    private static let counts = Histogram("tandem_test_batch_messages", "how many", counts: [1, 8])

    @Test("The exposition parses, each name once with HELP and TYPE, values and escapes as they were given")
    func exposition() throws {
        Self.plain.add(3)
        Self.longer.set(-2)
        Self.labelled.set(5)
        Self.first.add()
        Self.second.add(2)
        Self.between.add(9)
        let read = try Exposition(Metrics.exposition())
        #expect(read.value("tandem_test_things_total") == 3)
        #expect(read.value("tandem_test_things") == -2)
        #expect(read.value("tandem_test_things_of", ["kind": "a \"b\"\\\nc", "more": ""]) == 5)
        #expect(read.value("tandem_test_labelled_total", ["kind": "1"]) == 1)
        #expect(read.value("tandem_test_labelled_total", ["kind": "2"]) == 2)
        #expect(read.value("tandem_test_labelled_total_of_total") == 9)
        #expect(read.kinds["tandem_test_things"] == "gauge")
    }

    @Test("A histogram's buckets add up; times are shown in seconds, counts as they are")
    func histograms() throws {
        Self.times.observe(nanoseconds: 1_000)
        Self.times.observe(nanoseconds: 1_001, times: 3)
        Self.times.observe(nanoseconds: 2_000_000_000)
        Self.counts.observe(count: 8)
        Self.counts.observe(count: 9)
        let read = try Exposition(Metrics.exposition())
        #expect(read.kinds["tandem_test_work_seconds"] == "histogram")
        for (bound, count) in [("1e-06", 1.0), ("0.5", 4), ("+Inf", 5)] {
            #expect(read.value("tandem_test_work_seconds_bucket", ["of": "x", "le": bound]) == count)
        }
        #expect(read.value("tandem_test_work_seconds_count", ["of": "x"]) == 5)
        #expect(read.value("tandem_test_work_seconds_sum", ["of": "x"]) == 2.000_004_003)
        for (bound, count) in [("1", 0.0), ("8", 1), ("+Inf", 2)] {
            #expect(read.value("tandem_test_batch_messages_bucket", ["le": bound]) == count)
        }
        #expect(read.value("tandem_test_batch_messages_sum") == 17)
    }

    @Test("What a thread tallied is in the histogram when it was handed over, once, and not before")
    func tally() throws {
        let histogram = Histogram("tandem_test_tallied_bytes", "for this test", counts: [10, 100])
        var tally = HistogramTally(histogram)
        for count in [3, 10, 11, 1_000] as [UInt64] { tally.observe(count: count) }
        func shown() throws -> [Double] {
            try Exposition(Metrics.exposition()).samples.filter { $0.name.hasPrefix("tandem_test_tallied_bytes") }.map(\.value)
        }
        #expect(try shown() == [0, 0, 0, 0, 0])
        for _ in 0..<2 {
            tally.flush()
            #expect(try shown() == [2, 3, 4, 1_024, 4])
        }
    }
}
