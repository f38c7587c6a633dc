import Addresses
import DTLS
import Deadlines
import FastPath
import Foundation
import Logging
import NG
import RTP
import SDP
import Testing

@testable import MediaRelay

/// A media thread that is asked over `ng`, as the control socket asks it. With `isRecording` it writes files into a folder of its own.
final class NGRelay: Sendable {
    let loop: MediaLoop
    let folder = FileManager.default.temporaryDirectory.appending(path: "tandem-ng-\(UUID().uuidString)").path
    private let recorder: Recorder
    static let ports: ClosedRange<UInt16> = 46000...46399

    init(sessionLimit: Int = 100, isRecording: Bool = false, files: Int = 10, seconds: Int = 60, fastPath: FastPath? = nil) throws {
        var settings = RelaySettings(
            inside: .loopbackIPv4, media: .loopbackIPv4, ports: Self.ports, threads: 1, sessionLimit: sessionLimit, timeout: .seconds(60))
        settings.ng.mark = "here"
        // Among all other tests one may stand still for minutes.
        settings.ng.fragmentsKept = .seconds(600)
        var taps = TapSettings()
        if isRecording { (taps.recordings, taps.captures) = (folder, folder) }
        (taps.limit, taps.recordingSeconds) = (files, seconds)
        recorder = Recorder(taps, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        loop = try MediaLoop(
            index: 0, settings: settings, security: Security(Endpoint(.make(now: 1_700_000_000))),
            occupancy: Occupancy(limit: sessionLimit) { _ in },
            events: SessionEvents(began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in }), recorder: recorder, fastPath: fastPath)
        recorder.loop.start()
        loop.start()
    }

    deinit {
        loop.loop.stop()
        recorder.loop.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func ask(_ command: String, _ more: [String: Value] = [:]) async throws -> [String: Value] {
        var document: [String: Value] = ["command": .text(command), "call-id": .text("c"), "from-tag": .text("a")]
        document.merge(more) { _, given in given }
        let request = try Request(document)
        switch request.command {
        case .startRecording: return await later { $0.startRecording(request, $1) }
        case .stopRecording: return await later { $0.stopRecording(request, $1) }
        default: return await loop.perform(request, isDraining: false).document
        }
    }

    private func later(_ perform: @escaping @Sendable (isolated MediaLoop, @escaping @Sendable (Reply) -> Void) -> Void) async -> [String: Value] {
        await withCheckedContinuation { continuation in
            loop.post { loop in perform(loop) { continuation.resume(returning: $0.document) } }
        }
    }

    func describe(_ command: String, _ sdp: String, _ more: [String: Value] = [:]) async throws -> SessionDescription {
        let reply = try await ask(command, more.merging(["sdp": .text(sdp)]) { given, _ in given })
        let text = try #require(reply["sdp"]?.text, "\(reply)")
        return try SessionDescription.parse(text)
    }

    /// The files it has written, by name.
    var files: [String: [UInt8]] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Dictionary(uniqueKeysWithValues: names.map { name in
            (name, FileManager.default.contents(atPath: folder + "/" + name).map { Array($0) } ?? [])
        })
    }
}
