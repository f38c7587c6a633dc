import ChildProcesses
public import Flow
import Foundation
import FoundationNetworking

// Recordings as a customer gets them.
extension RunningSuite {
    public struct Download: Sendable {
        public let status: Int
        public let bytes: [UInt8]
        /// Names in lower case.
        public let headers: [String: String]
    }

    public func download(_ path: String, range: String? = nil, key: String? = nil) async throws -> Download {
        guard let url = URL(string: api + path) else { throw Missing.refused("\(path) is no path") }
        var request = URLRequest(url: url, timeoutInterval: 30)
        request.setValue("Bearer \(key ?? self.key)", forHTTPHeaderField: "Authorization")
        if let range { request.setValue(range, forHTTPHeaderField: "Range") }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw Missing.refused("no HTTP response") }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields { headers["\(name)".lowercased()] = "\(value)" }
        return Download(status: response.statusCode, bytes: Array(data), headers: headers)
    }

    /// Waits until a recording is stored, or failed.
    public func recording(_ id: String, within limit: Duration = .seconds(15)) async throws -> JSONValue {
        var recording = JSONValue.null
        try await eventually("the recording \(id) is stored", within: limit) {
            recording = try await request("GET", "/v1/recordings/\(id)").body
            return ["stored", "failed"].contains(recording["status"]?.string)
        }
        return recording
    }

    /// The latest call of this number.
    public func callID(from number: String) async throws -> String { "call_" + (try await session(from: number)).dropFirst("sess_".count) }

    /// The channels of a sound file as ffmpeg reads it, at 8 kHz.
    public static func channels(_ bytes: [UInt8], _ format: String, count: Int) throws -> [[Int16]] {
        let file = FileManager.default.temporaryDirectory.appending(path: "tandem-\(UUID().uuidString).\(format)")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = ChildProcess(
            "/usr/bin/ffmpeg",
            ["-v", "error", "-xerror", "-nostdin", "-i", file.path, "-ac", "\(count)", "-ar", "8000", "-f", "s16le", "pipe:1"])
        let (output, mistakes) = (Pipe(), Pipe())
        (process.output, process.error) = (output.fileHandleForWriting, mistakes.fileHandleForWriting)
        try process.run()
        try output.fileHandleForWriting.close()
        try mistakes.fileHandleForWriting.close()
        let sound = Array(try output.fileHandleForReading.readToEnd() ?? Data())
        let said = String(decoding: try mistakes.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0, said.isEmpty else { throw Missing.refused("ffmpeg: \(said)") }
        return (0..<count).map { channel in
            stride(from: 2 * channel, to: sound.count - 1, by: 2 * count).map {
                Int16(bitPattern: UInt16(sound[$0]) | UInt16(sound[$0 + 1]) << 8)
            }
        }
    }

    public static func sha256(_ bytes: [UInt8]) throws -> String {
        let process = ChildProcess("/usr/bin/sha256sum")
        let (input, output) = (Pipe(), Pipe())
        (process.input, process.output) = (input.fileHandleForReading, output.fileHandleForWriting)
        try process.run()
        try output.fileHandleForWriting.close()
        try input.fileHandleForReading.close()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try input.fileHandleForWriting.close()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return String(text.prefix(64))
    }
}
