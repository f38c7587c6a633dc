import Addresses
import Cache
import Deadlines
import Foundation
import Logging
import Synchronization
import Testing

@testable import EdgeProxy

/// With the Redis of `make test`: each board stands for an edge. Nothing here is about time; the limit is for what never comes, beside a
/// thousand tests that want the same two processors.
@Suite("EdgeProxy: bans are shared (RELIABILITY §4.8, V16)", .timeLimit(.minutes(4)))
struct BanBoardTests {
    private let key = "test:bans:\(UInt64.random(in: 0 ... .max))"
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// An edge without loops: what it has heard.
    private final class Edge: Sendable {
        let cache: Cache
        let board: BanBoard
        let heard = Mutex<[Ban]>([])
        private let running: Task<Void, Never>

        init(_ key: String, _ logger: Logger) async throws {
            let url = try #require(ProcessInfo.processInfo.environment["TANDEM_TEST_REDIS"], "run `make test`")
            let cache = Cache(settings: try #require(Cache.Settings(url: url)), logger: logger)
            await cache.start()
            let board = BanBoard(stream: BanStream(cache: cache, key: key, longest: .seconds(3_600)), logger: logger)
            (self.cache, self.board) = (cache, board)
            running = Task { await board.run() }
            board.listen { news in
                if case .banned(let ban) = news { self.heard.withLock { $0.append(ban) } }
            }
        }

        func hears(_ block: IPAddress) async throws -> Ban {
            while true {
                if let ban = heard.withLock({ $0.last { $0.block == block } }) { return ban }
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        func stop() {
            running.cancel()
            cache.stop()
        }
    }

    private static let block = IPAddress(v4: 0xcb00_7105)

    @Test("A ban is heard by the other edges, and by one that starts later: how long it still is, and the how-manieth")
    func shared() async throws {
        let (first, second) = (try await Edge(key, logger), try await Edge(key, logger))
        first.board.began(Ban(block: Self.block, length: .seconds(120), count: 2), for: .wrongPassword)
        let heard = try await second.hears(Self.block)
        #expect(heard.count == 2)
        #expect(heard.length > .seconds(1) && heard.length <= .seconds(120))
        let third = try await Edge(key, logger)
        #expect(try await third.hears(Self.block).count == 2)
        for edge in [first, second, third] { edge.stop() }
    }

    @Test("What is over is not told; what is no ban is passed over")
    func over() async throws {
        let first = try await Edge(key, logger)
        try await first.cache.command(["XADD", CacheArgument(key), "*", "source", "203.0.113.9", "until", "1", "count", "1"])
        try await first.cache.command(["XADD", CacheArgument(key), "*", "source", "nonsense", "until", "99999999999999", "count", "1"])
        first.board.began(Ban(block: Self.block, length: .seconds(120), count: 1), for: .scanner)
        let second = try await Edge(key, logger)
        _ = try await second.hears(Self.block)
        #expect(second.heard.withLock { $0.allSatisfy { $0.block == Self.block } })
        for edge in [first, second] { edge.stop() }
    }

    @Test("A Redis that comes back empty is told again by whoever's ban it is")
    func emptyRedis() async throws {
        let (first, operators) = (try await Edge(key, logger), try await Edge("\(key):other", logger))
        first.board.began(Ban(block: Self.block, length: .seconds(120), count: 1), for: .scanner)
        // A late answer may have made it connect anew meanwhile: then it was another connection, and it has told before all was gone.
        while true {
            let connection = try #require(try await first.cache.command(["CLIENT", "ID"]).integer)
            try await operators.cache.command(["DEL", CacheArgument(key)])
            if try await operators.cache.command(["CLIENT", "KILL", "ID", CacheArgument(connection)]).integer == 1 { break }
        }
        let later = try await Edge(key, logger)
        #expect(try await later.hears(Self.block).count == 1)
        for edge in [first, operators, later] { edge.stop() }
    }
}
