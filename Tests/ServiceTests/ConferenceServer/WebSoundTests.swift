import Audio
import Foundation
import Testing

@testable import ConferenceServer

@Suite("Sounds of web servers: what is kept, and for how long")
struct WebSoundTests {
    private func freshness(_ fields: [String: String]) -> Freshness { Freshness(SoundLab.headers(fields)) }

    @Test("RFC 9111 §4.2.1: s-maxage before max-age before Expires, less the Age")
    func lifetime() {
        #expect(freshness([:]).lifetime == Freshness.unsaid)
        #expect(freshness(["cache-control": "max-age=300"]).lifetime == 300)
        #expect(freshness(["Cache-Control": "public, MAX-AGE=\"300\" , s-maxage=20"]).lifetime == 20)
        #expect(freshness(["cache-control": "max-age=300", "age": "100"]).lifetime == 200)
        #expect(freshness(["cache-control": "max-age=10", "age": "100"]).lifetime == 0)
        #expect(freshness(["cache-control": "max-age=99999999999999999999"]).lifetime <= Freshness.longest)
        #expect(freshness(["cache-control": "max-age=1000000000"]).lifetime == Freshness.longest)
        let dates = ["date": "Sun, 29 Feb 2004 23:59:00 GMT", "expires": "Mon, 01 Mar 2004 00:01:00 GMT"]
        #expect(freshness(dates).lifetime == 120)
        #expect(freshness(["date": "Sun, 29 Feb 2004 23:59:00 GMT", "expires": "0"]).lifetime == 0)
        #expect(freshness(dates.merging(["cache-control": "max-age=7"]) { $1 }).lifetime == 7)
    }

    @Test("RFC 9111 §3: what is private, or not to be stored, is not; no-cache is asked about each time")
    func storable() {
        #expect(freshness([:]).isStorable)
        #expect(!freshness(["cache-control": "no-store"]).isStorable)
        #expect(!freshness(["cache-control": "private, max-age=100"]).isStorable)
        #expect(!freshness(["vary": "*"]).isStorable)
        let asked = freshness(["cache-control": "no-cache, max-age=100"])
        #expect(asked.isStorable && asked.lifetime == 0 && !asked.mayServeStale)
        #expect(!freshness(["cache-control": "max-age=1, must-revalidate"]).mayServeStale)
    }

    @Test("RFC 9110 §5.6.7: dates are read, others are none")
    func dates() {
        #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.seconds("Tue, 29 Feb 2028 12:00:00 GMT") == 1_835_438_400)
        for text in ["", "0", "-1", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 25:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 CET"] {
            #expect(HTTPDate.seconds(text) == nil, "\(text)")
        }
    }

    private func cache(_ folder: String, bytes: Int = 1 << 20, files: Int = 100) throws -> DiskCache {
        let cache = DiskCache(folder: folder, bytes: bytes, files: files)
        return try #require(cache)
    }

    private func copy(_ key: String, bytes: Int = 100, fill: UInt8 = 1) -> DiskCache.Copy {
        DiskCache.Copy(
            key: key, validators: Validators(etag: "\"\(key)\""), freshUntil: 10, staleUntil: 20,
            bytes: Array(repeating: fill, count: bytes))
    }

    @Test("A copy is found again, by the next process, too; a changed one takes its place")
    func kept() throws {
        let folder = SoundLab.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try cache(folder)
        #expect(first.find("a") == nil)
        #expect(first.keep(copy("a")) && first.keep(copy("b")) && first.keep(copy("a", fill: 2)))
        #expect(first.find("a") == copy("a", fill: 2))
        let next = try cache(folder)
        #expect(next.find("a") == copy("a", fill: 2) && next.find("b") == copy("b") && next.size == first.size)
        #expect(next.size.files == 2)
    }

    @Test("Number and bytes are bounded: the copy not used for longest goes, one too large is not kept")
    func bounded() throws {
        let folder = SoundLab.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let few = try cache(folder, files: 3)
        for key in ["a", "b", "c"] { few.keep(copy(key)) }
        _ = few.find("a")
        few.keep(copy("d"))
        #expect(["a", "b", "c", "d"].map { few.find($0) != nil } == [true, false, true, true])
        let small = try cache(folder, bytes: 2000)
        #expect(!small.keep(copy("huge", bytes: 600)))
        for number in 0..<20 { small.keep(copy("n\(number)", bytes: 400)) }
        #expect(small.size.bytes <= 2000 && small.size.files >= 2)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count == small.size.files)
    }

    @Test("A file that is cut off, changed or of another key is no copy, and goes; a folder that cannot be is told")
    func damaged() throws {
        let folder = SoundLab.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let disk = try cache(folder)
        disk.keep(copy("a", bytes: 5000))
        let path = folder + "/" + (try #require(FileManager.default.contentsOfDirectory(atPath: folder).first))
        let whole = try Data(contentsOf: URL(filePath: path))
        for length in [0, 1, 40, whole.count - 1] {
            try whole.prefix(length).write(to: URL(filePath: path))
            #expect(disk.find("a") == nil)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
        try (whole + [1]).write(to: URL(filePath: path))
        #expect(disk.find("a") == nil && disk.size.files == 0)
        #expect(DiskCache(folder: "/proc/nowhere/x", bytes: 1, files: 1) == nil)
    }

    @Test("A fresh copy is used without asking; an old one is asked about with what the server gave, and used when it says so")
    func revalidated() async throws {
        let folder = SoundLab.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lab = SoundLab(cache: try cache(folder))
        lab.answer([1, 2, 3], ["etag": "\"v1\"", "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT", "cache-control": "max-age=100"])
        #expect(try await lab.web.bytes(of: "http://a/x.wav") == ([1, 2, 3], 100))
        lab.pass(60)
        #expect(try await lab.web.bytes(of: "http://a/x.wav") == ([1, 2, 3], 40))
        #expect(lab.asked.count == 1 && lab.asked[0].known.isEmpty)
        lab.pass(60)
        lab.confirm(["cache-control": "max-age=50"])
        #expect(try await lab.web.bytes(of: "http://a/x.wav") == ([1, 2, 3], 50))
        #expect(lab.asked.count == 2)
        #expect(lab.asked[1].known == Validators(etag: "\"v1\"", lastModified: "Sun, 06 Nov 1994 08:49:37 GMT"))
        lab.pass(60)
        lab.answer([9], ["etag": "\"v2\""])
        #expect(try await lab.web.bytes(of: "http://a/x.wav").bytes == [9])
        #expect(lab.asked[2].known.etag == "\"v1\"", "a confirmation without a tag leaves the one there was")
    }

    @Test("When its server is away an old copy serves for a day, unless the server forbade it")
    func stale() async throws {
        let folder = SoundLab.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lab = SoundLab(cache: try cache(folder))
        lab.answer([1], ["cache-control": "max-age=10"])
        _ = try await lab.web.bytes(of: "http://a/x")
        lab.answer([2], ["cache-control": "max-age=10, must-revalidate"])
        _ = try await lab.web.bytes(of: "http://a/strict")
        lab.fail()
        lab.pass(3600)
        #expect(try await lab.web.bytes(of: "http://a/x").bytes == [1])
        await #expect(throws: SoundProblem.self) { try await lab.web.bytes(of: "http://a/strict") }
        await #expect(throws: SoundProblem.self) { try await lab.web.bytes(of: "http://a/other") }
        lab.pass(Freshness.whenUnreachable)
        await #expect(throws: SoundProblem.self) { try await lab.web.bytes(of: "http://a/x") }
    }

    @Test("What is not to be stored is fetched each time, and a 304 about nothing is an error")
    func notStored() async throws {
        let folder = SoundLab.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lab = SoundLab(cache: try cache(folder))
        lab.answer([1], ["cache-control": "no-store"])
        for _ in 0..<3 { #expect(try await lab.web.bytes(of: "http://a/x") == ([1], 0)) }
        #expect(lab.asked.count == 3)
        lab.confirm()
        await #expect(throws: SoundProblem.self) { try await lab.web.bytes(of: "http://a/x") }
    }

    @Test("Hundreds that want one address at once share one fetch", .timeLimit(.minutes(10)))
    func shared() async throws {
        let lab = SoundLab()
        lab.answer(WAVWriter.encode(Samples(Array(repeating: 7, count: 800))), ["cache-control": "no-store"])
        lab.script.withLock { $0.isHeld = true }
        let library = lab.library
        let counts = await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<200 { group.addTask { (try? await library.piece(.url("http://a/x.wav")))?.count } }
            while await library.waiters < 199 { await Task.yield() }
            lab.script.withLock { $0.isHeld = false }
            return await group.reduce(into: [Int?]()) { $0.append($1) }
        }
        #expect(counts.allSatisfy { $0 == 800 } && lab.asked.count == 1)
    }

    @Test("Music on hold is the customer's own, else the operator's, else made here")
    func music() async throws {
        let folder = SoundLab.folder()
        try FileManager.default.createDirectory(atPath: folder + "/music", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(WAVWriter.encode(Samples(Array(repeating: 5, count: 1600)))).write(to: URL(filePath: folder + "/music/cust_1.wav"))
        try Data(WAVWriter.encode(Samples(Array(repeating: 6, count: 3200)))).write(to: URL(filePath: folder + "/jazz.wav"))
        let plain = SoundLab(folder: folder).library
        #expect(try await plain.piece(.music, customer: "cust_1").count == 1600)
        #expect(try await plain.piece(.music, customer: "cust_2").count == HoldMusic.samples.count)
        #expect(try await plain.piece(.music, customer: "../jazz").count == HoldMusic.samples.count)
        for name in ["music/cust_1", "file:music/cust_1.wav"] {
            await #expect(throws: SoundProblem.self, "by name it is nobody's") { try await plain.piece(.url(name), customer: "cust_1") }
        }
        let other = SoundLab(folder: folder, customs: .init(country: "us", music: "jazz")).library
        #expect(try await other.piece(.music, customer: "cust_2").count == 3200)
        #expect(try await other.piece(.music, customer: "cust_1").count == 1600)
        // Tones are of the country of the installation, unless another is named.
        #expect(try await other.piece(.ringback).count == 6000 * 8)
        #expect(try await other.piece(.signal(name: "ringing", country: "de")).count == 5000 * 8)
        #expect(try await other.piece(.signal(name: "busy", country: nil)).count == 1000 * 8)
        await #expect(throws: SoundProblem.self) { try await other.piece(.signal(name: "moo", country: nil)) }
    }
}
