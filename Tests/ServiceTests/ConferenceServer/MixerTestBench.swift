import Addresses
import Audio
import Contracts
import RTP

@testable import ConferenceServer

/// A mixer with phones around it, in virtual time: every tick each phone sends its tone and hears what came for it.
struct Bench {
    struct Box: Outgoing {
        var packets: [(bytes: [UInt8], address: SocketAddress)] = []
        var events: [MixerEvent] = []
        /// What is told of plays themselves.
        var news: [MixerEvent] = []

        mutating func send(_ packet: Span<UInt8>, to address: SocketAddress) {
            packets.append((packet.indices.map { packet[$0] }, address))
        }

        mutating func report(_ event: MixerEvent) {
            if case .play = event { news.append(event) } else { events.append(event) }
        }
    }

    /// The far end of one seat: the relay with its phone.
    struct Phone {
        let name: String
        let address: SocketAddress
        let ssrc: UInt32
        var tone: Tone?
        var sequence: UInt16 = 7
        var timestamp: UInt32 = 1000
        var meter = ToneMeter(window: 1600)
        var heard: [Header] = []
        var events: [TelephoneEvent] = []
        var lastCodes: [UInt8] = []
    }

    var mixer = Mixer(seed: 1)
    var box = Box()
    var phones: [Phone] = []
    private var operations = 0

    mutating func sit(
        _ name: String, tone: Double? = nil, room: String = "room_1", echo: Bool = false, muted: Bool = false,
        deaf: Bool = false,
        limit: Int? = nil
    ) throws {
        let number = UInt16(phones.count + 1)
        let address = SocketAddress(.loopbackIPv4, port: 20000 + number)
        let settings = ParticipantSettings(
            participantID: name, callID: "call_\(name)", owner: "CallServer-1", epoch: 1,
            inside: InsideEndpoint(address: address.description, ssrc: UInt32(number) * 1000), echo: echo, muted: muted,
            deaf: deaf)
        let ssrc = try mixer.join(
            RoomIdentity(id: room, customerID: "cust_1", limit: limit), settings, relay: address,
            at: Contracts.Timestamp(milliseconds: 0))
        phones.append(
            Phone(name: name, address: address, ssrc: ssrc, tone: tone.map { Tone(frequency: $0, level: .dBm0(-16)) }))
    }

    func address(_ number: Int) -> SocketAddress { SocketAddress(.loopbackIPv4, port: 20001 + UInt16(number)) }

    /// Of the phone with that number, from 0 on.
    func settings(of name: String, number: Int) -> ParticipantSettings {
        ParticipantSettings(
            participantID: name, callID: "call_\(name)", owner: "CallServer-1", epoch: 1,
            inside: InsideEndpoint(address: address(number).description, ssrc: UInt32(number + 1) * 1000))
    }

    mutating func add(_ name: String, number: Int, ssrc: UInt32, tone: Double?) {
        phones.append(
            Phone(
                name: name, address: address(number), ssrc: ssrc,
                tone: tone.map { Tone(frequency: $0, level: .dBm0(-16)) }))
    }

    func index(_ name: String) -> Int { phones.firstIndex { $0.name == name } ?? -1 }

    static func packet(
        _ phone: Phone, payload: [UInt8], type: PayloadType = .pcmu, timestamp: UInt32? = nil, marker: Bool = false
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        Header(
            payloadType: type, sequence: SequenceNumber(phone.sequence),
            timestamp: RTP.Timestamp(timestamp ?? phone.timestamp),
            ssrc: SSRC(phone.ssrc), marker: marker
        ).append(to: &bytes)
        return bytes + payload
    }

    mutating func receive(_ bytes: [UInt8]) { mixer.receive(bytes.span, into: &box) }

    /// `drop` says which phones' packets are lost in a tick.
    mutating func run(ticks: Int, drop: (Int, Int) -> Bool = { _, _ in false }) {
        for tick in 0..<ticks {
            for index in phones.indices {
                if let samples = phones[index].tone?.next(Samples.frame), !drop(tick, index) {
                    receive(Self.packet(phones[index], payload: G711.encode(samples, .ulaw)))
                }
                phones[index].sequence &+= 1
                phones[index].timestamp &+= 160
            }
            step()
        }
    }

    /// One tick without anybody sending.
    mutating func step() {
        mixer.tick(into: &box)
        deliver()
    }

    mutating func deliver() {
        for (bytes, address) in box.packets {
            guard let index = phones.firstIndex(where: { $0.address == address }),
                let header = try? Header(parsing: bytes.span)
            else { continue }
            phones[index].heard.append(header)
            let payload = Array(bytes[header.payloadRange])
            if header.payloadType == .pcmu {
                phones[index].lastCodes = payload
                phones[index].meter.append(G711.decode(payload, .ulaw))
            } else if let event = try? TelephoneEvent(parsing: payload.span) {
                phones[index].events.append(event)
            }
        }
        box.packets.removeAll()
    }

    func hears(_ name: String, _ frequencies: [Double]) -> [Double] {
        phones[index(name)].meter.tones(among: frequencies)
    }

    mutating func leave(_ name: String, room: String = "room_1") throws -> Bool {
        try mixer.leave(room: room, participant: name) != nil
    }

    /// Begins a play with all its pieces.
    mutating func begin(_ request: PlayInRoom, _ pieces: [Play.Piece]) throws {
        try mixer.play(request, into: &box)
        for piece in pieces { extend(request.playID, with: piece) }
        mixer.complete(play: request.playID, room: "room_1")
    }

    /// An operation of its own.
    @discardableResult
    mutating func control(_ id: String, _ change: ControlPlay.Change, operation: String? = nil) throws -> PlayState {
        operations += 1
        return try mixer.control(
            ControlPlay(roomID: "room_1", playID: id, operationID: operation ?? "op-\(operations)", change: change))
    }

    /// The level of a frequency in the last 200 ms that a phone heard, in dBFS.
    func level(_ frequency: Double, _ name: String) -> Double { phones[index(name)].meter.hears(frequency) }

    @discardableResult
    mutating func extend(_ id: String, with piece: Play.Piece) -> Bool {
        (try? mixer.extend(play: id, room: "room_1", with: piece)) ?? false
    }

    @discardableResult
    mutating func stop(_ id: String) -> Bool { mixer.end(play: id, room: "room_1", .stopped, into: &box) }

    mutating func press(_ digit: Character, _ name: String, packets: Int = 3) {
        let index = index(name)
        guard let code = TelephoneEvent.code(of: digit) else { return }
        let start = phones[index].timestamp
        for number in 0..<packets {
            var payload: [UInt8] = []
            TelephoneEvent(code: code, isEnd: number >= packets - 1, duration: UInt16(160 * (number + 1))).append(
                to: &payload)
            receive(
                Self.packet(phones[index], payload: payload, type: .telephoneEvent, timestamp: start, marker: number == 0))
            phones[index].sequence &+= 1
        }
        phones[index].timestamp &+= UInt32(160 * packets)
    }

    var digits: [Character] {
        box.events.compactMap { if case .digit(_, _, let digit, _) = $0 { digit } else { nil } }
    }

    var ends: [(String, Play.End)] {
        box.events.compactMap { if case .played(_, _, let id, let end, _) = $0 { (id, end) } else { nil } }
    }
}
