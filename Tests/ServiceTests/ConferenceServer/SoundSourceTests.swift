import Addresses
import Contracts
import Foundation
import Testing

@testable import ConferenceServer

@Suite("What may be fetched, and from where")
struct SoundSourceTests {
    private func address(_ text: String) -> [IPAddress] { [IPAddress(text)].compactMap { $0 } }

    @Test(
        "Private addresses are refused",
        arguments: [
            "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
            "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        ])
    func privateRefused(text: String) throws {
        let policy = try FetchPolicy(allowing: [])
        #expect(address(text).count == 1)
        #expect(!policy.permits(host: "example.com", addresses: address(text)))
    }

    @Test("Public addresses are allowed, and one private among them refuses all")
    func mixed() throws {
        let policy = try FetchPolicy(allowing: [])
        #expect(policy.permits(host: "example.com", addresses: address("93.184.216.34")))
        #expect(policy.permits(host: "example.com", addresses: address("2606:2800:220:1::1")))
        #expect(!policy.permits(host: "example.com", addresses: address("93.184.216.34") + address("10.0.0.1")))
        #expect(!policy.permits(host: "example.com", addresses: []))
    }

    @Test("The operator allows ranges and hosts")
    func allowed() throws {
        let policy = try FetchPolicy(allowing: ["10.8.0.0/13", "127.0.0.1", "fd00::/8", "Media.Internal"])
        #expect(policy.permits(host: "x", addresses: address("10.15.255.255")))
        #expect(!policy.permits(host: "x", addresses: address("10.16.0.0")))
        #expect(policy.permits(host: "x", addresses: address("127.0.0.1")))
        #expect(!policy.permits(host: "x", addresses: address("127.0.0.2")))
        #expect(policy.permits(host: "x", addresses: address("fd12::1")))
        #expect(!policy.permits(host: "x", addresses: address("fe80::1")))
        #expect(policy.permits(host: "media.INTERNAL", addresses: address("192.168.1.1")))
        #expect(try FetchPolicy(allowing: ["0.0.0.0/0"]).permits(host: "x", addresses: address("192.168.1.1")))
    }

    @Test("A mistake in the list is named", arguments: ["10.0.0.0/33", "10.0.0.0/x", "a b", "http://x", "::/129"])
    func mistakes(entry: String) {
        #expect(throws: FetchPolicy.Mistake.self) { try FetchPolicy(allowing: [entry]) }
    }

    @Test("RFC 3986: addresses are taken apart")
    func webAddress() throws {
        let plain = try WebAddress.parse("HTTPS://Example.COM:8443/a/b.wav?x=1#frag")
        #expect(plain.scheme == "https" && plain.host == "example.com" && plain.port == 8443 && plain.path == "/a/b.wav?x=1")
        #expect(plain.text == "https://example.com:8443/a/b.wav?x=1")
        #expect(try WebAddress.parse("http://[::1]:80").text == "http://[::1]:80/")
        #expect(try WebAddress.parse("http://host?q").path == "/?q")
        #expect(try plain.following("c.wav").path == "/a/c.wav")
        #expect(try plain.following("/d").text == "https://example.com:8443/d")
        #expect(try plain.following("//other/d").text == "https://other/d")
        #expect(try plain.following("http://other/d").text == "http://other/d")
    }

    @Test(
        "What two parsers may read differently is refused",
        arguments: [
            "ftp://host/x", "http://user@host/", "http://public.example@10.0.0.1/", "http://host:0/", "http://host:99999/",
            "http://host\\@10.0.0.1/", "http://ho st/", "http:///x", "http://", "file:///etc/passwd", "http://[abc]/",
            "http://h%6fst/",
            "http://host:80:80/", "//host/x", "http://höst/",
        ])
    func refusedAddresses(text: String) {
        #expect(throws: SoundProblem.self) { try WebAddress.parse(text) }
    }

    @Test("Names of sounds cannot leave the folder")
    func soundNames() {
        #expect(SoundFolder.relativePath("welcome") == "welcome.wav")
        #expect(SoundFolder.relativePath("file:menu/options.ulaw") == "menu/options.ulaw")
        let refused = [
            "../secret", "a/../../b", "/etc/passwd", "file:/etc/passwd", ".hidden", "a//b", "", "file:", "a/.b", "a\u{0}b",
            "a b", "~/x",
        ]
        for name in refused { #expect(SoundFolder.relativePath(name) == nil, "\(name)") }
    }

    @Test("A missing sound or folder is told, not thrown over the fence")
    func missingSounds() {
        #expect(throws: SoundProblem.self) { try SoundFolder(path: "").sound(named: "x", seconds: 1) }
        #expect(throws: SoundProblem.self) { try SoundFolder(path: "/nowhere").sound(named: "x", seconds: 1) }
    }

    @Test("Every mistake in a conference is named by its pointer")
    func conferenceRules() throws {
        let now = Timestamp(milliseconds: 0)
        let good = Conference(
            id: "conf_1", customerID: "cust_1", name: "Daily", number: "800", pin: "1234", maxParticipants: 50,
            createdAt: now, updatedAt: now)
        try ConferenceRules().check(good)
        var bad = good
        (bad.name, bad.number, bad.pin, bad.maxParticipants) = ("", "80x", "12a", 1)
        let error = #expect(throws: RPCError.self) { try ConferenceRules().check(bad) }
        #expect(error?.problems.map(\.pointer) == ["/name", "/number", "/pin", "/max_participants"])
    }

    @Test("V19: of what is public, only web servers' ports are fetched from; the operator's own may have any")
    func ports() throws {
        let policy = try FetchPolicy(allowing: ["10.0.0.0/8", "media.internal"])
        let looks = [80, 443, 8080, 8443, 22, 25, 6379].map {
            policy.permits(host: "example.com", port: $0, addresses: address("93.184.216.34"))
        }
        #expect(looks == [true, true, true, true, false, false, false])
        #expect(policy.permits(host: "x", port: 9000, addresses: address("10.1.1.1")))
        #expect(policy.permits(host: "media.internal", port: 9000, addresses: address("93.184.216.34")))
        #expect(try WebAddress.parse("https://h/").effectivePort == 443)
        #expect(try WebAddress.parse("http://h:25/").effectivePort == 25)
    }

    @Test("A fetch that trickles is given up, one that is quick is not")
    func bounded() async {
        let slow = await SoundFetcher.bounded(by: .milliseconds(20)) {
            try? await Task.sleep(for: .seconds(60))
            return 1
        }
        #expect(slow == nil)
        #expect(await SoundFetcher.bounded(by: .seconds(60)) { 2 } == 2)
    }

    @Test("A sound that hundreds of calls want at once is loaded once")
    func loadedOnce() async throws {
        let threads = BlockingThreads(count: 1)
        let path = NSTemporaryDirectory() + "tandem-sounds-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileManager.default.createFile(atPath: path + "/beep.ulaw", contents: Data(repeating: 0x80, count: 80_000)))
        let library = SoundLab(folder: path, threads: threads).library
        let counts = await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<300 { group.addTask { (try? await library.piece(.url("beep.ulaw")))?.count } }
            return await group.reduce(into: [Int?]()) { $0.append($1) }
        }
        #expect(counts.count == 300 && counts.allSatisfy { $0 == 80_000 })
        await #expect(throws: SoundProblem.self) { try await library.piece(.url("none.wav")) }
    }
}
