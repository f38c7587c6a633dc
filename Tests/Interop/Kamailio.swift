import Addresses
import Foundation
import Suite

/// Kamailio as the next hop of an edge alone: a registrar that keeps Path (RFC 3327) and a proxy that stays in the dialog.
struct Kamailio {
    let address: SocketAddress
    private let program: Program

    /// With `relay` the sound of calls goes through a media relay that is controlled there. What the called phone is offered, its number
    /// says: 2 in front of its last digit asks for keys in the description, 3 for G.722 alone, 4 for all flags that change no sound. The
    /// text of an INFO names a function of the module.
    init(relay: SocketAddress? = nil) async throws {
        let port = LocalPort.ten()
        let address = SocketAddress(.loopbackIPv4, port: UInt16(port))
        self.address = address
        // -DD: in the foreground, with worker processes; shared memory and each one's own stay small.
        program = try Program("kamailio", ["-DD", "-E", "-f", "kamailio.cfg", "-m", "32", "-M", "4"]) { folder in
            try Self.configuration(address, relay: relay).write(to: folder.appending(path: "kamailio.cfg"), atomically: true, encoding: .utf8)
        }
        try await program.until(.seconds(10), "open port \(port)") { LocalPort.isOpen(port) }
    }

    private static func configuration(_ address: SocketAddress, relay: SocketAddress?) -> String {
        let media = relay.map(mediaRoutes) ?? (modules: "", inDialog: "", offer: "", end: "", routes: "")
        return """
        debug=0
        log_stderror=yes
        children=2
        listen=udp:\(address)
        disable_tcp=yes
        auto_aliases=no
        alias="farm.example"
        loadmodule "pv.so"
        loadmodule "sl.so"
        loadmodule "tm.so"
        loadmodule "rr.so"
        loadmodule "maxfwd.so"
        loadmodule "textops.so"
        loadmodule "siputils.so"
        loadmodule "usrloc.so"
        loadmodule "registrar.so"
        \(media.modules)
        modparam("usrloc", "db_mode", 0)
        modparam("registrar", "use_path", 1)
        modparam("registrar", "path_mode", 0)
        \(media.routes)
        request_route {
            if (!mf_process_maxfwd_header("10")) {
                sl_send_reply("483", "Too Many Hops");
                exit;
            }
            if (is_method("CANCEL")) {
                \(media.end)
                if (t_check_trans()) t_relay();
                exit;
            }
            if (has_totag()) {
                if (loose_route()) {
                    \(media.inDialog)
                    t_relay();
                    exit;
                }
                if (is_method("ACK")) {
                    if (t_check_trans()) t_relay();
                    exit;
                }
                sl_send_reply("481", "No Such Dialog Here");
                exit;
            }
            t_check_trans();
            if (is_method("OPTIONS")) {
                sl_send_reply("200", "OK");
                exit;
            }
            if (is_method("REGISTER")) {
                if (!save("location")) sl_reply_error();
                exit;
            }
            record_route();
            if (!lookup("location")) {
                t_newtran();
                t_reply("404", "Not Found");
                exit;
            }
            \(media.offer)
            t_relay();
        }
        """
    }

    /// The rtpengine module as its documentation uses it: offers on INVITE, answers on replies with a description, deletes at the end.
    private static func mediaRoutes(
        _ relay: SocketAddress
    ) -> (modules: String, inDialog: String, offer: String, end: String, routes: String) {
        let modules = """
            loadmodule "rtpengine.so"
            modparam("rtpengine", "rtpengine_sock", "udp:\(relay)")
            """
        let routes = """
            route[MEDIA] {
                if (!has_body("application/sdp")) return;
                if ($tU =~ "2.$") {
                    rtpengine_offer("replace-origin replace-session-connection trust-address ICE=remove RTP/SAVP DTLS=off");
                } else if ($tU =~ "4.$") {
                    rtpengine_manage("\(flags)");
                } else if ($tU =~ "3.$") {
                    rtpengine_offer("replace-origin replace-session-connection ICE=remove codec-mask-all codec-except-telephone-event codec-transcode-G722");
                } else {
                    rtpengine_offer("replace-origin replace-session-connection ICE=remove");
                }
                t_on_reply("MEDIA");
            }
            onreply_route[MEDIA] {
                if ($tU =~ "4.$") {
                    rtpengine_manage("via-branch=auto replace-origin loop-protect record-call");
                    return;
                }
                if (status =~ "(18[0-9])|(2[0-9][0-9])" && has_body("application/sdp")) {
                    rtpengine_answer("replace-origin replace-session-connection ICE=remove");
                }
            }
            """
        let commands = [
            "start": "start_recording()", "stop": "stop_recording()", "play": "play_media(\"file=hello.wav repeat-times=100\")",
            "quiet": "stop_media()", "no keys": "block_dtmf()", "keys": "unblock_dtmf()", "mute": "block_media(\"directional\")",
            "unmute": "unblock_media(\"directional\")", "hush": "silence_media(\"directional\")", "unhush": "unsilence_media(\"directional\")",
            "press": "play_dtmf(\"code=7 duration=200\")", "forward": "start_forwarding(\"all\")", "query": "rtpengine_query()",
        ]
        let command = """
            route[COMMAND] {
                $var(done) = 0;
                \(commands.sorted { $0.key < $1.key }.map { "if ($rb == \"\($0)\" && \($1)) $var(done) = 1;" }.joined(separator: "\n"))
                if ($var(done) == 1) sl_send_reply("200", "OK"); else sl_send_reply("500", "Refused");
                exit;
            }
            """
        let inDialog = """
            if (is_method("BYE")) rtpengine_delete();
            if (is_method("INFO") && has_body("text/plain")) route(COMMAND);
            if (is_method("INVITE")) route(MEDIA);
            """
        return (modules, inDialog, "route(MEDIA);", "rtpengine_delete();", routes + "\n" + command)
    }

    /// What of the module's documentation leaves sound as it is.
    private static let flags = [
        "via-branch=auto", "no-redis-update", "direction=priv", "direction=pub", "address-family=IP4", "force", "trust-address",
        "replace-origin", "replace-session-connection", "symmetric", "repacketize=20", "ICE=remove", "RTP/AVP", "rtcp-mux-accept", "TOS=136",
        "strict-source", "DTLS=off", "SDES-off", "SDES-encrypted_srtp", "unidirectional", "record-call=on", "metadata=a:b",
        "codec-set=opus/48000/2", "codec-strip=GSM", "codec-accept=PCMU", "loop-protect", "reset", "port-latching", "full-rtcp-attribute",
        "generate-mid", "original-sendrecv", "label=caller", "OSRTP-accept", "pad-crypto", "inject-DTMF", "ICE-lite=off", "drop-traffic=stop",
    ].joined(separator: " ")
}
