import Addresses
import Foundation
import Suite

/// Kamailio as the next hop of an edge alone: a registrar that keeps Path (RFC 3327) and a proxy that stays in the dialog.
struct Kamailio {
    let address: SocketAddress
    private let program: Program

    init() async throws {
        let port = LocalPort.ten()
        let address = SocketAddress(.loopbackIPv4, port: UInt16(port))
        self.address = address
        // -DD: in the foreground, with worker processes; shared memory and each one's own stay small.
        program = try Program("kamailio", ["-DD", "-E", "-f", "kamailio.cfg", "-m", "32", "-M", "4"]) { folder in
            try Self.configuration(address).write(to: folder.appending(path: "kamailio.cfg"), atomically: true, encoding: .utf8)
        }
        try await program.until(.seconds(10), "open port \(port)") { LocalPort.isOpen(port) }
    }

    private static func configuration(_ address: SocketAddress) -> String {
        """
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
        modparam("usrloc", "db_mode", 0)
        modparam("registrar", "use_path", 1)
        modparam("registrar", "path_mode", 0)
        request_route {
            if (!mf_process_maxfwd_header("10")) {
                sl_send_reply("483", "Too Many Hops");
                exit;
            }
            if (is_method("CANCEL")) {
                if (t_check_trans()) t_relay();
                exit;
            }
            if (has_totag()) {
                if (loose_route()) {
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
            t_relay();
        }
        """
    }
}
