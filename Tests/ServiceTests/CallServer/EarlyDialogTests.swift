import Addresses
import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

extension [LegEffect] {
    /// BRANCH TAG SEQUENCE.
    fileprivate var pracks: [String] {
        compactMap { if case .prack(let branch, let tag, let sequence) = $0 { "\(branch) \(tag) \(sequence)" } else { nil } }
    }
    fileprivate var pracksAgain: Int { count { if case .prackAgain = $0 { true } else { false } } }
    fileprivate var heard: [String] { compactMap { if case .hearEarly(let remote, _) = $0 { remote } else { nil } } }
    fileprivate var agreed: [String] { compactMap { if case .updateMedia(.answer, let remote, _) = $0 { remote } else { nil } } }
    fileprivate var replies: [Int] { compactMap { if case .respondToReinvite(let code, _) = $0 { code } else { nil } } }
    fileprivate var progressed: Int { toldParent.count { if case .childProgressed = $0 { true } else { false } } }
}

@Suite("RFC 3262, RFC 3261 §13.2.2.4: the early dialogs of a leg that calls") struct EarlyDialogTests {
    private func ringing() -> LegFixture {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        _ = fixture.apply(.found([
            ReachableBinding(contact: "sip:a@127.0.0.1:5080", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil), ReachableBinding(contact: "sip:b@127.0.0.1:5081", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil),
        ]))
        return fixture
    }

    private static func dialog(_ tag: String, status: String = "183 Session Progress") throws -> Dialog {
        let address = NameAddress(URI(user: "1001", host: "demo.localhost"))
        var from = address
        from.tag = "ours"
        let request = RequestBuilder(.invite, uri: URI(user: "a", host: "127.0.0.1"), from: from, to: address, callID: "c", cseq: 1)
        let lines = [
            "SIP/2.0 \(status)", "Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKa", "From: <sip:1001@demo.localhost>;tag=ours",
            "To: <sip:1001@demo.localhost>;tag=\(tag)", "Call-ID: c", "CSeq: 1 INVITE", "Contact: <sip:a@127.0.0.1:5080>", "Content-Length: 0", "", "",
        ]
        return try #require(Dialog(callerOf: request, response: try Message.parse(Array(lines.joined(separator: "\r\n").utf8))))
    }

    private func progress(_ branch: Int, _ tag: String, _ sequence: UInt32? = nil, _ sdp: String? = nil, code: Int = 183) throws -> LegEvent {
        .progressed(branch: branch, Progress(code: code, dialog: try Self.dialog(tag), responseSequence: sequence, description: sdp))
    }

    @Test("RFC 3262 §4: PRACK in the order of RSeq, each once; what is missing is waited for")
    func order() throws {
        var fixture = ringing()
        #expect(fixture.apply(try progress(0, "x", 5)).pracks == ["0 x 5"])
        #expect(fixture.apply(try progress(0, "x", 7)).pracks.isEmpty)
        #expect(fixture.apply(try progress(0, "x", 6)).pracks == ["0 x 6"])
        let again = fixture.apply(try progress(0, "x", 6))
        #expect(again.pracks.isEmpty && again.pracksAgain == 1)
        #expect(fixture.apply(try progress(0, "x", 5)).pracks.isEmpty)
        // Another fork counts for itself.
        #expect(fixture.apply(try progress(0, "y", 900)).pracks == ["0 y 900"])
        #expect(fixture.apply(try progress(1, "z")).pracks.isEmpty)
    }

    @Test("who speaks before it answers is heard, the last of them; the parent is told when it can be")
    func earlyMedia() throws {
        var fixture = ringing()
        #expect(fixture.apply(try progress(0, "x", nil, "sdp x")).heard == ["sdp x"])
        #expect(fixture.apply(.heardEarly).progressed == 1)
        #expect(fixture.apply(try progress(0, "x", nil, "sdp x")).heard.isEmpty)
        #expect(fixture.apply(try progress(1, "y", nil, "sdp y")).heard == ["sdp y"])
        #expect(fixture.leg.phase == .ringing && !fixture.leg.media.isAgreed)
    }

    @Test("RFC 3261 §13.2.2.4: the 200 decides, whoever spoke last; it may leave out what was said reliably")
    func confirmed() throws {
        var fixture = ringing()
        _ = fixture.apply(try progress(0, "x", 1, "sdp x"))
        _ = fixture.apply(try progress(1, "y", nil, "sdp y"))
        fixture.leg.sip.dialog = try Self.dialog("x", status: "200 OK")
        let effects = fixture.apply(.accepted(branch: 0, answer: nil))
        #expect(effects.agreed == ["sdp x"] && effects.canceledBranches == [1] && !effects.hasBye)
        #expect(fixture.leg.sip.early == nil && fixture.leg.media.early == nil)
        // What was not said reliably is said again (RFC 6337 §3.1.1).
        var other = ringing()
        _ = other.apply(try progress(0, "x", nil, "early"))
        other.leg.sip.dialog = try Self.dialog("x", status: "200 OK")
        #expect(other.apply(.accepted(branch: 0, answer: "final")).agreed == ["final"])
    }

    @Test("RFC 3311 §5.2: UPDATE with an offer meets ours until that has been answered reliably")
    func update() throws {
        var fixture = ringing()
        _ = fixture.apply(try progress(0, "x", nil, "sdp x"))
        #expect(fixture.apply(.updated(offer: "new", early: "x")).replies == [491])
        _ = fixture.apply(try progress(0, "y", 1, "sdp y"))
        _ = fixture.apply(.updated(offer: "new", early: "y"))
        #expect(fixture.apply(.mediaUpdated(.init(description: "ours", held: false), kind: .offer)).replies == [200])
        // What it described last counts; the 200 has nothing to add.
        fixture.leg.sip.dialog = try Self.dialog("y", status: "200 OK")
        let effects = fixture.apply(.accepted(branch: 0, answer: nil))
        #expect(effects.agreed.isEmpty && !effects.hasBye && fixture.leg.media.isAgreed)
        #expect(effects.toldParent.contains { if case .childAnswered = $0 { true } else { false } })
    }

    @Test("forks without end are not kept")
    func bounded() throws {
        var fixture = ringing()
        for number in 0..<50 { _ = fixture.apply(try progress(0, "t\(number)", 1)) }
        #expect(fixture.leg.sip.early?.count == SIPState.mostEarlyDialogs)
    }

    @Test("a successor has the PRACKs and the early media of its predecessor")
    func resumed() throws {
        var fixture = ringing()
        _ = fixture.apply(try progress(0, "x", 1, "sdp x"))
        fixture.leg.sip.early?[0].prack = SIPState.Sent(name: try layerName(), sequence: 2)
        var next = fixture
        next.leg = try JSON.roundTrip(fixture.leg)
        let effects = next.leg.resume(offer: nil, at: next.moment)
        #expect(effects.pracksAgain == 1 && effects.heard == ["sdp x"])
        #expect(next.leg.sip.early == fixture.leg.sip.early)
    }

    private func layerName() throws -> TransactionName {
        var layer = TransactionLayer(sentBy: SocketAddress(IPAddress.loopbackIPv4, port: 5_060), seed: 1)
        return layer.newName()
    }

    @Test("a branch that refuses takes its dialogs with it; a CANCEL crosses a late provisional response without a PRACK")
    func over() throws {
        var fixture = ringing()
        _ = fixture.apply(try progress(0, "x", 1))
        _ = fixture.apply(.refused(branch: 0, code: 486))
        #expect(fixture.leg.sip.early?.isEmpty == true)
        _ = fixture.apply(.parentEnded)
        #expect(fixture.apply(try progress(1, "y", 1)).pracks.isEmpty)
    }
}
