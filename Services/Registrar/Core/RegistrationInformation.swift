import Bytes
import SIP

/// The document of the `reg` event package: the whole state of one address of record (RFC 3680 §5), with public GRUUs (RFC 5628).
struct RegistrationInformation: Sendable {
    var number: String
    var domain: String
    var extensionID: String
    var version: Int64
    /// Nil: the extension is no more.
    var bindings: [Binding]?
    var ended: [EndedContact]

    func xml(now: Int64) -> String {
        let current = bindings ?? []
        let state = bindings == nil ? "terminated" : current.isEmpty ? (ended.isEmpty ? "init" : "terminated") : "active"
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <reginfo xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" version="\(version)" state="full">
            <registration aor="\(Self.escaped(addressOfRecord))" id="\(Self.escaped(extensionID))" state="\(state)">

            """
        for binding in current {
            let event = binding.registeredAt == binding.refreshedAt ? "registered" : "refreshed"
            text += contact(binding, event: event, isActive: true, now)
        }
        // One that is there again, or that ended twice, has one entry: an id stands once in a document.
        var listed = Set(current.map(\.key))
        for each in ended.reversed() where listed.insert(each.binding.key).inserted {
            text += contact(each.binding, event: each.event.rawValue, isActive: false, now)
        }
        return text + "</registration>\n</reginfo>\n"
    }

    private var addressOfRecord: String { URI(calling: number, at: domain).description }

    private func contact(_ binding: Binding, event: String, isActive: Bool, _ now: Int64) -> String {
        let id = String(StableHash.hash(binding.key.utf8), radix: 16)
        let duration = max(0, (now - binding.registeredAt) / 1_000)
        var text = "<contact id=\"c\(id)\" state=\"\(isActive ? "active" : "terminated")\" event=\"\(event)\""
        text += " duration-registered=\"\(duration)\" expires=\"\(isActive ? binding.remaining(now: now) : 0)\""
        text += " q=\"\(binding.q)\" callid=\"\(Self.escaped(binding.callID))\" cseq=\"\(binding.cseq)\">\n"
        text += "<uri>\(Self.escaped(binding.contact))</uri>\n"
        if let instanceID = binding.instanceID {
            text += "<unknown-param name=\"+sip.instance\">&quot;\(Self.escaped(instanceID))&quot;</unknown-param>\n"
            let gruu = GRUU.publicURI(number: number, domain: domain, instanceID: instanceID)
            text += "<gr:pub-gruu uri=\"\(Self.escaped(gruu))\"/>\n"
        }
        if let regID = binding.regID { text += "<unknown-param name=\"reg-id\">\(regID)</unknown-param>\n" }
        return text + "</contact>\n"
    }

    /// For text and attributes; what XML 1.0 cannot hold at all (§2.2) becomes a replacement character.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&apos;"
            case "\u{9}", "\u{A}", "\u{D}": result += "&#\(scalar.value);"
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
