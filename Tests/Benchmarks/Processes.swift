import Deadlines
import Glibc

/// Processes of this machine that share our network.
enum Processes {
    static func named(_ name: String) -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        let network = link("/proc/self/ns/net")
        var found: [Int32] = []
        while let entry = readdir(folder) {
            let text = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            // The system keeps fifteen letters.
            guard let id = Int32(text), content("/proc/\(id)/comm") == String(name.prefix(15)) + "\n", link("/proc/\(id)/ns/net") == network else { continue }
            found.append(id)
        }
        return found
    }

    /// Of everything that a running suite consists of, servers included.
    static let suite = [
        "EdgeProxy", "Registrar", "CallServer", "ConferenceServer", "room-worker", "MediaRelay", "relay-worker", "FlowManager", "APIGateway", "beam.smp",
        "postgres", "redis-server",
    ]

    /// Milliseconds that all processes of each of these names have taken so far.
    static func times(of names: [String]) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: names.map { name in (name, named(name).reduce(0) { $0 + time(of: $1).milliseconds }) })
    }

    /// Bytes of memory that are its own and in use.
    static func memory(of id: Int32) -> Int {
        guard let line = content("/proc/\(id)/status")?.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }) else { return 0 }
        return (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }

    /// What a process has taken of processors so far, in user and system mode.
    static func time(of id: Int32) -> Interval {
        // After the name, which may hold blanks: state is the first, utime and stime the twelfth and thirteenth.
        guard let text = content("/proc/\(id)/stat"), let end = text.lastIndex(of: ")") else { return .zero }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Int64(fields[11]), let system = Int64(fields[12]) else { return .zero }
        return .milliseconds(Int((user + system) * 1000 / Int64(sysconf(Int32(_SC_CLK_TCK)))))
    }

    /// What a process was started with; nil when it has no such variable, or is somebody else's.
    static func environment(_ name: String, of id: Int32) -> String? {
        guard let text = content("/proc/\(id)/environ", atMost: 64 << 10) else { return nil }
        return text.split(separator: "\0").first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }

    private static func content(_ path: String, atMost bytes: Int = 4096) -> String? {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: bytes)
        let count = read(file, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}
