import Testing

@testable import CallServer

@Suite("Calls: whose a message is that was written here")
struct CallIDSearchTests {
    @Test("the Call-ID is found wherever it stands in the head, and not behind it")
    func callID() {
        #expect(CallIDSearch.callID(in: Array("BYE sip:x SIP/2.0\r\nVia: a\r\ncall-id:  7@x\r\nTo: y\r\n\r\n".utf8)) == "7@x")
        #expect(CallIDSearch.callID(in: Array("BYE sip:x SIP/2.0\r\nVia: a\r\n\r\nCall-ID: 7@x\r\n".utf8)) == nil)
    }

    @Test("what is no message has none", arguments: ["", "\n", "\r\n\r\n", " ", "k=", "x\ny", "\n \n"])
    func hostile(text: String) { #expect(CallIDSearch.callID(in: Array(text.utf8)) == nil) }
}
