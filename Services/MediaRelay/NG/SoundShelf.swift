import Audio
import FoundationEssentials
import NG
import Threads

/// The sounds that `play media` names, read on a thread of their own: a slow disk holds up neither packets nor requests.
final class SoundShelf: Sendable {
    /// A file of ten minutes of linear sound at 48 kHz is some 60 MB; what is played on the telephone is far less.
    private static let largest = 32 << 20

    let loop = EventLoop(name: "sounds")
    /// Files outside of it are not read; empty: none are.
    private let folder: String

    init(folder: String) { self.folder = folder }

    /// µ-law, or why there is none; on the shelf's thread.
    func read(_ request: Request, _ give: @escaping @Sendable (Result<[UInt8], NGRefusal>) -> Void) {
        let (blob, file) = (request.value("blob")?.bytes, request.value("file")?.text)
        loop.post { [self] in
            give(Result { () throws(NGRefusal) in
                if let blob { return try Self.decode(blob, .selfDescribing) }
                guard let file else { throw NGRefusal("give 'file' or 'blob'") }
                return try Self.decode(try content(of: file), SoundFile.Encoding(fileName: file))
            })
        }
    }

    private func content(of file: String) throws(NGRefusal) -> [UInt8] {
        guard !folder.isEmpty else { throw NGRefusal("this relay plays no files: TANDEM_NG_SOUNDS is not set") }
        let root = URL(filePath: folder, directoryHint: .isDirectory).resolvingSymlinksInPath().standardizedFileURL.path
        let path = URL(filePath: file, relativeTo: URL(filePath: folder, directoryHint: .isDirectory)).resolvingSymlinksInPath().standardizedFileURL.path
        guard path.hasPrefix(root.hasSuffix("/") ? root : root + "/") else { throw NGRefusal("'file' is outside of TANDEM_NG_SOUNDS") }
        do {
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            guard size <= Self.largest else { throw NGRefusal("the file is longer than \(Self.largest) bytes") }
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch let refusal as NGRefusal {
            throw refusal
        } catch {
            throw NGRefusal("the file cannot be read")
        }
    }

    private static func decode(_ bytes: [UInt8], _ encoding: SoundFile.Encoding) throws(NGRefusal) -> [UInt8] {
        do {
            return G711.encode(try SoundFile.decode(bytes, encoding).values, .ulaw)
        } catch {
            throw NGRefusal("the sound cannot be read: \(error)")
        }
    }
}
