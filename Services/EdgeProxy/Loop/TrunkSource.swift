import FoundationEssentials
import Logging
import ServiceKit
import Synchronization

/// Where the trunks are written down: in a file, which is read again when it changes, or in the setting itself.
final class TrunkSource: Sendable {
    private let path: String?
    private let domain: String
    private let trunks: Mutex<Trunks>
    private let first: WatchedFiles.Stamp?

    /// `text` is the setting: empty, the path of a file, or the JSON array of the trunks. Throws what is wrong with it.
    init(_ text: String, domain: String) throws {
        self.domain = domain
        let isInline = text.drop { $0.isWhitespace }.first == "["
        path = isInline || text.isEmpty ? nil : text
        // Before it is read: what changes meanwhile is read again.
        first = path.map { WatchedFiles([$0]).stamp }
        do {
            if let path {
                trunks = Mutex(try Self.read(path, domain))
            } else {
                trunks = Mutex(text.isEmpty ? Trunks() : try Self.decode(Data(text.utf8), domain))
            }
        } catch { throw EdgeSettings.Mistake(description: "TANDEM_TRUNKS: \(Self.explain(error))") }
    }

    var current: Trunks { trunks.withLock { $0 } }

    /// Looks at the file until the task is cancelled. One with a mistake changes nothing.
    func watch(logger: Logger) async {
        guard let path, let first else { return }
        await WatchedFiles([path]).watch(since: first) {
            do {
                let renewed = try Self.read(path, domain)
                trunks.withLock { $0 = renewed }
                logger.info("the trunks were read again", metadata: ["file": "\(path)", "trunks": "\(renewed.count)"])
            } catch {
                logger.warning(
                    "the trunks stay as they were", metadata: ["file": "\(path)", "error": "\(Self.explain(error))"])
            }
        }
    }

    private static func read(_ path: String, _ domain: String) throws -> Trunks {
        try decode(try Data(contentsOf: URL(filePath: path)), domain)
    }

    private static func decode(_ json: Data, _ domain: String) throws -> Trunks {
        try Trunks(JSONDecoder().decode([TrunkEntry].self, from: json), domain: domain)
    }

    /// Where in the JSON, and what; a password hash in it is not repeated.
    private static func explain(_ error: any Error) -> String {
        switch error {
        case let mistake as TrunkMistake: mistake.description
        case DecodingError.keyNotFound(let key, let context): "\(place(context)) lacks \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(place(context)) is of the wrong kind"
        case is DecodingError: "it is no JSON array of trunks"
        default: "\(error)"
        }
    }

    private static func place(_ context: DecodingError.Context) -> String {
        let path = context.codingPath.map { $0.intValue.map { "trunk \($0 + 1)" } ?? $0.stringValue }
        return path.isEmpty ? "it" : path.joined(separator: ", ")
    }
}
