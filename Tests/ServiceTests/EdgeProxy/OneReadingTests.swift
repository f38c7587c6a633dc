import Addresses
import Deadlines
import Hostile
import SIP
import Testing

@testable import EdgeProxy

/// RELIABILITY V9, V10: whatever the edge forwards, another reader takes for the very same message; what the two could read in two
/// ways is forwarded to nobody.
@Suite("EdgeProxy: one reading of every message")
struct OneReadingTests {
    private let bench: EdgeBench
    private let phone = EdgeBench.phone

    init() throws {
        var bench = EdgeBench()
        var configuration = bench.core.configuration
        configuration.alone = ProxyCore.Alone(trusted: [try #require(AddressRange("192.0.2.0/24"))], servers: [EdgeBench.callServer])
        bench.core = ProxyCore(configuration)
        self.bench = bench
    }

    private struct Difference: Error { let message: String }

    /// What is compared of a forwarded message, and of the one that came: all that the edge has no reason to change.
    private func kept(_ message: StrictMessage) -> [StrictMessage.Field] {
        let changed: Set = ["via", "max-forwards", "route", "record-route", "path", "content-length"]
        return message.fields.filter { !changed.contains($0.name) && !$0.name.hasPrefix("x-tandem-") }
    }

    private func names(_ message: StrictMessage, _ name: String) -> Int { message.fields.filter { $0.name == name }.count }

    /// True when it was forwarded.
    private func judge(_ bytes: [UInt8], _ index: inout MessageIndex, _ door: inout Admission) throws -> Bool {
        do throws(ParseError) {
            try index.read(bytes.span)
        } catch { return false }
        guard let view = index.view(of: bytes.span) else { return false }
        var servers = Placement(bench.directory, recentDialogs: 64, now: Instant(nanoseconds: 0))
        let decision = bench.core.receiveOutside(view, bench.arrival, now: EdgeBench.now, &servers, &door)
        guard case .forward(let forwarding, _) = decision else { return false }
        guard let leaving = forwarding.bytes(of: view, key: bench.core.tokenKey) else { throw Difference(message: "no room") }
        let came = try StrictMessage(datagram: bytes)
        let left = try StrictMessage(leaving)
        guard kept(came) == kept(left) else { throw Difference(message: "\(kept(came)) became \(kept(left))") }
        guard came.startLine == left.startLine, came.body == left.body else { throw Difference(message: "start or body changed") }
        guard names(left, "via") == names(came, "via") + 1, names(left, "content-length") == 1, names(left, "max-forwards") == 1 else {
            throw Difference(message: "\(left.fields)")
        }
        guard left.fields.allSatisfy({ !$0.name.hasPrefix("x-tandem-") }) else { throw Difference(message: "a private header passed") }
        return true
    }

    @Test("V9, V10: 24,000 messages with a smuggler's changes are refused, or the same to both readers", arguments: 0..<4)
    func smuggling(shard: UInt64) throws {
        let good: [[UInt8]] = try ["INVITE", "REGISTER", "MESSAGE", "BYE"].map {
            Array(try EdgeBench.request($0, more: ["Content-Type: text/plain", "X-Kept: \"a\\\"b\""]).bytes.dropLast(2))
                + Array("Content-Length: 4\r\n\r\nbody".utf8)
        }
        let seeds = good + good + (try (Torture.all(4475) + Torture.all(5118)).map(\.bytes))
        var index = MessageIndex(limits: .outside)
        var settings = AdmissionSettings()
        settings.exempt = bench.core.configuration.alone?.trusted ?? []
        var door = Admission(settings, seed: (1, 2), connections: 8)
        var forwarded = 0
        for bytes in Mutations(of: seeds, seed: shard &+ 1).prefix(6_000) {
            do {
                if try judge(bytes, &index, &door) { forwarded += 1 }
            } catch {
                Issue.record("\(error): \(bytes) \(String(decoding: bytes, as: UTF8.self))")
                return
            }
        }
        #expect((500..<5_500).contains(forwarded), "some pass and some do not: \(forwarded)")
    }
}
