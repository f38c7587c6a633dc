import Bytes
import Datagrams
import FoundationEssentials
import JSONCoding
import Processes
import Succession

/// What a worker finds with its keeper before it begins: for each mixer thread its inside socket, to which relays send, and its shelf.
struct RoomInheritance: Sendable {
    static let kept = KeptService(.conferenceServer, name: "room", wish: "TANDEM_ROOM_KEEPER", patience: "TANDEM_ROOM_PATIENCE")

    private struct Fixture: Codable {
        var layout: String
    }

    private static let lineageKey = "lineage"
    private static func threadKey(_ index: Int) -> String { "thread/\(index)" }

    /// Lives as long as the rooms do: whoever sees another with an instance knows that its rooms are lost.
    var lineage: String?
    private var threads: [(inside: Descriptor, shelf: RoomShelf, isForeign: Bool)] = []

    init() {}

    /// All that was deposited by a predecessor; nothing is no mistake.
    private init(from link: KeeperLink) async {
        lineage = await link.deposit(Self.lineageKey).flatMap { String(validating: $0.bytes, as: UTF8.self) }
        while let deposit = await link.deposit(Self.threadKey(threads.count)), deposit.descriptors.count == 2,
            let fixture = try? JSONText.decode(Fixture.self, from: deposit.bytes)
        {
            let isForeign = fixture.layout != RoomShelf.layout
            guard let shelf = isForeign ? RoomShelf() : RoomShelf(adopting: deposit.descriptors[1]) else { return }
            threads.append((deposit.descriptors[0], shelf, isForeign))
        }
    }

    static func find(_ link: KeeperLink?) async -> RoomInheritance {
        guard let link else { return RoomInheritance() }
        await link.caughtUp.wait()
        return await RoomInheritance(from: link)
    }

    static func makeLineage() -> String {
        Hexadecimal.encode((0..<8).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// For each thread what it goes on with, or what it begins: as many as there were, because rooms are spread over them by their ids.
    func custody(_ link: KeeperLink?, threads count: Int) throws(ConfigurationError) -> [RoomCustody] {
        guard let link else { return [] }
        if !threads.isEmpty {
            return threads.enumerated().map { index, thread in
                RoomCustody(link: link, index: index, shelf: thread.shelf, inside: thread.inside, isForeign: thread.isForeign)
            }
        }
        return try (0..<count).map { index throws(ConfigurationError) in
            guard let shelf = RoomShelf() else { throw ConfigurationError("no memory is left for what outlives a process: set TANDEM_ROOM_KEEPER=0") }
            return RoomCustody(link: link, index: index, shelf: shelf, inside: nil, isForeign: false)
        }
    }

    static func deposit(lineage: String, with link: KeeperLink) { link.keep(.fixture, lineageKey, Array(lineage.utf8)) }

    static func deposit(_ custody: RoomCustody, inside: Int32) {
        guard let bytes = try? JSONText.encode(Fixture(layout: RoomShelf.layout)) else { return }
        custody.link.keep(.fixture, threadKey(custody.index), Array(bytes), [inside, custody.shelf.memory.descriptor])
    }
}

/// What a mixer thread keeps with the keeper.
struct RoomCustody: Sendable {
    let link: KeeperLink
    let index: Int
    let shelf: RoomShelf
    /// Nil: it opens one.
    let inside: Descriptor?
    /// What lies on the shelf is of another version of this program.
    let isForeign: Bool

    var socket: DatagramSocket? { inside?.duplicate().flatMap { DatagramSocket(adopting: $0) } }

    /// The thread comes first, so that whoever hears of a change knows whose it is.
    func key(_ change: Mixer.Change) -> String {
        change.participant.map { "seat/\(index)/\(change.room)/\($0)" } ?? "room/\(index)/\(change.room)"
    }

    static func thread(of key: String) -> Int? {
        let parts = key.split(separator: "/", maxSplits: 2)
        guard parts.count == 3, parts[0] == "seat" || parts[0] == "room" else { return nil }
        return Int(parts[1])
    }
}
