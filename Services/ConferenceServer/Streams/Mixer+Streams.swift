import Addresses
import Audio
import Contracts
import RTP

/// The socket that sits in a seat in place of a phone.
final class SeatedStream: Sendable {
    let line: StreamLine
    /// With the authorization sealed: what a successor of the room is asked for.
    let request: StartStream

    init(line: StreamLine, request: StartStream) { (self.line, self.request) = (line, request) }
}

// Sockets in rooms: each has a seat as a phone has, with a line to its socket's thread where a phone has a relay.
extension Mixer {
    /// Streams that one room has at most.
    static let largestStreams = 16

    /// False when it sits there already.
    mutating func seat(_ request: StartStream, _ line: StreamLine, at time: Contracts.Timestamp) throws(RPCError) -> Bool {
        guard let room = roomIndex[request.roomID], rooms[room].identity.customerID == request.customerID else {
            throw RPCError(.notFound, "no such room")
        }
        guard slot(of: request.stream.id, in: request.roomID) == nil else { return false }
        if let participant = request.participantID { _ = try seated(participant, in: request.roomID) }
        guard rooms[room].seats.count(where: { seats[$0].stream != nil }) < Self.largestStreams else {
            throw RPCError(.exhausted, "a room has \(Self.largestStreams) streams at most")
        }
        let settings = ParticipantSettings(
            participantID: request.stream.id, callID: request.callID ?? "", owner: "", epoch: 0, inside: InsideEndpoint(address: "", ssrc: 0))
        let slot = try takeSlot(settings, relay: SocketAddress(.loopbackIPv4, port: 9), room: room, at: time)
        seats[slot].stream = SeatedStream(line: line, request: request)
        arrange(room)
        touch(room: room)
        return true
    }

    /// Takes a stream out; nil when it is not there, or not that customer's.
    mutating func unseat(stream id: String, room name: String, customer: String, _ end: StreamLine.End) -> Departure? {
        guard let slot = slot(of: id, in: name), let stream = seats[slot].stream, stream.request.customerID == customer else { return nil }
        stream.line.close(end)
        return vacate(slot)
    }

    /// The streams of a participant go with it.
    mutating func clearStreams(of participant: String, room: Int) {
        let names = rooms[room].seats.filter { seats[$0].stream?.request.participantID == participant }
        for slot in names where !seats[slot].isVacant {
            seats[slot].stream?.line.close(.participantLeft)
            _ = vacate(slot)
        }
    }

    /// Tells the sockets of a call, or of its room, which key was pressed.
    func tellStreams(_ digit: Character, from slot: Int) {
        let room = rooms[seats[slot].room]
        guard room.outsiders > 0 else { return }
        for other in room.seats {
            guard let stream = seats[other].stream else { continue }
            let participant = stream.request.participantID
            if participant == nil || participant == seats[slot].settings.participantID { stream.line.send(digit) }
        }
    }

    // MARK: The tick

    /// What a socket hears that listens at this ear, less what it says itself; `ear` holds what the ear hears.
    mutating func speakToShadows(of slot: Int, room: Int) {
        for shadow in rooms[room].shadows where seats[shadow].hearing.tapped == slot {
            shadowed.copy(ear)
            let hears = !seats[slot].settings.deaf && seats[slot].isInside
            if hears, seats[shadow].isSpeaking, seats[shadow].reach.includes(slot) {
                Sound.subtract(linear, at: shadow * Samples.frame, from: &shadowed)
            }
            if case .both = seats[shadow].hearing, seats[slot].isSpeaking {
                Sound.add(linear, at: slot * Samples.frame, to: &shadowed)
            }
            Sound.encode(shadowed, minus: linear, at: nil, plus: nil, into: &packet)
            sendToStream(shadow)
        }
    }

    /// The packet's sound, to the socket in that seat.
    mutating func sendToStream(_ slot: Int) {
        if !seats[slot].earGain.isUnity { Sound.amplify(&packet, at: Header.length, by: &seats[slot].earGain, over: &gainSound) }
        seats[slot].stream?.line.send(packet.span.extracting(Header.length..<packet.count))
    }
}
