import Contracts
import SIP
import Testing

@testable import Registrar

@Suite("The dialog event package (RFC 4235)")
struct DialogInformationTests {
    private func dialog(
        _ id: String = "call_1", _ state: PhoneDialog.State = .confirmed, _ ending: PhoneDialog.Ending? = nil, code: Int? = nil,
        isInitiator: Bool = false, remote: String = "1002"
    ) -> PhoneDialog {
        PhoneDialog(
            id: id, state: state, ending: ending, code: code, isInitiator: isInitiator, remote: remote, since: Timestamp(milliseconds: 10_000),
            name: .init(callID: "a&b@c", localTag: "phone", remoteTag: "ours"))
    }

    private func document(_ dialogs: [PhoneDialog], ended: [PhoneDialog] = [], showsNames: Bool = false) -> String {
        DialogInformation(number: "1001", domain: "demo.localhost", version: 4, dialogs: dialogs, ended: ended, showsNames: showsNames)
            .xml(now: 40_500)
    }

    @Test("§4.1: the whole state, with version and entity; of each dialog direction, state, age and both identities")
    func wholeState() {
        let text = document([dialog(), dialog("call_2", .early, isInitiator: true, remote: "+1555")])
        for part in [
            "xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"4\" state=\"full\" entity=\"sip:1001@demo.localhost\">",
            "direction=\"recipient\">\n<state>confirmed</state>\n<duration>30</duration>", "direction=\"initiator\">\n<state>early</state>",
            "<local><identity>sip:1001@demo.localhost</identity></local>\n<remote><identity>sip:1002@demo.localhost</identity></remote>",
            "<remote><identity>sip:+1555@demo.localhost</identity></remote>",
        ] { #expect(text.contains(part), "\(part)") }
        #expect(document([]) == """
            <?xml version="1.0" encoding="UTF-8"?>
            <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="4" state="full" entity="sip:1001@demo.localhost">
            </dialog-info>

            """)
    }

    @Test("§6: Call-ID and tags are for those alone who may see them")
    func names() {
        #expect(document([dialog()], showsNames: true).contains("call-id=\"a&amp;b@c\" local-tag=\"phone\" remote-tag=\"ours\""))
        let hidden = document([dialog()])
        for word in ["call-id", "tag=", "a&amp;b", "ours"] { #expect(!hidden.contains(word), "\(word)") }
    }

    @Test("who may see them: by default the extension's own phones", arguments: [
        (.own, "1001", true), (.own, "1002", false), (.customer, "1002", true), (.none, "1001", false),
    ] as [(RegistrarSettings.DialogNames, String, Bool)])
    func whoSeesNames(_ setting: RegistrarSettings.DialogNames, _ watcher: String, _ isShown: Bool) throws {
        let request = try Message.parse(Array("""
            SUBSCRIBE sip:1001@demo.localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKone\r\nFrom: <sip:1002@demo.localhost>;tag=watcher\r
            To: <sip:1001@demo.localhost>\r\nCall-ID: w\r\nCSeq: 5 SUBSCRIBE\r\nContact: <sip:1002@127.0.0.1:5090>\r\nContent-Length: 0\r\n\r\n
            """.utf8))
        let dialog = try #require(Dialog(calleeOf: request, localTag: "ours", state: .confirmed))
        let subscribed = Watcher(
            id: "watch_1", customerID: "cust_1", extensionID: "ext_1", number: "1001", domain: "demo.localhost", dialog: dialog, eventID: nil,
            expiresAt: 1, ending: nil, notified: 1, changes: 1, ended: .dialogs([]), watcherNumber: watcher)
        #expect(RegistrarSettings.DialogTerms(names: setting).showsNames(to: subscribed) == isShown)
        #expect(subscribed.package == .dialog)
    }

    @Test("§3.7.1: what has ended says why, once, and stands in no other state beside")
    func endings() {
        let gone = dialog("call_1", .terminated, .rejected, code: 486)
        let text = document([dialog("call_1"), dialog("call_2", .trying)], ended: [gone, gone])
        #expect(text.contains("<state event=\"rejected\" code=\"486\">terminated</state>"))
        #expect(text.split(separator: "<dialog ").count == 3 && !text.contains("confirmed") && text.contains("<state>trying</state>"))
    }

    @Test("RFC 3323: who hides from who is called is hidden from who watches")
    func anonymous() {
        #expect(document([dialog(remote: "anonymous")]).contains("<identity>sip:anonymous@anonymous.invalid</identity>"))
    }
}
