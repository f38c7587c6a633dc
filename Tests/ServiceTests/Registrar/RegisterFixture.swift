import SIP

@testable import Registrar

/// REGISTER requests as they come from the edge.
enum RegisterFixture {
    static func message(
        _ contacts: [String], cseq: UInt32 = 1, callID: String = "a@phone", number: String = "1001", asserted: String? = "1001",
        customer: String? = "cust_1", path: String? = "<sip:token@127.0.0.1:5070;lr>", headers: [String] = []
    ) throws -> Message {
        var lines = [
            "REGISTER sip:demo.localhost SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKone",
            "From: <sip:\(number)@demo.localhost>;tag=t", "To: <sip:\(number)@demo.localhost>", "Call-ID: \(callID)",
            "CSeq: \(cseq) REGISTER", "Max-Forwards: 69",
        ]
        if let customer { lines.append("X-Tandem-Customer: \(customer)") }
        if let asserted { lines.append("P-Asserted-Identity: <sip:\(asserted)@demo.localhost>") }
        if let path { lines.append("Path: \(path)") }
        lines += contacts.map { "Contact: \($0)" } + headers + ["Content-Length: 0", "", ""]
        return try Message.parse(Array(lines.joined(separator: "\r\n").utf8))
    }

    static func request(
        _ contacts: [String], cseq: UInt32 = 1, callID: String = "a@phone", path: String? = "<sip:token@127.0.0.1:5070;lr>",
        headers: [String] = []
    ) throws -> RegisterRequest {
        try RegisterRequest(message(contacts, cseq: cseq, callID: callID, path: path, headers: headers))
    }
}

extension BindingSet {
    /// For tables: contact URIs in order.
    var contacts: [String] { bindings.map(\.contact) }
}
