import DTLS
import FastPath
import FoundationEssentials
import JSONCoding
import Processes
import Succession
import Threads

/// What a worker finds with its keeper before it begins: the certificate that stands in the descriptions of calls, and for each media
/// thread its inside socket, to which rooms send, and its shelf.
struct Inheritance: Sendable {
    /// One media thread's.
    struct Thread: Sendable {
        /// Nil: it opens one.
        var inside: Descriptor?
        var shelf: Shelf
        /// What lies on the shelf is of another version of this program.
        var isForeign: Bool
    }

    private struct Fixture: Codable {
        var layout: String
        var slots: Int
    }

    private struct Papers: Codable {
        var certificate: String
        var key: String
    }

    static let certificateKey = "certificate"
    static func threadKey(_ index: Int) -> String { "thread/\(index)" }

    var certificate: Certificate?
    var threads: [Thread] = []

    init() {}

    /// All that was deposited by a predecessor; nothing is no mistake.
    init(from link: KeeperLink) async {
        if let papers = await link.deposit(Self.certificateKey).flatMap({ try? JSONText.decode(Papers.self, from: $0.bytes) }) {
            certificate = try? Certificate(certificate: papers.certificate, key: papers.key)
        }
        while let deposit = await link.deposit(Self.threadKey(threads.count)), deposit.descriptors.count == 2,
            let fixture = try? JSONText.decode(Fixture.self, from: deposit.bytes)
        {
            let isForeign = fixture.layout != Shelf.layout
            let shelf = isForeign ? Shelf(slots: fixture.slots) : Shelf(adopting: deposit.descriptors[1], slots: fixture.slots)
            guard let shelf else { return }
            threads.append(Thread(inside: deposit.descriptors[0], shelf: shelf, isForeign: isForeign))
        }
    }

    static func find(_ link: KeeperLink?) async -> Inheritance {
        guard let link else { return Inheritance() }
        await link.caughtUp.wait()
        return await Inheritance(from: link)
    }

    /// For each media thread what it goes on with, or what it begins; none without a keeper.
    func custody(_ link: KeeperLink?, _ settings: RelaySettings) throws(RelaySettings.Mistake) -> [Custody] {
        guard let link else { return [] }
        if !threads.isEmpty { return threads.map { Custody(link: link, thread: $0) } }
        return try (0..<settings.threads).map { _ throws(RelaySettings.Mistake) in
            guard let shelf = Shelf(slots: settings.sessionLimit) else {
                throw RelaySettings.Mistake(description: "no memory for \(settings.sessionLimit) sessions: lower TANDEM_MEDIA_SESSIONS")
            }
            return Custody(link: link, thread: Thread(inside: nil, shelf: shelf, isForeign: false))
        }
    }

    // MARK: The fast path

    static func fastPathKey(_ part: Int) -> String { "fast-path/\(part)" }
    /// The tables come with the first of them.
    private static let descriptorsInPart = 16
    private static let fastPathParts = 5

    /// What it forwards goes on when we die; what a predecessor left is let go.
    static func deposit(_ fastPath: FastPath?, with link: KeeperLink) {
        let descriptors = fastPath?.descriptors ?? []
        for part in 0..<fastPathParts {
            let some = descriptors.dropFirst(part * descriptorsInPart).prefix(descriptorsInPart)
            if some.isEmpty { link.remove(fastPathKey(part)) } else { link.keep(.fixture, fastPathKey(part), Array(FastPath.layout.utf8), Array(some)) }
        }
    }

    /// Nil: it has no tables, or those of another version.
    static func fastPath(_ key: String, _ deposit: KeeperLink.Deposit) -> FastPath.Legacy? {
        guard key == fastPathKey(0),
            deposit.bytes == Array(FastPath.layout.utf8), deposit.descriptors.count >= 2,
            let ways = deposit.descriptors[0].duplicate(), let streams = deposit.descriptors[1].duplicate()
        else { return nil }
        return FastPath.Legacy(owning: ways, streams)
    }

    /// For the next one.
    static func deposit(_ certificate: Certificate, with link: KeeperLink) {
        guard let bytes = try? JSONText.encode(Papers(certificate: certificate.certificate, key: certificate.key)) else { return }
        link.keep(.fixture, certificateKey, Array(bytes))
    }

    static func deposit(_ shelf: Shelf, inside: Int32, of index: Int, with link: KeeperLink) {
        guard let bytes = try? JSONText.encode(Fixture(layout: Shelf.layout, slots: shelf.slots)) else { return }
        link.keep(.fixture, threadKey(index), Array(bytes), [inside, shelf.memory.descriptor])
    }
}

/// What a media thread keeps with the keeper.
struct Custody: Sendable {
    let link: KeeperLink
    let thread: Inheritance.Thread

    var shelf: Shelf { thread.shelf }
}
