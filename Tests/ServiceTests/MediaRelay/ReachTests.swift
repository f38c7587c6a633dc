import Addresses
import SDP
import Testing

@testable import MediaRelay

@Suite("MediaRelay: sound at the addresses where phones meet it")
struct ReachTests {
    @Test("RFC 6157: the sound of a phone goes both ways over IPv6, of a relay that has IPv4 beside it and of one that has not", arguments: [true, false])
    func overIPv6(isBesideIPv4: Bool) async throws {
        var settings = RelaySettings.patient(27680...27699)
        if isBesideIPv4 {
            settings.place6 = Place(media: .loopbackIPv6, listen: .loopbackIPv6)
        } else {
            (settings.media, settings.listen) = (.loopbackIPv6, .loopbackIPv6)
        }
        let relay = try SoundRelay(settings)
        let (phone, room) = (try ToneSide(.pcmu, frequency: 600, at: .loopbackIPv6), try ToneSide(.pcmu, frequency: 1130))
        let (answer, inside) = try await relay.join(phone, with: room)
        #expect(answer.connection?.ipAddress == .loopbackIPv6)
        try await talk((phone, answer.media[0].port), (room, inside))
        #expect(room.hears(phone), room.report(on: phone))
        #expect(phone.hears(room), phone.report(on: room))
        #expect(phone.ear.source == SocketAddress(.loopbackIPv6, port: answer.media[0].port))
    }

    @Test("RFC 6157: a phone at an IPv6 address and one at an IPv4 address, whose sessions are linked, hear each other")
    func bothFamilies() async throws {
        var settings = RelaySettings.patient(27700...27719)
        settings.place6 = Place(media: .loopbackIPv6, listen: .loopbackIPv6)
        let relay = try SoundRelay(settings)
        let (six, four) = (try ToneSide(.pcmu, frequency: 600, at: .loopbackIPv6), try ToneSide(.pcmu, frequency: 1130))
        let sixAnswer = try await relay.open("six", for: six.ear, [six.codec.format]).answer
        let fourAnswer = try await relay.open("four", for: four.ear, [four.codec.format]).answer
        #expect(sixAnswer.connection?.ipAddress == .loopbackIPv6 && fourAnswer.connection?.ipAddress == .loopbackIPv4)
        try await relay.link("six", with: "four")
        try await talk((six, sixAnswer.media[0].port), (four, fourAnswer.media[0].port))
        #expect(six.hears(four), six.report(on: four))
        #expect(four.hears(six), four.report(on: six))
    }

    @Test("RFC 8866 §5.7: phones are told the advertised address, and what comes to the one that the relay is bound to instead passes both ways")
    func advertised() async throws {
        let advertised = IPAddress(v4: 0x7f00_0002)
        var settings = RelaySettings.patient(27720...27739)
        settings.media = advertised
        let relay = try SoundRelay(settings)
        let (phone, room) = (try ToneSide(.pcmu, frequency: 600), try ToneSide(.pcmu, frequency: 1130))
        let (answer, inside) = try await relay.join(phone, with: room)
        #expect(answer.connection?.ipAddress == advertised)
        try await talk((phone, answer.media[0].port), (room, inside))
        #expect(room.hears(phone), room.report(on: phone))
        #expect(phone.hears(room), phone.report(on: room))
        #expect(phone.ear.source == SocketAddress(.loopbackIPv4, port: answer.media[0].port))
    }
}
