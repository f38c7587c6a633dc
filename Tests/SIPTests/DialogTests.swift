import Foundation
import SIP
import Testing

@Suite("Dialog (RFC 3261 §12)")
struct DialogTests {
    private var request: RequestBuilder {
        var from = NameAddress(URI(user: "caller", host: "u1.example.com"))
        from.tag = "a"
        var request = RequestBuilder(
            .invite, uri: URI(user: "callee", host: "domain.com"), from: from,
            to: NameAddress(URI(user: "callee", host: "domain.com")), callID: "c", cseq: 1)
        request.contact = NameAddress(URI(user: "caller", host: "u1.example.com"))
        return request
    }

    private func response(
        _ status: Int, routes: String = "<sip:p2.domain.com;lr>, <sip:p1.example.com;lr>",
        contact: String = "sip:callee@u2.domain.com", tag: String = "b"
    ) throws -> Message {
        try parsed(
            """
            SIP/2.0 \(status) X
            Via: SIP/2.0/UDP u1.example.com;branch=z9hG4bK1
            Record-Route: \(routes)
            From: <sip:caller@u1.example.com>;tag=a
            To: <sip:callee@domain.com>;tag=\(tag)
            Call-ID: c
            CSeq: 1 INVITE
            Contact: <\(contact)>


            """)
    }

    private func incoming(_ method: String, _ sequence: Int, from: String = "b", to: String = "a", contact: String? = nil) throws
        -> Message
    {
        try parsed(
            "\(method) sip:x SIP/2.0\nFrom: <sip:callee@domain.com>;tag=\(from)\nTo: <sip:caller@u1.example.com>;tag=\(to)\n"
                + "Call-ID: c\nCSeq: \(sequence) \(method)\n"
                + (contact.map { "Contact: <\($0)>\n" } ?? "") + "\n")
    }

    @Test("§12.2.2: a request with the number of the last is out of order, and known as its repetition; an ACK never is")
    func repetition() throws {
        var dialog = try #require(Dialog(callerOf: request, response: try response(200)))
        #expect(!dialog.isRepetition(try incoming("REFER", 7)))
        #expect(dialog.receive(try incoming("REFER", 7)) == .accept)
        #expect(dialog.isRepetition(try incoming("REFER", 7)))
        #expect(dialog.receive(try incoming("REFER", 7)) == .outOfOrder)
        #expect(!dialog.isRepetition(try incoming("REFER", 6)))
        #expect(!dialog.isRepetition(try incoming("ACK", 7)))
    }

    @Test("§16.12.1.1: the basic trapezoid; the caller takes the route set in reverse, the callee as it stands")
    func routeSets() throws {
        var caller = try #require(Dialog(callerOf: request, response: try response(200)))
        let bye = caller.request(.bye)
        #expect(bye.uri.description == "sip:callee@u2.domain.com")
        #expect(bye.routes.map(\.uri.host) == ["p1.example.com", "p2.domain.com"])
        #expect(bye.nextHop.host == "p1.example.com")
        #expect(bye.cseq == 2)
        #expect(bye.from.tag == "a" && bye.to.tag == "b")
        let received = try parsed(
            """
            INVITE sip:callee@u2.domain.com SIP/2.0
            Record-Route: <sip:p2.domain.com;lr>
            Record-Route: <sip:p1.example.com;lr>
            Contact: <sip:caller@u1.example.com>
            From: <sip:caller@u1.example.com>;tag=a
            To: <sip:callee@domain.com>
            Call-ID: c
            CSeq: 1 INVITE


            """)
        var callee = try #require(Dialog(calleeOf: received, localTag: "b"))
        let request = callee.request(.bye)
        #expect(request.uri.description == "sip:caller@u1.example.com")
        #expect(request.routes.map(\.uri.host) == ["p2.domain.com", "p1.example.com"])
        #expect(request.from.tag == "b" && request.to.tag == "a")
        #expect(request.cseq == 1)
    }

    @Test("§16.12.1.2: a strict router moves into the request URI and the target to the end of the route")
    func strictRouting() throws {
        var dialog = try #require(
            Dialog(callerOf: request, response: try response(200, routes: "<sip:p3.middle.com;lr>, <sip:p2.example.com>")))
        let bye = dialog.request(.bye)
        #expect(bye.uri.description == "sip:p2.example.com")
        #expect(bye.routes.map(\.uri.description) == ["sip:p3.middle.com;lr", "sip:callee@u2.domain.com"])
    }

    @Test("§12.1.2: only a response with a tag above 100 makes a dialog; early becomes confirmed with the route set of the 2xx")
    func states() throws {
        #expect(Dialog(callerOf: request, response: try response(100)) == nil)
        #expect(Dialog(callerOf: request, response: try response(486)) == nil)
        var dialog = try #require(Dialog(callerOf: request, response: try response(180)))
        #expect(dialog.state == .early)
        dialog.receive(response: try response(200, routes: "<sip:p9.example.com;lr>", contact: "sip:new@u3.domain.com"))
        #expect(dialog.state == .confirmed)
        #expect(dialog.routeSet.map(\.uri.host) == ["p9.example.com"])
        #expect(dialog.remoteTarget.user == "new")
        dialog.receive(response: try response(481))
        #expect(dialog.state == .terminated)
    }

    @Test("§12.1.2, §13.2.2.4: a 2xx without a tag, or without one Contact, makes no dialog; it is acknowledged and ended where the request went", arguments: [
        ("To: <sip:callee@domain.com>;tag=b", "Subject: none", "b"), ("To: <sip:callee@domain.com>;tag=b", "Contact: <sip:a@x>, <sip:b@x>", "b"),
        ("To: <sip:callee@domain.com>;tag=b", "Contact: *", "b"), ("To: <sip:callee@domain.com>", "Contact: <sip:callee@u2.domain.com>", nil),
    ] as [(String, String, String?)])
    func unusable(to: String, contact: String, tag: String?) throws {
        func answer(_ status: Int) throws -> Message {
            try parsed("SIP/2.0 \(status) X\nVia: SIP/2.0/UDP u1.example.com;branch=z9hG4bK1\nFrom: <sip:caller@u1.example.com>;tag=a\n\(to)\nCall-ID: c\nCSeq: 1 INVITE\n\(contact)\n\n")
        }
        var request = request
        request.routes = [NameAddress(try #require(URI("sip:edge.example.com;lr")))]
        #expect(Dialog(callerOf: request, response: try answer(200)) == nil)
        #expect(Dialog(ending: request, acceptedBy: try answer(180)) == nil)
        var dialog = try #require(Dialog(ending: request, acceptedBy: try answer(200)))
        let (acknowledgement, bye) = (dialog.acknowledgement(of: 1), dialog.request(.bye))
        for sent in [acknowledgement, bye] {
            #expect(sent.uri.user == "callee" && sent.to.tag == tag && sent.from.tag == "a" && sent.callID == "c")
            #expect(sent.routes.map(\.uri.host) == ["edge.example.com"])
        }
        #expect(acknowledgement.cseq == 1 && bye.cseq == 2)
    }

    @Test("§12.2.2: CSeq must rise, a re-INVITE moves the target, BYE ends")
    func incomingOrder() throws {
        var dialog = try #require(Dialog(callerOf: request, response: try response(200)))
        #expect(dialog.receive(try incoming("INFO", 5)) == .accept)
        #expect(dialog.receive(try incoming("INFO", 5)) == .outOfOrder)
        #expect(dialog.receive(try incoming("INFO", 4)) == .outOfOrder)
        #expect(dialog.receive(try incoming("INVITE", 8, contact: "sip:moved@u4.domain.com")) == .accept)
        #expect(dialog.remoteTarget.user == "moved")
        #expect(dialog.receive(try incoming("ACK", 8)) == .accept)
        #expect(dialog.receive(try incoming("INFO", 9, contact: "sip:not@moved")) == .accept)
        #expect(dialog.remoteTarget.user == "moved")
        #expect(dialog.receive(try incoming("BYE", 10)) == .accept)
        #expect(dialog.state == .terminated)
    }

    @Test("A message belongs to a dialog when Call-ID and both tags match")
    func matching() throws {
        let dialog = try #require(Dialog(callerOf: request, response: try response(200)))
        #expect(dialog.matches(try incoming("BYE", 1)))
        #expect(!dialog.matches(try incoming("BYE", 1, from: "z")))
        #expect(!dialog.matches(try incoming("BYE", 1, to: "z")))
        #expect(dialog.matches(try response(200)))
        #expect(!dialog.matches(try response(200, tag: "other")))
    }

    @Test("A snapshot of a dialog is the dialog")
    func snapshot() throws {
        let dialog = try #require(Dialog(callerOf: request, response: try response(200)))
        let copy = try JSONDecoder().decode(Dialog.self, from: try JSONEncoder().encode(dialog))
        #expect(copy == dialog)
    }
}
