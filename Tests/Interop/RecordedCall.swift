import Audio
import Foundation

/// The folder a relay records into, and what is heard in its files.
struct RecordedCalls {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tandem-recorded-\(UUID().uuidString)")

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

    /// Waits until there are so many files, and none of them grows any more.
    func settled(_ count: Int) async throws -> [String] {
        var before: [String: Int] = [:]
        for _ in 0..<100 {
            var sizes: [String: Int] = [:]
            for name in try names() { sizes[name] = try Data(contentsOf: folder.appending(path: name)).count }
            if sizes.count == count, sizes == before, sizes.values.allSatisfy({ $0 > 44 }) { return sizes.keys.sorted() }
            before = sizes
            try await Task.sleep(for: .milliseconds(700))
        }
        throw Missing(description: "there are \(before)")
    }

    /// How loud each frequency is at its loudest in each channel of a WAV file of sixteen bits, in dBFS.
    func levels(_ name: String, _ frequencies: [Double]) throws -> [[Double]] {
        let bytes = Array(try Data(contentsOf: folder.appending(path: name)))
        guard bytes.count > 44, (1...2).contains(bytes[22]) else { throw Missing(description: "\(name) has \(bytes.count) bytes") }
        let channels = Int(bytes[22])
        return (0..<channels).map { channel in
            let samples = stride(from: 44 + 2 * channel, to: bytes.count - 1, by: 2 * channels).map {
                Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
            }
            return frequencies.map { frequency in
                stride(from: 0, to: samples.count - 800, by: 800).map { start in
                    let piece = Array(samples[start..<(start + 800)])
                    return Level(amplitude: Goertzel.amplitude(of: frequency, in: piece.span)).dBFS
                }.max() ?? -120
            }
        }
    }
}
