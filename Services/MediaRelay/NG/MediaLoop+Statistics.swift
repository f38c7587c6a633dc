import Addresses
import MediaSession
import NG
import SDP

// What a call has been like, in the shape that controllers of RTPEngine read.
extension MediaLoop {
    func statistics(of call: Call) -> [String: Value] {
        var tags: [String: Value] = [:]
        var total = PassingCounts()
        var sources: [String: Value] = [:]
        for dialogue in call.dialogues {
            for side in 0...1 {
                let medias = dialogue.streams.indices.filter { dialogue.streams[$0].legs.count == 2 }.map { index in
                    media(dialogue.streams[index], index, side)
                }
                tags[dialogue.parties[side].tags.last ?? ""] = .dictionary(party(dialogue, side, medias))
            }
            for leg in dialogue.legs {
                total.add(leg.session.passingCounts)
                if let source = leg.session.latch.locked?.ssrc.value {
                    sources["\(source)"] = .dictionary(quality(leg.session.statistics))
                }
            }
        }
        return [
            "created": .integer(call.created), "last signal": .integer(call.lastSignal), "tags": .dictionary(tags),
            "SSRC": .dictionary(sources),
            "totals": .dictionary([
                "RTP": .dictionary(Self.counts(total.packets, total.octets, total.errors)),
                "RTCP": .dictionary(Self.counts(total.controlPackets, total.controlOctets, total.controlErrors)),
            ]),
        ]
    }

    private func party(_ dialogue: Dialogue, _ side: Int, _ medias: [Value]) -> [String: Value] {
        let (party, other) = (dialogue.parties[side], dialogue.parties[1 - side])
        var entry: [String: Value] = [
            "tag": .text(party.tags.last ?? ""), "created": .integer(party.created), "medias": .list(medias),
        ]
        if let tag = other.tags.last { entry["in dialogue with"] = .text(tag) }
        if let label = party.label { entry["label"] = .text(label) }
        if let branch = dialogue.branch { entry["via-branch"] = .text(branch) }
        return entry
    }

    private func media(_ stream: Stream, _ index: Int, _ number: Int) -> Value {
        let (leg, side) = (stream.legs[number], stream.sides[number])
        var flags = side.agreement == nil ? [] : ["initialized"]
        if side.agreement?.multiplexesRTCP == true { flags.append("rtcp-mux") }
        if side.agreement?.ice != nil { flags.append("ICE") }
        switch side.agreement?.security.kind {
        case .dtls: flags.append("DTLS-SRTP")
        case .sdes: flags.append("SDES")
        case .some(.none), nil: break
        }
        if leg.session.plan?.isTransparent == true { flags.append("passthrough") }
        return .dictionary([
            "index": .integer(index + 1), "type": .text(side.remote?.kind ?? "audio"),
            "protocol": .text(side.local?.transport ?? ""), "flags": .texts(flags),
            "streams": .list([packets(leg, side, isControl: false), packets(leg, side, isControl: true)]),
        ])
    }

    private func packets(_ leg: Leg, _ side: StreamSide, isControl: Bool) -> Value {
        let counts = leg.session.passingCounts
        var entry: [String: Value] = [
            "local port": .integer(Int(leg.port) + (isControl ? 1 : 0)),
            "stats": .dictionary(
                isControl
                    ? Self.counts(counts.controlPackets, counts.controlOctets, counts.controlErrors)
                    : Self.counts(counts.packets, counts.octets, counts.errors)),
        ]
        let advertised = isControl ? side.agreement?.remoteControl : side.agreement?.remote
        if let advertised { entry["advertised endpoint"] = Self.endpoint(advertised) }
        if let current = isControl ? leg.session.controlDestination : leg.session.passingDestination { entry["endpoint"] = Self.endpoint(current) }
        if let suite = leg.session.transport?.suite { entry["crypto suite"] = .text(suite.rawValue) }
        var flags = [isControl ? "RTCP" : "RTP"]
        if advertised != nil { flags.append("filled") }
        if leg.session.latch.locked != nil { flags.append("confirmed") }
        entry["flags"] = .texts(flags)
        return .dictionary(entry)
    }

    private func quality(_ statistics: SessionStatistics) -> [String: Value] {
        // MOS in tenths, times in milliseconds: the protocol has no fractions.
        let heard = statistics.received
        var average: [String: Value] = [
            "jitter": .integer(Int(heard.jitterMilliseconds.rounded())), "packetloss": .integer(Int((100 * heard.lossShare).rounded())),
            "samples": .integer(1),
        ]
        if let score = heard.meanOpinionScore { average["MOS"] = .integer(Int((score * 10).rounded())) }
        // RTPEngine's are microseconds.
        if let roundTrip = statistics.roundTripMilliseconds { average["round-trip time"] = .integer(Int((roundTrip * 1000).rounded())) }
        return [
            "average MOS": .dictionary(average), "packets": .integer(heard.packets), "packets lost": .integer(max(0, heard.lost)),
        ]
    }

    private static func counts(_ packets: Int, _ octets: Int, _ errors: Int) -> [String: Value] {
        ["packets": .integer(packets), "bytes": .integer(octets), "errors": .integer(errors)]
    }

    private static func endpoint(_ address: SocketAddress) -> Value {
        .dictionary([
            "family": .text(address.address.isIPv4 ? "IPv4" : "IPv6"), "address": .text(address.address.description),
            "port": .integer(Int(address.port)),
        ])
    }
}

extension PassingCounts {
    fileprivate mutating func add(_ other: PassingCounts) {
        packets += other.packets
        octets += other.octets
        errors += other.errors
        controlPackets += other.controlPackets
        controlOctets += other.controlOctets
        controlErrors += other.controlErrors
    }
}
