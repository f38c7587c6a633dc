import NG
import SDP
import Testing

/// Every flag that the documentation of Kamailio's rtpengine module (5.6) names, and those it passes on for RTPEngine's, as the module
/// puts them on the wire: what each of them is here. docs/ng.md says it in words.
@Suite("ng: the flags of Kamailio's module")
struct KamailioFlagsTests {
    private static func flag(_ text: String) -> [String: Value] { ["flags": .texts([text])] }

    /// What is done as asked, and where it shows.
    private static let honoured: [(name: String, wire: [String: Value], shows: @Sendable (Options) -> Bool)] = [
        ("asymmetric", flag("asymmetric"), { $0.isAsymmetric }),
        ("address-family=IP6", ["address-family": .text("IP6")], { $0.isFamilyIPv4 == false }),
        ("SIP-source-address", flag("SIP-source-address"), { $0.usesSourceAddress }),
        ("replace-origin", ["replace": .texts(["origin"])], { $0.replacesOrigin }),
        ("ICE=force", ["ICE": .text("force")], { $0.ice == .force }),
        ("ICE=remove", ["ICE": .text("remove")], { $0.ice == .remove }),
        ("ICE=force-relay", ["ICE": .text("force-relay")], { $0.ice == .forceRelay }),
        ("RTP/AVP", ["transport-protocol": .text("RTP/AVP")], { $0.transport == .audioVideo }),
        ("UDP/TLS/RTP/SAVPF", ["transport-protocol": .text("UDP/TLS/RTP/SAVPF")], { $0.transport == .handshakeFeedback }),
        ("SRTP AVPF", ["transport-protocol": .text("RTP/SAVPF")], { $0.transport == .secureFeedback }),
        ("rtcp-mux-demux", ["rtcp-mux": .texts(["demux"])], { $0.multiplexing == [.demux] }),
        ("rtcp-mux-reject", ["rtcp-mux": .texts(["reject"])], { $0.multiplexing == [.reject] }),
        ("rtcp-mux-offer", ["rtcp-mux": .texts(["offer"])], { $0.multiplexing == [.offer] }),
        ("rtcp-mux-accept", ["rtcp-mux": .texts(["accept"])], { $0.multiplexing == [.accept] }),
        ("rtcp-mux-require", ["rtcp-mux": .texts(["require"])], { $0.multiplexing == [.require] }),
        ("media-address=192.0.2.1", ["media-address": .text("192.0.2.1")], { $0.mediaAddress != nil }),
        ("TOS=136", ["TOS": .integer(Int64(136))], { $0.typeOfService == .octet(136) }),
        ("TOS=-1", ["TOS": .integer(Int64(-1))], { $0.typeOfService == .kept }),
        ("TOS=256", ["TOS": .integer(Int64(256))], { $0.typeOfService == .usual }),
        ("delete-delay=3", ["delete delay": .integer(Int64(3)), "delete-delay": .text("3")], { $0.deleteDelay == 3 }),
        ("strict-source", flag("strict-source"), { $0.isStrict }),
        ("DTLS=off", ["DTLS": .text("off")], { $0.dtls == .off }),
        ("DTLS=passive", ["DTLS": .text("passive")], { $0.dtls == .passive }),
        ("DTLS-reverse=passive", ["DTLS-reverse": .text("passive")], { $0.dtlsReverse == .passive }),
        ("SDES-off", ["SDES": .texts(["off"])], { $0.sdes.isOff }),
        ("SDES-no-SUITE", ["SDES": .texts(["no-AES_CM_128_HMAC_SHA1_32"])], { !$0.sdes.allows("AES_CM_128_HMAC_SHA1_32") }),
        ("OSRTP-offer", flag("OSRTP-offer"), { $0.offersOpportunistic }),
        ("record-call", flag("record-call"), { $0.recording.isWanted == true }),
        ("record-call=on", ["record-call": .text("on")], { $0.recording.isWanted == true }),
        ("record-call=off", ["record-call": .text("off")], { $0.recording.isWanted == false }),
        ("codec-transcode=PCMA", ["codec": .dictionary(["transcode": .texts(["PCMA"])])], { $0.codecs.transcode == ["PCMA"] }),
        ("codec-strip=GSM", ["codec": .dictionary(["strip": .texts(["GSM"])])], { $0.codecs.strip == ["GSM"] }),
        ("codec-offer=PCMU", ["codec": .dictionary(["offer": .texts(["PCMU"])])], { $0.codecs.offer == ["PCMU"] }),
        ("codec-except=PCMU", ["codec": .dictionary(["except": .texts(["PCMU"])])], { $0.codecs.except == ["PCMU"] }),
        ("codec-mask=G722", ["codec": .dictionary(["mask": .texts(["G722"])])], { $0.codecs.mask == ["G722"] }),
        ("codec-accept=G722", ["codec-accept": .text("G722")], { $0.codecs.accept == ["G722"] }),
        ("codec-consume=G729", ["codec-consume": .text("G729")], { $0.codecs.mask == ["G729"] }),
        ("always-transcode", flag("always-transcode"), { $0.codecs.accept == ["all"] }),
        ("ptime=20", ["ptime": .text("20")], { $0.packetTime == 20 }),
        ("ptime-reverse=30", ["ptime-reverse": .text("30")], { $0.packetTimeReverse == 30 }),
        ("label=caller", ["label": .text("caller")], { $0.label == "caller" }),
        ("all", flag("all"), { $0.isForAll }),
        ("generate-mid", flag("generate-mid"), { $0.generatesMid }),
        ("no-rtcp-attribute", flag("no-rtcp-attribute"), { $0.controlAttribute == .none }),
        ("full-rtcp-attribute", flag("full-rtcp-attribute"), { $0.controlAttribute == .full }),
        ("loop-protect", flag("loop-protect"), { $0.protectsLoops }),
        ("single-codec", flag("single-codec"), { $0.namesOneCodec }),
        ("reset", flag("reset"), { $0.startsAnew }),
        ("ICE-lite=forward", ["ICE-lite": .text("forward")], { $0.isLiteForward == true && $0.isLiteBackward == nil }),
        ("ICE-lite=off", ["ICE-lite": .text("off")], { $0.isLiteForward == false && $0.isLiteBackward == false }),
        ("drop-traffic=start", ["drop-traffic": .text("start")], { $0.dropsTraffic == true }),
        ("fragment", flag("fragment"), { $0.isFragment }), ("trickle-ice", flag("trickle ICE"), { $0.trickles }),
        ("load limit", ["supports": .texts(["load limit"])], { $0.understandsLoadLimit }),
    ]

    @Test("What is honoured is understood")
    func honours() {
        for (name, wire, shows) in Self.honoured {
            let options = Options(wire)
            #expect(options.unknown == 0 && shows(options), "\(name)")
        }
    }

    /// What is so here anyway, or is about something that is not here.
    private static let harmless: [(name: String, wire: [String: Value])] = [
        ("trust-address", flag("trust-address")), ("symmetric", flag("symmetric")), ("port-latching", flag("port-latching")),
        ("original-sendrecv", flag("original-sendrecv")), ("replace-session-connection", ["replace": .texts(["session-connection"])]),
        ("unidirectional", flag("unidirectional")), ("no-redis-update", flag("no-redis-update")), ("force", flag("force")),
        ("inject-DTMF", flag("inject-DTMF")), ("pad-crypto", flag("pad-crypto")), ("repacketize=20", ["repacketize": .integer(Int64(20))]),
        ("codec-set", ["codec": .dictionary(["set": .texts(["opus/48000/2"])])]), ("OSRTP-accept", flag("OSRTP-accept")),
        ("SDES-encrypted_srtp", ["SDES": .texts(["encrypted_srtp"])]), ("SDES-unencrypted_srtcp", ["SDES": .texts(["unencrypted_srtcp"])]),
        ("metadata=a:b", ["metadata": .text("a:b")]), ("via-branch=1", ["via-branch": .text("z9hG4bK1")]),
        ("received-from", ["received-from": .texts(["IP4", "192.0.2.7"])]),
    ]

    @Test("What is harmless changes no description and is no mistake")
    func harms() {
        for (name, wire) in Self.harmless {
            var options = Options(wire)
            options.receivedFrom = nil
            #expect(options == Options(), "\(name)")
        }
        #expect(Options(["direction": .texts(["priv"])]).unknown == 0)
    }

    @Test("What is not done is counted and changes nothing: T.38 gateways, hijacking of streams, callbacks")
    func refuses() {
        let refused: [[String: Value]] = [
            ["T.38": .texts(["decode"])], ["T.38": .texts(["force"])], ["T.38": .texts(["stop"])], Self.flag("media-handover"),
            ["xmlrpc-callback": .text("127.0.0.1")], Self.flag("generate-RTCP"), Self.flag("symmetric-codecs"),
            ["drop-traffic": .text("perhaps")], ["ICE-lite": .text("half")], ["recording-form": .text("mp3")], ["codec-x": .text("PCMU")],
        ]
        for wire in refused {
            var options = Options(wire)
            #expect(options.unknown == 1, "\(wire)")
            options.unknown = 0
            #expect(options == Options(), "\(wire)")
        }
    }
}
