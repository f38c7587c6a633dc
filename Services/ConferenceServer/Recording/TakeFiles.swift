import Contracts
import FoundationEssentials
import ServiceKit

/// A take on its way to its files: one, or one for each voice. On the writing thread.
final class TakeFiles {
    private let place: RecordingPlace
    private let settings: RecordingSettings
    private(set) var take: Take
    /// In the order of the take's parts.
    private var files: [RecordingFile] = []
    private(set) var failure: OutputFile.Failure?

    init(_ take: consuming Take, at place: RecordingPlace, _ settings: RecordingSettings) throws(OutputFile.Failure) {
        (self.take, self.place, self.settings) = (take, place, settings)
        try OutputFile.makeFolder(settings.folder)
        for folder in place.folders { try OutputFile.makeFolder("\(settings.folder)/\(folder)") }
        if self.take.terms.layout == .tracks {
            try OutputFile.makeFolder("\(settings.folder)/\(place.stem)")
            try writeList()
        }
        try openFiles()
    }

    /// A record of the ring.
    func receive(_ kind: RoomTap.Kind, _ bytes: Span<UInt8>, at position: Int, flags: UInt64, track: UInt32) {
        guard failure == nil else { return }
        if kind == .name { return take.name(track, bytes) }
        do {
            try take.receive(kind, bytes, at: position, flags: flags, track: track)
            try openFiles()
        } catch {
            failure = (error as? OutputFile.Failure) ?? OutputFile.Failure("\(error)")
        }
    }

    /// What there is by now goes to the disk.
    func flush() {
        take.align()
        write()
        for file in files {
            file.flush()
            failure = failure ?? file.failure
        }
    }

    /// It ends at this frame.
    func finish(at position: Int) {
        take.finish(at: position)
        write()
        for file in files {
            file.finish()
            failure = failure ?? file.failure
        }
    }

    private func write() {
        for index in files.indices { files[index].append(take.sound(of: index)) }
    }

    /// A voice that was not heard before gets its file, silent until now.
    private func openFiles() throws(OutputFile.Failure) {
        while files.count < take.parts.count {
            let part = take.parts[files.count]
            let kind = RecordingFile.Kind(format: take.terms.format, channels: part.channels, bitrate: settings.bitrate)
            let name = part.name == nil ? place.file : place.file(ofTrack: files.count + 1)
            let file = try RecordingFile(creating: "\(settings.folder)/\(name)", kind, key: settings.keys.first)
            if part.name != nil { file.appendSilence(frames: part.start - place.position) }
            files.append(file)
            if part.name != nil { try writeList() }
        }
    }

    /// Who is whose, for whoever has to finish this.
    private func writeList() throws(OutputFile.Failure) {
        let list = take.parts.enumerated().map { index, part in
            RecordingTrack(track: index + 1, participantID: part.name?.participantID ?? "", callID: part.name?.callID ?? "")
        }
        let path = "\(settings.folder)/\(place.list)"
        do { try JSONEncoder().encode(list).write(to: URL(filePath: path), options: .atomic) } catch {
            throw OutputFile.Failure("\(path) cannot be written: \(error)")
        }
    }
}
