import Addresses
import Contracts
import Deadlines
import Foundation
import RTP
import ServiceKit
import Testing

@testable import MediaRelay

@Suite("MediaRelay: files of sessions")
struct TapFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "tandem-tap-\(UUID().uuidString)").path
    private let began = Instant(nanoseconds: 7_000_000_000)
    private let phone = SocketAddress(.loopbackIPv4, port: 4000)

    private func file(_ name: String, _ content: TapFile.Content, largest: Int = 1 << 20) throws -> TapFile {
        try OutputFile.makeFolder(folder)
        return TapFile(
            name, try OutputFile(creating: "\(folder)/\(name)"), content, now: began, longest: .seconds(10), largest: largest, release: {})
    }

    private func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))) }

    private func sound(_ number: Int) -> [UInt8] {
        var packet: [UInt8] = []
        Header(
            payloadType: .pcmu, sequence: SequenceNumber(UInt16(number)), timestamp: RTP.Timestamp(UInt32(number * 160)), ssrc: SSRC(1)
        ).append(to: &packet)
        return packet + [UInt8](repeating: 0x10, count: 160)
    }

    @Test("a file whose writer is killed holds what its header says, to half a second and what may still come late")
    func killed() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try file("a.wav", .recording(try MediaRelay.Recording(.init(), now: began)))
        #expect(try bytes("a.wav").count == MediaRelay.Recording.headerLength)
        for number in 0..<100 {
            let now = began + .milliseconds(20 * number)
            file.take(.said, at: now, peer: phone, port: 30000, sound(number).span)
            file.tick(now: now)
            let written = try bytes("a.wav")
            let told = (0..<4).reduce(0) { $0 | Int(written[40 + $1]) << (8 * $1) }
            #expect(told == written.count - MediaRelay.Recording.headerLength)
        }
        #expect(try bytes("a.wav").count - MediaRelay.Recording.headerLength >= 900 * 32)
        file.finish(now: began + .milliseconds(2000))
        #expect(try bytes("a.wav").count - MediaRelay.Recording.headerLength == 2000 * 32)
        #expect(file.report(dropped: 3, end: .stopped) == TapReport(path: "\(folder)/a.wav", milliseconds: 2000, bytes: 64_044, dropped: 3, end: .stopped))
    }

    @Test("a capture is full before it is larger than it may be, and holds whole packets only")
    func full() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try file("a.pcap", .capture(addresses: [.loopbackIPv4], microseconds: 0), largest: 24 + 10 * 216)
        for number in 0..<50 { file.take(.arrived, at: began + .milliseconds(number), peer: phone, port: 30000, sound(number).span) }
        #expect(file.isFull)
        file.finish(now: began + .milliseconds(60))
        let written = try bytes("a.pcap").count
        #expect(written <= 24 + 10 * 216 && (written - 24) % 216 == 0 && written > 24 + 8 * 216)
    }

    @Test("no file that is there is written over, and a folder that cannot be is an error in words")
    func refused() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try file("a.wav", .recording(try MediaRelay.Recording(.init(), now: began)))
        #expect(throws: OutputFile.Failure.self) { _ = try OutputFile(creating: "\(folder)/a.wav") }
        #expect(throws: OutputFile.Failure.self) { try OutputFile.makeFolder("\(folder)/b/c") }
        #expect(OutputFile.name("../../etc/pass wd;\u{e9}") == "______etc_pass_wd___")
        #expect(OutputFile.name(String(repeating: "a", count: 200)).utf8.count == 96)
    }
}
