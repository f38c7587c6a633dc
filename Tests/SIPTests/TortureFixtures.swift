import Foundation

/// The messages of RFC 4475 and RFC 5118 as bytes, from Tests/Fixtures/torture. The binary part of mpart01 is a stand-in: other
/// bytes than the signature printed in the RFC, of the same kind.
enum Torture {
    struct Missing: Error { let folder: String }

    static func message(_ rfc: Int, _ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder(rfc).appending(path: "\(name).dat")))
    }

    /// All of one RFC by name.
    static func all(_ rfc: Int) throws -> [(name: String, bytes: [UInt8])] {
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
