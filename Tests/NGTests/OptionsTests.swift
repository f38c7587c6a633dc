import Addresses
import NG
import SDP
import Testing

@Suite("ng: what requests ask for")
struct OptionsTests {
    @Test("What Kamailio's module makes of its flags is understood, as keys and as words of the list")
    func flags() {
        let keys = Options([
            "ICE": .text("force"), "transport-protocol": .text("UDP/TLS/RTP/SAVPF"), "rtcp-mux": .texts(["require", "offer"]),
            "replace": .texts(["origin", "session-connection"]), "DTLS": .text("passive"), "SDES": .texts(["off"]),
            "flags": .texts(["trust-address", "symmetric", "generate-mid", "strict-source", "codec-strip-G722", "codec-transcode-opus/48000/2"]),
            "codec": .dictionary(["mask": .texts(["GSM"]), "except": .texts(["PCMU"])]), "address family": .text("IP6"),
            "received-from": .texts(["IP4", "192.0.2.7"]), "media address": .text("192.0.2.8"), "TOS": .integer(Int64(184)), "ptime": .text("20"),
            "label": .text("x"), "record call": .text("yes"), "delete-delay": .integer(Int64(0)),
        ])
        #expect(keys.unknown == 0 && keys.ice == .force && keys.transport == .handshakeFeedback)
        #expect(keys.multiplexing == [.require, .offer] && keys.replacesOrigin && keys.dtls == .passive && keys.sdes.isOff)
        #expect(keys.generatesMid && keys.isStrict && keys.isFamilyIPv4 == false)
        #expect(keys.codecs.strip == ["G722"] && keys.codecs.transcode == ["opus/48000/2"] && keys.codecs.mask == ["GSM"])
        #expect(keys.receivedFrom == IPAddress("192.0.2.7") && keys.mediaAddress == IPAddress("192.0.2.8"))
        #expect(keys.typeOfService == .octet(184) && keys.packetTime == 20 && keys.recording.isWanted == true && keys.deleteDelay == 0)
        let words = Options([
            "flags": .texts([
                "ICE=remove", "RTP/SAVP", "rtcp-mux-demux", "replace origin", "DTLS=off", "SDES-no-AES_CM_128_HMAC_SHA1_32", "OSRTP-offer",
                "asymmetric", "SIP-source-address",
            ])
        ])
        #expect(words.unknown == 0 && words.ice == .remove && words.transport == .secure && words.multiplexing == [.demux])
        #expect(words.replacesOrigin && words.dtls == .off && !words.sdes.allows("AES_CM_128_HMAC_SHA1_32") && words.offersOpportunistic)
        #expect(words.isAsymmetric && words.usesSourceAddress)
    }

    @Test("What is not known is counted, and changes nothing")
    func unknown() {
        #expect(Options(["flags": .texts(["loop-protect-x", "T.38=decode"]), "xmlrpc": .integer(Int64(3)), "ICE": .text("maybe")]).unknown == 4)
        #expect(Options(["flags": .integer(Int64(3)), "codec": .text("x")]).unknown == 1)
    }

    private func format(_ number: UInt8, _ codec: Codec) -> Format { Format(payloadType: number, codec: codec) }

    @Test("strip, mask, except, offer and transcode: what stays, in which order, and under which new numbers")
    func codecs() {
        let offered = [format(0, .pcmu), format(9, .g722), format(96, .opus), format(101, .telephoneEvent)]
        let known: [Codec] = [.pcmu, .pcma, .g722, .opus]
        func names(_ change: (inout CodecChanges) -> Void) -> [String] {
            var changes = CodecChanges()
            change(&changes)
            return changes.apply(to: offered, known: known).map { "\($0.payloadType) \($0.codec.name)" }
        }
        #expect(names { $0.strip = ["opus"] } == ["0 PCMU", "9 G722", "101 telephone-event"])
        #expect(names { $0.strip = ["all"]; $0.except = ["G722", "telephone-event"] } == ["9 G722", "101 telephone-event"])
        #expect(names { $0.offer = ["opus/48000/2", "9"] } == ["96 opus", "9 G722", "0 PCMU", "101 telephone-event"])
        #expect(names { $0.mask = ["all"]; $0.transcode = ["PCMA"]; $0.except = ["telephone-event"] } == ["8 PCMA", "101 telephone-event"])
        #expect(names { $0.transcode = ["PCMU", "PCMA"] } == ["0 PCMU", "9 G722", "96 opus", "8 PCMA", "101 telephone-event"])
        // With nothing left, all stay.
        #expect(names { $0.strip = ["all"] }.count == 4)
    }
}
