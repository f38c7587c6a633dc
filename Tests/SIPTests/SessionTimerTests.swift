import SIP
import Testing

@Suite("Session timers and acknowledged provisional responses, on the wire") struct SessionTimerTests {
    private func request(_ headers: String) throws -> Message {
        try parsed(
            """
            UPDATE sip:bob@127.0.0.1 SIP/2.0
            Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa
            To: <sip:bob@127.0.0.1>;tag=b
            From: <sip:alice@127.0.0.1>;tag=a
            Call-ID: c
            CSeq: 2 UPDATE
            \(headers)
            Content-Length: 0


            """)
    }

    @Test(
        "RFC 4028 §4: delta-seconds and refresher, in any case, with blanks, of any size",
        arguments: [
            ("1800", 1800, nil), ("90;refresher=uac", 90, .uac), ("90 ; Refresher = UAS", 90, .uas), ("90;refresher=both", 90, nil),
            ("99999999999999999999", Int(Int32.max), nil),
        ] as [(String, Int, SessionExpires.Refresher?)])
    func parsing(_ example: (text: String, seconds: Int, refresher: SessionExpires.Refresher?)) {
        #expect(SessionExpires(example.text) == SessionExpires(seconds: example.seconds, refresher: example.refresher))
    }

    @Test("what is no number is none", arguments: ["", "x", "-1", "1.5", ";refresher=uac"])
    func malformed(_ text: String) { #expect(SessionExpires(text) == nil) }

    private static let terms = SessionTimer.Terms(interval: 1800, minimum: 90)

    @Test("RFC 4028 §9: the server takes the interval, and the roles that the client asked for")
    func accepted() throws {
        func verdict(_ headers: String, current: SessionTimer? = nil) throws -> SessionTimer.Verdict {
            SessionTimer.answer(to: try request(headers), Self.terms, current: current)
        }
        #expect(
            try verdict("Supported: timer\nSession-Expires: 600;refresher=uas")
                == .timer(.init(seconds: 600, weRefresh: true), expires: .init(seconds: 600, refresher: .uas)))
        #expect(
            try verdict("k: 100rel, timer\nx: 600")
                == .timer(.init(seconds: 600, weRefresh: false), expires: .init(seconds: 600, refresher: .uac)))
        // Who names no interval has ours; who names a longer one as well.
        #expect(
            try verdict("Supported: timer") == .timer(.init(seconds: 1800, weRefresh: false), expires: .init(seconds: 1800, refresher: .uac)))
        #expect(
            try verdict("Supported: timer\nSession-Expires: 7200;refresher=uac")
                == .timer(.init(seconds: 1800, weRefresh: false), expires: .init(seconds: 1800, refresher: .uac)))
        #expect(
            try verdict("Supported: timer\nSession-Expires: 7200\nMin-SE: 3600")
                == .timer(.init(seconds: 3600, weRefresh: false), expires: .init(seconds: 3600, refresher: .uac)))
        // A refresh that leaves the roles open changes none.
        #expect(
            try verdict("Supported: timer\nSession-Expires: 600", current: .init(seconds: 600, weRefresh: true))
                == .timer(.init(seconds: 600, weRefresh: true), expires: .init(seconds: 600, refresher: .uas)))
        // A proxy asked for one that does not know what this is: nobody else can refresh.
        #expect(try verdict("Session-Expires: 30") == .timer(.init(seconds: 90, weRefresh: true), expires: .init(seconds: 90, refresher: .uas)))
        #expect(try verdict("Subject: none") == .none)
    }

    @Test("RFC 4028 §9: too short an interval is refused, to those only who understand why")
    func tooSmall() throws {
        #expect(SessionTimer.answer(to: try request("Supported: timer\nSession-Expires: 89"), Self.terms) == .tooSmall)
    }

    @Test("RFC 4028 §10: refreshed after half the time, given up a third of it or 32 s before its end", arguments: [(1800, 900, 1768), (90, 45, 60)])
    func times(_ example: (seconds: Int, refresh: Int, end: Int)) {
        let timer = SessionTimer(seconds: example.seconds, weRefresh: true)
        #expect(timer.secondsToRefresh == example.refresh && timer.secondsToEnd == example.end)
    }

    @Test("RFC 4028 §5: no 2xx makes a session shorter than the Min-SE that was sent, which is 90 when it is not there", arguments: [
        ("0", 90, 90), ("1;refresher=uac", 90, 90), ("89", 90, 90), ("120", 90, 120), ("120", 300, 300), ("1800", 0, 1_800),
    ])
    func floor(value: String, minimum: Int, seconds: Int) throws {
        let response = try parsed("SIP/2.0 200 OK\nSession-Expires: \(value)\n\n")
        #expect(SessionTimer(answeredBy: response, minimum: minimum) == SessionTimer(seconds: seconds, weRefresh: true))
        #expect(SessionTimer(answeredBy: try parsed("SIP/2.0 200 OK\n\n")) == nil)
    }

    @Test("RFC 3262 §7.2: RAck names response, CSeq and method")
    func acknowledgement() throws {
        let value = try #require(ProvisionalAcknowledgement("776656 1 INVITE"))
        #expect(value == ProvisionalAcknowledgement(776656, of: CSeq(1, .invite)) && value.description == "776656 1 INVITE")
        for text in ["", "1", "1 2", "1 2 INVITE 3", "x 1 INVITE", "1 x INVITE", "4294967296 1 INVITE", "1 2147483648 INVITE"] {
            #expect(ProvisionalAcknowledgement(text) == nil)
        }
    }
}
