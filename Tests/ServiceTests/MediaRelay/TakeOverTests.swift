import Addresses
import Contracts
import DTLS
import Datagrams
import Deadlines
import FastPath
import MediaSession
import Processes
import RTP
import SDP
import SRTP
import Synchronization
import Testing

@testable import MediaRelay
@testable import Succession

/// The keeper's end of two links: it keeps what the first worker deposits and gives it to the second.
private final class Held: Sendable {
    let vault = Mutex(Vault<Descriptor>())

    func read(_ socket: MessageSocket) {
        var buffer = [UInt8](repeating: 0, count: MessageSocket.largest)
        while case .message(let message) = socket.receive(&buffer) {
            guard let parsed = KeeperMessage(parsing: message.bytes) else { continue }
            vault.withLock { vault in
                switch parsed.kind {
                case .fixture, .work: vault.put(parsed.kind, parsed.key, parsed.bytes, message.descriptors)
                case .remove: vault.remove(parsed.key)
                default: break
                }
            }
        }
    }

    func tell(_ socket: MessageSocket) {
        vault.withLock { vault in
            vault.changeAll()
            vault.drain { change in
                guard case .put(let key, let entry, _) = change, let bytes = KeeperMessage(entry.kind, key, entry.bytes).encoded else { return true }
                guard case .sent = socket.send(bytes, entry.attachments.map(\.number)) else {
                    Issue.record("the deposit \(key) was not taken")
                    return true
                }
                return true
            }
        }
    }
}

/// A worker without a process of its own.
private final class Worker: Sendable {
    let relay: Relay
    let link: KeeperLink
    let keeper: MessageSocket
    let occupancy = Occupancy(limit: 10) { _ in }

    init(_ held: Held, ports: ClosedRange<UInt16>, fastPath: FastPath? = nil) async throws {
        let (keeper, own) = try #require(MessageSocket.pair())
        self.keeper = keeper
        link = KeeperLink(own, name: "relay", meeting: "", instance: "test")
        link.start()
        held.tell(keeper)
        _ = keeper.send(KeeperMessage(.caughtUp).encoded ?? [])
        let settings = RelaySettings(inside: .loopbackIPv4, media: .loopbackIPv4, ports: ports, threads: 1, sessionLimit: 10, timeout: .seconds(60))
        let legacy = await Inheritance.find(link)
        let certificate = legacy.certificate ?? .make(now: 1_700_000_000)
        let events = SessionEvents(began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in })
        relay = try Relay(
            settings: settings, security: Security(Endpoint(certificate)), occupancy: occupancy, events: events,
            custody: try legacy.custody(link, settings), fastPath: fastPath)
        relay.standBy(link, certificate)
    }

    var loop: MediaLoop { relay.loops[0] }

    func go() async {
        _ = keeper.send(KeeperMessage(.go).encoded ?? [])
        await link.turn.wait()
    }

    /// As a kill does: no socket is closed in order, nobody is told.
    func die() {
        relay.stop()
        link.loop.stop()
    }
}

/// A UDP port of the test: a phone's or a room's.
private final class Wire {
    let socket: DatagramSocket
    private var batch = ReceiveBatch(capacity: 1)

    init() throws { socket = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: 0)) }

    var address: SocketAddress { socket.localAddress }

    func receive() async throws -> [UInt8] {
        for _ in 0..<2_000 {
            if socket.receive(into: &batch) > 0 {
                var copy: [UInt8] = []
                for index in batch[0].bytes.indices { copy.append(batch[0].bytes[index]) }
                return copy
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw PatienceEnded()
    }

    struct PatienceEnded: Error {}
}

private func rtp(_ sequence: UInt16, ssrc: UInt32) -> [UInt8] {
    let time = UInt32(sequence) * 160
    return [
        0x80, 0, UInt8(sequence >> 8), UInt8(truncatingIfNeeded: sequence), UInt8(time >> 24), UInt8(time >> 16 & 255), UInt8(time >> 8 & 255),
        UInt8(time & 255), UInt8(ssrc >> 24), UInt8(ssrc >> 16 & 255), UInt8(ssrc >> 8 & 255), UInt8(ssrc & 255),
    ] + [UInt8](repeating: 0x55, count: 160)
}

private enum Kernel {
    static let allowsFastPaths = (try? FastPath(ports: 44_540...44_559, streams: 1)) != nil
}

extension MediaLoop {
    fileprivate var streamsInKernel: Int { (0..<legs.end).count { legs[place: $0]?.fast.passage != nil } }
}

private let lines = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

private func offer(_ phone: SocketAddress, _ transport: String, _ attributes: [String] = [], formats: String = "0") -> String {
    (["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(phone.port) \(transport) \(formats)"] + attributes)
        .map { $0 + "\r\n" }.joined()
}

@Suite("MediaRelay: a successor goes on with every session (RELIABILITY §4.5)", .timeLimit(.minutes(2)))
struct TakeOverTests {
    @Test("Same ports, same stream, next number: packets that waited while nobody was there are carried, in the clear and under SDES", arguments: [false, true])
    func goesOn(isSecured: Bool) async throws {
        let ports: ClosedRange<UInt16> = isSecured ? 44_400...44_419 : 44_420...44_439
        let held = Held()
        let (phone, room) = (try Wire(), try Wire())
        let first = try await Worker(held, ports: ports)
        await first.go()
        let command = CreateMediaSession(
            sessionID: "s", customerID: "c", callID: "c", owner: "CallServer-1", epoch: 3,
            offer: isSecured ? offer(phone.address, "RTP/SAVP", [lines]) : offer(phone.address, "RTP/AVP"))
        let created = try await first.loop.create(command)
        let answer = try SessionDescription.parse(created.description)
        let port = SocketAddress(.loopbackIPv4, port: answer.media[0].port)
        let inside = try #require(SocketAddress(created.inside.address))
        _ = try await first.loop.link(LinkMediaSession(sessionID: "s", epoch: 3, inside: InsideEndpoint(address: room.address.description, ssrc: 77)))

        var keys: SRTP.Context?
        if isSecured {
            let line = try #require(answer.media[0].attributes.first { $0.name == "crypto" }?.value)
            let mine = try #require(try CryptoAttribute(parsing: String(lines.dropFirst("a=crypto:".count))).key)
            keys = SRTP.Context(sending: mine, receiving: try #require(try CryptoAttribute(parsing: line).key))
        }
        func say(_ sequence: UInt16) throws {
            let plain = rtp(sequence, ssrc: 5)
            var bytes = plain + [UInt8](repeating: 0, count: 32)
            var span = bytes.mutableSpan
            let length = try keys?.protect(&span, count: plain.count) ?? plain.count
            #expect(phone.socket.send(Array(bytes.prefix(length)), to: port) == .sent)
        }
        func hear() async throws -> Header {
            var bytes = try await phone.receive()
            let count = bytes.count
            var span = bytes.mutableSpan
            _ = try keys?.unprotect(&span, count: count)
            return try Header(parsing: bytes.span)
        }
        func atRoom() async throws -> Header {
            let bytes = try await room.receive()
            return try Header(parsing: bytes.span)
        }
        func fromRoom(_ sequence: UInt16) { #expect(room.socket.send(rtp(sequence, ssrc: created.inside.ssrc), to: inside) == .sent) }

        var (heard, taken): ([Header], [Header]) = ([], [])
        for number in UInt16(0)..<8 {
            try say(65_530 &+ number)
            taken.append(try await atRoom())
            fromRoom(1_000 + number)
            heard.append(try await hear())
        }
        first.die()
        held.read(first.keeper)
        // Nobody is there: the kernel keeps them.
        for number in UInt16(8)..<12 {
            try say(65_530 &+ number)
            fromRoom(1_000 + number)
        }
        let second = try await Worker(held, ports: ports)
        await second.go()
        for _ in 8..<12 {
            taken.append(try await atRoom())
            heard.append(try await hear())
        }
        for (before, after) in zip(taken, taken.dropFirst()) { #expect(after.sequence == before.sequence.next && after.ssrc == before.ssrc) }
        for (before, after) in zip(heard, heard.dropFirst()) {
            #expect(after.sequence == before.sequence.next && after.ssrc == before.ssrc && !after.marker)
            #expect(after.timestamp.distance(from: before.timestamp) == 160)
        }
        // Commands go on, too: the creation is answered as before, a former owner is refused.
        #expect(try await second.loop.create(command) == created)
        #expect(second.occupancy.count == 1)
        await #expect(throws: RPCError.self) { try await second.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 2)) }
        let statistics = try await second.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 3))
        #expect(statistics.packetsIn == 12 && statistics.packetsOut == 12)
        second.die()
        held.read(second.keeper)

        // And what has ended stays ended.
        let third = try await Worker(held, ports: ports)
        await third.go()
        #expect(try await third.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 3)) == statistics)
        await #expect(throws: RPCError.self) { try await third.loop.create(command) }
        third.die()
    }

    @Test("A standby that knew the session before its first packet goes on where its streams stand by then, and hears no stranger")
    func knownBefore() async throws {
        let held = Held()
        let (phone, room, stranger) = (try Wire(), try Wire(), try Wire())
        let first = try await Worker(held, ports: 44_460...44_479)
        await first.go()
        let created = try await first.loop.create(
            CreateMediaSession(sessionID: "s", customerID: "c", callID: "c", owner: "CallServer-1", epoch: 1, offer: offer(phone.address, "RTP/AVP")))
        _ = try await first.loop.link(LinkMediaSession(sessionID: "s", epoch: 1, inside: InsideEndpoint(address: room.address.description, ssrc: 77)))
        held.read(first.keeper)
        let second = try await Worker(held, ports: 44_460...44_479)
        let port = SocketAddress(.loopbackIPv4, port: try SessionDescription.parse(created.description).media[0].port)
        let inside = try #require(SocketAddress(created.inside.address))
        func exchange(_ number: UInt16) async throws -> (taken: Header, heard: Header) {
            #expect(phone.socket.send(rtp(number, ssrc: 5), to: port) == .sent)
            #expect(room.socket.send(rtp(500 + number, ssrc: created.inside.ssrc), to: inside) == .sent)
            let (taken, heard) = (try await room.receive(), try await phone.receive())
            return (try Header(parsing: taken.span), try Header(parsing: heard.span))
        }
        var last = try await exchange(0)
        for number in UInt16(1)..<8 { last = try await exchange(number) }
        first.die()
        await second.go()
        #expect(stranger.socket.send(rtp(8, ssrc: 6), to: port) == .sent)
        let next = try await exchange(8)
        #expect(next.taken.ssrc == last.taken.ssrc && next.taken.sequence == last.taken.sequence.next)
        #expect(next.heard.ssrc == last.heard.ssrc && next.heard.sequence == last.heard.sequence.next)
        let statistics = try await second.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 1))
        #expect(statistics.packetsIn == 9 && statistics.packetsOut == 9)
        second.die()
    }

    @Test(
        "Two phones of one room hear each other by the kernel, also while there is no worker, and its successor goes on in the same numbers",
        .enabled(if: Kernel.allowsFastPaths, "CAP_BPF, CAP_NET_ADMIN and Linux 6.6 are needed"))
    func fastPath() async throws {
        let (held, ports) = (Held(), UInt16(44_540)...44_559)
        let (phone, other) = (try Wire(), try Wire())
        let first = try await Worker(held, ports: ports, fastPath: FastPath(ports: ports, streams: 10))
        await first.go()
        var sides: [SocketAddress] = []
        for (name, wire) in [("a", phone), ("b", other)] {
            let created = try await first.loop.create(
                CreateMediaSession(
                    sessionID: name, customerID: "c", callID: "c", owner: "CallServer-1", epoch: 1, offer: offer(wire.address, "RTP/AVP")))
            sides.append(SocketAddress(.loopbackIPv4, port: try SessionDescription.parse(created.description).media[0].port))
        }
        _ = try await first.loop.link(LinkMediaSession(sessionID: "a", epoch: 1, inside: nil, session: "b"))
        var (there, back): ([Header], [Header]) = ([], [])
        /// One packet from each to the other.
        func exchange(_ numbers: Range<UInt16>) async throws {
            for number in numbers {
                #expect(phone.socket.send(rtp(1_000 + number, ssrc: 5), to: sides[0]) == .sent)
                let said = try await other.receive()
                there.append(try Header(parsing: said.span))
                #expect(other.socket.send(rtp(number, ssrc: 6), to: sides[1]) == .sent)
                let answered = try await phone.receive()
                back.append(try Header(parsing: answered.span))
            }
        }
        try await exchange(0..<30)
        #expect(await first.loop.streamsInKernel == 2)
        first.die()
        held.read(first.keeper)
        // Nobody is there, and nobody is needed.
        try await exchange(30..<60)
        let second = try await Worker(held, ports: ports, fastPath: FastPath(ports: ports, streams: 10))
        try await exchange(60..<70)
        await second.go()
        try await exchange(70..<100)
        #expect(await second.loop.streamsInKernel == 2)
        for heard in [there, back] {
            #expect(heard.count == 100 && Set(heard.map(\.ssrc)).count == 1)
            for (one, next) in zip(heard, heard.dropFirst()) { #expect(next.sequence == one.sequence.next) }
        }
        // The clock of the first does not jump where its worker did.
        #expect(there[65].timestamp.value &- there[20].timestamp.value == 45 * 160)
        let statistics = try await second.loop.delete(DeleteMediaSession(sessionID: "a", epoch: 1))
        #expect(statistics.packetsIn == 100 && statistics.packetsOut == 100 && statistics.received?.lost == 0)
        second.die()
    }

    @Test("What a worker had read and not sent yet when it died, its successor sends: once, and before all that came later")
    func inHand() async throws {
        let held = Held()
        let (phone, room) = (try Wire(), try Wire())
        let first = try await Worker(held, ports: 44_480...44_499)
        await first.go()
        let created = try await first.loop.create(
            CreateMediaSession(sessionID: "s", customerID: "c", callID: "c", owner: "CallServer-1", epoch: 1, offer: offer(phone.address, "RTP/AVP")))
        _ = try await first.loop.link(LinkMediaSession(sessionID: "s", epoch: 1, inside: InsideEndpoint(address: room.address.description, ssrc: 77)))
        let inside = try #require(SocketAddress(created.inside.address))
        #expect(room.socket.send(rtp(1, ssrc: created.inside.ssrc), to: inside) == .sent)
        let bytes = try await phone.receive()
        let before = try Header(parsing: bytes.span)
        let shelf = try #require(await first.loop.custody?.shelf)
        first.die()
        held.read(first.keeper)
        // It was killed behind the second of four from rooms, and before a packet for a room had left.
        for number in UInt16(0)..<4 { shelf.write(rtp(number, ssrc: created.inside.ssrc).span, room.address, .fromRooms, at: Int(number)) }
        shelf.mark(.fromRooms, 2, 4)
        shelf.write(rtp(9, ssrc: 77).span, room.address, .toRooms, at: 0)
        shelf.mark(.toRooms, 0, 1)
        #expect(room.socket.send(rtp(4, ssrc: created.inside.ssrc), to: inside) == .sent)
        let second = try await Worker(held, ports: 44_480...44_499)
        await second.go()
        #expect(try await room.receive() == rtp(9, ssrc: 77))
        for number in UInt16(1)...3 {
            let bytes = try await phone.receive()
            let header = try Header(parsing: bytes.span)
            #expect(header.sequence.distance(from: before.sequence) == Int(number) && header.timestamp.distance(from: before.timestamp) == 160 * Int(number))
        }
        #expect(shelf.takeOver(.fromRooms).isEmpty && shelf.takeOver(.toRooms).isEmpty)
        #expect(try await second.loop.delete(DeleteMediaSession(sessionID: "s", epoch: 1)).packetsOut == 4)
        second.die()
    }

    @Test("A packet longer than the memory's places is not kept; those beside it are")
    func placeTooSmall() throws {
        let shelf = try #require(Shelf(slots: 1))
        let here = SocketAddress(.loopbackIPv4, port: 9)
        for (index, length) in [172, 600, 12].enumerated() { shelf.write([UInt8](repeating: 7, count: length).span, here, .toRooms, at: index) }
        shelf.mark(.toRooms, 0, 3)
        let left = shelf.takeOver(.toRooms)
        #expect(left.map(\.bytes.count) == [172, 12] && left.allSatisfy { $0.address == here })
    }

    @Test("A leg that is transcoded goes on in its numbers, with a new transcoder")
    func transcoded() async throws {
        let held = Held()
        let (phone, room) = (try Wire(), try Wire())
        let first = try await Worker(held, ports: 44_440...44_459)
        await first.go()
        let created = try await first.loop.create(
            CreateMediaSession(
                sessionID: "s", customerID: "c", callID: "c", owner: "CallServer-1", epoch: 1,
                offer: offer(phone.address, "RTP/AVP", formats: "9")))
        _ = try await first.loop.link(LinkMediaSession(sessionID: "s", epoch: 1, inside: InsideEndpoint(address: room.address.description, ssrc: 77)))
        let inside = try #require(SocketAddress(created.inside.address))
        func next(_ sequence: UInt16) async throws -> Header {
            #expect(room.socket.send(rtp(sequence, ssrc: created.inside.ssrc), to: inside) == .sent)
            let bytes = try await phone.receive()
            return try Header(parsing: bytes.span)
        }
        var last: Header?
        for number in UInt16(0)..<5 { last = try await next(number) }
        first.die()
        held.read(first.keeper)
        let second = try await Worker(held, ports: 44_440...44_459)
        await second.go()
        let after = try await next(5)
        let before = try #require(last)
        #expect(after.ssrc == before.ssrc && after.payloadType == before.payloadType && after.sequence == before.sequence.next)
        #expect(after.timestamp.distance(from: before.timestamp) > 0)
        second.die()
    }
}
