public import Logging
import Glibc

/// Sets up swift-log for a service: one line per record on standard error, `time level service instance message key=value`.
public enum Log {
    /// Called once, before the first logger is made.
    public static func bootstrap(service: String, instance: String, level: Logger.Level) {
        LoggingSystem.bootstrap { label in
            LineLogHandler(label: label, service: service, instance: instance, logLevel: level)
        }
    }
}

/// A number or address of a person: shown with its middle hidden, whole only at debug level of the caller's choice (V21).
public struct Private: CustomStringConvertible, Sendable {
    private let value: String

    public init(_ value: some StringProtocol) { self.value = String(value) }

    public var description: String {
        guard value.count > 4 else { return "****" }
        return value.prefix(2) + "***" + value.suffix(2)
    }
}

/// Writes a record as one line in one `write`, with every control character escaped so that no input can forge a line.
struct LineLogHandler: LogHandler {
    let label: String
    let service: String
    let instance: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        line += Array(Self.timestamp().utf8)
        line += Array(" \(event.level.rawValue.uppercased()) \(instance.isEmpty ? service : instance) ".utf8)
        Self.append(event.message.description, to: &line)
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line.append(UInt8(ascii: " "))
            Self.append(key, to: &line)
            line.append(UInt8(ascii: "="))
            Self.append(value.description, to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        _ = unsafe line.withUnsafeBytes { bytes in unsafe write(2, bytes.baseAddress, bytes.count) }
    }

    /// C0, DEL and C1 (two bytes in UTF-8) become `\xNN`: no terminal escape, no second line.
    private static func append(_ text: String, to line: inout [UInt8]) {
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                let digits = String(scalar.value, radix: 16)
                line += Array(("\\x" + (digits.count < 2 ? "0" : "") + digits).utf8)
            } else {
                line += Array(String(scalar).utf8)
            }
        }
    }

    private static func timestamp() -> String {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        var seconds = now.tv_sec
        _ = unsafe gmtime_r(&seconds, &parts)
        let (year, month, day) = unsafe (parts.tm_year, parts.tm_mon, parts.tm_mday)
        let (hour, minute, second) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(year + 1900)-\(padded(month + 1, 2))-\(padded(day, 2))T\(padded(hour, 2)):"
            + "\(padded(minute, 2)):\(padded(second, 2)).\(padded(now.tv_nsec / 1_000_000, 3))Z"
    }
}
