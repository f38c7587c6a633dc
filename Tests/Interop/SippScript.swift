/// A scenario of SIPp's, put together from what one phone does: the arrows that RFC 3665, RFC 5359 and RFC 6665 draw, a line each.
struct SippScript: Sendable {
    enum Side: Sendable { case caller, callee }

    let side: Side
    private let steps: [Step]

    static func caller(_ steps: Step...) -> SippScript { SippScript(side: .caller, steps: steps) }
    static func callee(_ steps: Step...) -> SippScript { SippScript(side: .callee, steps: [.called()] + steps) }

    var xml: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE scenario SYSTEM "sipp.dtd">
        <scenario name="\(side)">
        \(steps.map { $0.xml(side) }.joined(separator: "\n"))
        </scenario>

        """
    }

    /// What is sent or awaited next.
    struct Step: Sendable {
        fileprivate let xml: @Sendable (Side) -> String

        fileprivate init(_ xml: @escaping @Sendable (Side) -> String) { self.xml = xml }
        fileprivate init(_ xml: String) { self.init { _ in xml } }
    }
}

extension SippScript.Step {
    typealias Step = Self

    // MARK: Registering

    /// REGISTER (RFC 3261 §10.2), challenged and sent again with credentials: CSeq `sequence` and the one after it. `contacts`: one each; without any
    /// it only asks. What the answer `lists` is in it, what is `gone` is not.
    static func registers(
        _ sequence: Int, _ contacts: [String] = [], seconds: Int? = nil, lists: [String] = [], gone: [String] = [], gets status: Int = 200
    ) -> Step {
        let headers = contacts.map { "Contact: \($0)" } + (seconds.map { ["Expires: \($0)"] } ?? [])
        func register(_ sequence: Int, _ headers: [String]) -> String {
            let ends = "From: <sip:[user]@demo.localhost>;tag=[pid]r[call_number]\nTo: <sip:[user]@demo.localhost>"
            return (["REGISTER sip:demo.localhost SIP/2.0", own, ends, "Call-ID: [call_id]", "CSeq: \(sequence) REGISTER"] + headers).joined(separator: "\n")
        }
        let checks = lists.map { check("search_in=\"msg\"", $0) } + gone.map { check("search_in=\"msg\"", $0, isThere: false) }
        return Step("""
            \(send(register(sequence, headers)))
            <recv response="401" auth="true"/>
            \(send(register(sequence + 1, ["[authentication]"] + headers)))
            <recv response="\(status)">\(action(checks))</recv>
            """)
    }

    // MARK: Watching

    /// A SUBSCRIBE that begins a subscription (RFC 6665 §4.1.2.1) to what there is to tell of [service], challenged and sent again with credentials: CSeq
    /// `sequence` and the one after it. `tag`: in a dialog that there is not. The answer's `header` must have `text` in it.
    static func watches(
        _ sequence: Int, _ event: String, seconds: Int, tag: String? = nil, gets status: Int = 200, _ header: String? = nil, has text: String = ""
    ) -> Step {
        func subscribe(_ sequence: Int, _ headers: [String]) -> String {
            let to = "To: <sip:[service]@demo.localhost>" + (tag.map { ";tag=\($0)" } ?? "")
            return ([
                "SUBSCRIBE sip:[service]@demo.localhost SIP/2.0", own, "From: <sip:[user]@demo.localhost>;tag=[pid]c[call_number]", to, "Call-ID: [call_id]",
                "CSeq: \(sequence) SUBSCRIBE", contact, "Event: \(event)", "Expires: \(seconds)",
            ] + headers).joined(separator: "\n")
        }
        var checks: [String] = []
        if let header { checks.append(check("search_in=\"hdr\" header=\"\(header):\"", text)) }
        return Step("""
            \(send(subscribe(sequence, [])))
            <recv response="407" auth="true"/>
            \(send(subscribe(sequence + 1, ["[authentication]"])))
            <recv response="\(status)" rrs="true">\(action(checks))</recv>
            """)
    }

    // MARK: Calling

    /// INVITE, challenged and sent again with credentials. `offers` false: the offer comes with the 200 (RFC 3261 §13.2.1). `isTried`: a 100
    /// must come.
    static func calls(offers: Bool = true, isTried: Bool = false, at contact: String = Step.contact, _ headers: String...) -> Step {
        let body = offers ? description() : nil
        let headers = headers + [contact]
        return Step("""
            \(send(invite(1, headers), body))
            <recv response="100" optional="true"/>
            <recv response="407" auth="true"/>
            \(acknowledgesRefusal(1))
            \(send(invite(2, ["[authentication]"] + headers), body))
            <recv response="100"\(isTried ? "" : " optional=\"true\"")/>
            """)
    }

    private static func invite(_ sequence: Int, _ headers: [String]) -> String {
        """
        INVITE sip:[service]@demo.localhost SIP/2.0
        \(own)
        From: <sip:[user]@demo.localhost>;tag=[pid]c[call_number]
        To: <sip:[service]@demo.localhost>
        Call-ID: [call_id]
        CSeq: \(sequence) INVITE
        \(headers.joined(separator: "\n"))
        """
    }

    private static func acknowledgesRefusal(_ sequence: Int) -> String {
        send(
            """
            ACK sip:[service]@demo.localhost SIP/2.0
            [last_Via:]
            Max-Forwards: 70
            [last_From:]
            [last_To:]
            [last_Call-ID:]
            CSeq: \(sequence) ACK
            """, again: false)
    }

    /// A provisional response that must come.
    static func hears(_ status: Int) -> Step { Step("<recv response=\"\(status)\"/>") }

    /// Provisional responses that may come.
    static let progress = Step("<recv response=\"180\" optional=\"true\"/>\n<recv response=\"183\" optional=\"true\"/>")

    /// The 200 of the INVITE, which `describes` that, and its ACK; with a description when the 200 has made the offer.
    static func isAnswered(answers: Bool = false, describes text: String? = nil) -> Step {
        let check = text.map { "<action><ereg regexp=\"\($0)\" search_in=\"body\" check_it=\"true\" assign_to=\"described\"/><log message=\"[$described]\"/></action>" }
        return Step("""
            \(progress.xml(.caller))
            <recv response="200" rrs="true">\(check ?? "")</recv>
            \(send(request("ACK", 2, .caller), answers ? description() : nil, again: false))
            """)
    }

    static func isRefused(_ status: Int) -> Step {
        Step("\(progress.xml(.caller))\n<recv response=\"\(status)\"/>\n\(acknowledgesRefusal(2))")
    }

    /// CANCEL, and what comes of it.
    static let givesUp = Step("""
        \(send("""
            CANCEL sip:[service]@demo.localhost SIP/2.0
            [last_Via:]
            Max-Forwards: 70
            [last_From:]
            To: <sip:[service]@demo.localhost>
            [last_Call-ID:]
            CSeq: 2 CANCEL
            """))
        <recv response="200"/>
        <recv response="487"/>
        \(acknowledgesRefusal(2))
        """)

    // MARK: Being called

    fileprivate static func called() -> Step {
        Step("""
            <recv request="INVITE" rrs="true">
              <action>
                <ereg regexp=".*" search_in="hdr" header="From:" assign_to="peer"/>
                <ereg regexp=".*" search_in="hdr" header="To:" assign_to="self"/>
                <log message="call from [$peer] to [$self]"/>
              </action>
            </recv>
            """)
    }

    private static func response(_ status: Int, _ headers: String...) -> String {
        """
        SIP/2.0 \(status) \(status == 200 ? "OK" : "So")
        [last_Via:]
        [last_Record-Route:]
        [last_From:]
        [last_To:];tag=[pid]s[call_number]
        [last_Call-ID:]
        CSeq: [last_cseq_number] INVITE
        \((headers.isEmpty ? [contact] : headers).joined(separator: "\n"))
        """
    }

    static let rings = Step(send(response(180), again: false))

    /// 200, as often as the INVITE comes again (RFC 3261 §13.3.1.4).
    static let answers = Step("""
        <label id="1"/>
        \(send(response(200), description()))
        <recv request="INVITE" optional="true" next="1"/>
        <recv request="ACK"/>
        """)

    static func refuses(_ status: Int) -> Step { Step("\(send(response(status)))\n<recv request=\"ACK\"/>") }

    /// 302 to [service] (RFC 3261 §8.1.3.4).
    static let forwards = Step("\(send(response(302, "Contact: <sip:[service]@demo.localhost>")))\n<recv request=\"ACK\"/>")

    /// Its CANCEL comes.
    static let isGivenUp = Step("""
        <recv request="CANCEL"/>
        \(accepts)
        \(send(response(487)))
        <recv request="ACK"/>
        """)

    // MARK: Talking

    static func pauses(_ milliseconds: Int) -> Step { Step("<pause milliseconds=\"\(milliseconds)\"/>") }

    /// A request within the dialog, and the status of its answer. Each has a CSeq number that is higher than the one before.
    static func sends(_ method: String, _ sequence: Int, _ headers: String..., gets status: Int = 200) -> Step {
        Step { side in "\(send(([request(method, sequence, side)] + headers).joined(separator: "\n")))\n<recv response=\"\(status)\"/>" }
    }

    /// A REFER to [service], whose CSeq names its subscription (RFC 3515 §2.4.6). `dialog`: whose place is to be taken there (RFC 5589 §7).
    static func refers(_ sequence: Int, replacing dialog: String? = nil) -> Step {
        let escaped = dialog.map { $0.replacing("@", with: "%40").replacing(";", with: "%3B").replacing("=", with: "%3D") }
        return Step { side in
            let target = "sip:[service]@demo.localhost" + (escaped.map { "?Replaces=\($0)" } ?? "")
            let head = [request("REFER", sequence, side), contact, "Refer-To: <\(target)>"].joined(separator: "\n")
            return "\(send(head))\n<recv response=\"202\"/>"
        }
    }

    /// SUBSCRIBE within the dialog: a subscription goes on, or ends with 0 (RFC 6665 §4.1.2.2, §4.1.2.3).
    static func subscribes(_ sequence: Int, to event: String = "refer", seconds: Int, gets status: Int = 200) -> Step {
        sends("SUBSCRIBE", sequence, contact, "Event: \(event)", "Expires: \(seconds)", gets: status)
    }

    /// A MESSAGE within the call (RFC 3428).
    static func writes(_ sequence: Int, _ text: String) -> Step {
        Step { side in "\(send(request("MESSAGE", sequence, side), text, type: "text/plain"))\n<recv response=\"200\"/>" }
    }

    /// A re-INVITE (RFC 3261 §14.1): `port` away from where its sound was; the answer says `expects`.
    static func offersAgain(_ sequence: Int, _ direction: String, port: Int = 0, expects: String, at contact: String = Step.contact) -> Step {
        Step { side in
            """
            \(send([request("INVITE", sequence, side), contact].joined(separator: "\n"), description(direction, port: port)))
            <recv response="100" optional="true"/>
            <recv response="200">
              <action>
                <ereg regexp="a=\(expects)" search_in="body" check_it="true" assign_to="direction\(sequence)"/>
                <log message="[$direction\(sequence)]"/>
              </action>
            </recv>
            \(send(request("ACK", sequence, side), again: false))
            """
        }
    }

    /// A request that must come, whose `header` must have `text` in it, and the answer to it.
    static func gets(_ method: String, _ header: String? = nil, has text: String = "", in body: String? = nil, answers status: Int = 200) -> Step {
        var checks: [String] = []
        if let header { checks.append(check("search_in=\"hdr\" header=\"\(header):\"", text)) }
        if let body { checks.append(check("search_in=\"body\"", body)) }
        return Step("""
            <recv request="\(method)">\(action(checks))</recv>
            \(status == 200 ? accepts : accepts.replacing("200 OK", with: "\(status) No"))
            """)
    }

    static func hangsUp(_ sequence: Int) -> Step { sends("BYE", sequence) }
    static let isHungUpOn = gets("BYE")

    /// At its new address (RFC 3261 §12.2.1.1).
    static func isHungUpOn(at user: String) -> Step {
        Step("""
            <recv request="BYE">
              <action>
                <ereg regexp="^BYE sip:\(user)" search_in="msg" check_it="true" assign_to="target"/>
                <log message="[$target]"/>
              </action>
            </recv>
            \(accepts)
            """)
    }

    private static let accepts = send(
        """
        SIP/2.0 200 OK
        [last_Via:]
        [last_From:]
        [last_To:]
        [last_Call-ID:]
        [last_CSeq:]
        """, again: false)

    // MARK: Parts

    private static let own = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport\nMax-Forwards: 70"
    static let contact = "Contact: <sip:[user]@[local_ip]:[local_port];transport=[transport]>"
    /// Of a phone that mixes (RFC 4579 §5.1).
    static let focus = "Contact: <sip:conf-[user]@[local_ip]:[local_port];transport=[transport]>;isfocus"

    private static func request(_ method: String, _ sequence: Int, _ side: SippScript.Side) -> String {
        let ends =
            switch side {
            case .caller: "From: <sip:[user]@demo.localhost>;tag=[pid]c[call_number]\nTo: <sip:[service]@demo.localhost>[peer_tag_param]"
            case .callee: "From:[$self];tag=[pid]s[call_number]\nTo:[$peer]"
            }
        return "\(method) [next_url] SIP/2.0\n\(own)\n[routes]\n\(ends)\nCall-ID: [call_id]\nCSeq: \(sequence) \(method)"
    }

    private static func description(_ direction: String = "sendrecv", port: Int = 0) -> String {
        """
        v=0
        o=[user] 1 [pid] IN IP4 [local_ip]
        s=-
        c=IN IP4 [media_ip]
        t=0 0
        m=audio [media_port\(port == 0 ? "" : "+\(port)")] RTP/AVP 0 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=\(direction)
        """
    }

    /// That `pattern` is in that part of what has come, or is not. (A variable that nobody uses is an error to SIPp.)
    private static func check(_ part: String, _ pattern: String, isThere: Bool = true) -> String {
        let name = "v\(UInt32.random(in: .min ... .max))"
        let check = isThere ? "check_it" : "check_it_inverse"
        return "<ereg regexp=\"\(pattern)\" \(part) \(check)=\"true\" assign_to=\"\(name)\"/>\n    <log message=\"[$\(name)]\"/>"
    }

    private static func action(_ checks: [String]) -> String {
        checks.isEmpty ? "" : "\n  <action>\n    \(checks.joined(separator: "\n    "))\n  </action>\n"
    }

    private static func send(_ head: String, _ body: String? = nil, type: String = "application/sdp", again: Bool = true) -> String {
        let content = body.map { "Content-Type: \(type)\nContent-Length: [len]\n\n\($0)\n" } ?? "Content-Length: 0\n\n"
        return "<send\(again ? " retrans=\"500\"" : "")><![CDATA[\n\n\(head)\n\(content)]]></send>"
    }
}
