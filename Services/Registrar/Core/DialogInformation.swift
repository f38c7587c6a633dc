import Bytes
import Contracts
import SIP

/// The document of the dialog event package: the whole state of an extension's dialogs (RFC 4235 §4).
struct DialogInformation: Sendable {
    var number: String
    var domain: String
    var version: Int64
    var dialogs: [PhoneDialog]
    /// Each is told once.
    var ended: [PhoneDialog]
    /// Call-ID and tags: with them one may take the dialog's place (RFC 3891).
    var showsNames: Bool

    /// Nobody's, in the words of RFC 3323 §4.1.1.3.
    private static let anonymous = "anonymous"
    private static let anonymousHost = "anonymous.invalid"

    func xml(now: Int64) -> String {
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="\(version)" state="full" entity="\(address(number))">

            """
        // An id stands once in a document. What was told as ended is over, whatever the records still say.
        var listed: Set<String> = []
        for dialog in ended.reversed() + dialogs where listed.insert(dialog.id).inserted { text += element(dialog, now) }
        return text + "</dialog-info>\n"
    }

    private func element(_ dialog: PhoneDialog, _ now: Int64) -> String {
        var text = "<dialog id=\"d\(String(StableHash.hash(dialog.id.utf8), radix: 16))\""
        if showsNames, let name = dialog.name {
            text += " call-id=\"\(escaped(name.callID))\""
            if let tag = name.localTag { text += " local-tag=\"\(escaped(tag))\"" }
            text += " remote-tag=\"\(escaped(name.remoteTag))\""
        }
        text += " direction=\"\(dialog.isInitiator ? "initiator" : "recipient")\">\n<state"
        if let ending = dialog.ending { text += " event=\"\(ending.rawValue)\"" }
        if let code = dialog.code { text += " code=\"\(code)\"" }
        text += ">\(dialog.state.rawValue)</state>\n<duration>\(max(0, (now - dialog.since.milliseconds) / 1_000))</duration>\n"
        text += "<local><identity>\(address(number))</identity></local>\n<remote><identity>\(address(dialog.remote))</identity></remote>\n"
        return text + "</dialog>\n"
    }

    private func address(_ number: String) -> String {
        number == Self.anonymous ? "sip:\(Self.anonymous)@\(Self.anonymousHost)" : escaped(URI(calling: number, at: domain).description)
    }

    private func escaped(_ text: String) -> String { RegistrationInformation.escaped(text) }
}
