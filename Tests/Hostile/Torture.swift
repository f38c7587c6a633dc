import Foundation

/// The messages of RFC 4475 and RFC 5118 byte for byte, from Tests/Fixtures/torture.
///
/// Where RFC 5118 prints another Content-Length than the body it prints has (§4.6, §4.8, §4.9), the file has the body's: the sections
/// call these messages well-formed.
public enum Torture {
    struct Missing: Error { let folder: String }

    public static func message(_ rfc: Int, _ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder(rfc).appending(path: "\(name).dat")))
    }

    /// All of one RFC by name.
    public static func all(_ rfc: Int) throws -> [(name: String, bytes: [UInt8])] {
        let files = try FileManager.default.contentsOfDirectory(at: folder(rfc), includingPropertiesForKeys: nil)
        let messages = try files.filter { $0.pathExtension == "dat" }.sorted { $0.path < $1.path }
            .map { (name: $0.deletingPathExtension().lastPathComponent, bytes: [UInt8](try Data(contentsOf: $0))) }
        guard !messages.isEmpty else { throw Missing(folder: folder(rfc).path) }
        return messages
    }

    private static func folder(_ rfc: Int) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/torture/rfc\(rfc)")
    }
}
