import SIP
import Testing

/// Messages of RFC 4475, the torture tests. Names are those of the RFC.
@Suite("RFC 4475: torture messages")
struct TortureTests {
    @Test("§3.1.1.1 wsinv: unusual white space, folding and unknown headers are fine")
    func wsinv() throws {
        let message = try parsed(
            """
            INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
            TO :
             sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
            from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
              ;
              tag = 98asjd8
            MaX-fOrWaRdS: 0068
            Call-ID: wsinv.ndaksdj@192.0.2.1
            Content-Length   : 150
            cseq: 0009
              INVITE
            Via  : SIP  /   2.0
             /UDP
                192.0.2.2;branch=390skdjuw
            s :
            NewFangledHeader:   newfangled value
             continued newfangled value
            UnknownHeaderWithUnusualValue: ;;,,;;,;
            Content-Type: application/sdp
            Route:
             <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
            v:  SIP  / 2.0  / TCP     spindle.example.com   ;
              branch  =   z9hG4bK9ikj8  ,
             SIP  /    2.0   / UDP  192.168.255.111   ; branch=
             z9hG4bK30239
            m:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =
                  newvalue ;
              secondparam ; q = 0.33


            """ + String(repeating: "x", count: 150))
        #expect(message.requestDefect == nil)
        #expect(message.to?.tag == "1918181833n")
        #expect(message.from?.display == "J Rosenberg \\\"")
        #expect(message.from?.tag == "98asjd8")
        #expect(message.maxForwards == 68)
        #expect(message.cseq == CSeq(9, .invite))
        #expect(message.vias?.map(\.branch) == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"])
        #expect(message.contact?.display == "Quoted string \"\"")
        #expect(message.contact?.parameters["newparam"] == "newvalue")
        #expect(message.value(named: "newfangledheader") == "newfangled value continued newfangled value")
        #expect(message.topmostRoute?.uri.isLooseRouter == true)
    }

    @Test("§3.1.1.3 esc01: percent escapes of the user part")
    func esc01() throws {
        let message = try parsed(
            """
            INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0
            To: sip:%75se%72@example.com
            From: <sip:I%20have%20spaces@example.net>;tag=938
            Max-Forwards: 87
            i: esc01.239409asdfakjkn23onasd0-3234
            CSeq: 234234 INVITE
            Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw
            C: application/sdp
            Contact:
              <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
            Content-Length: 0


            """)
        #expect(message.requestDefect == nil)
        #expect(message.requestURI?.decodedUser == "sips:user@example.com")
        #expect(message.to?.uri.decodedUser == "user")
        #expect(message.from?.uri.decodedUser == "I have spaces")
        #expect(message.contact?.uri.decodedUser == "caller")
        #expect(message.contact?.uri.isLooseRouter == false)
    }

    @Test("§3.1.1.6 lwsdisp, §3.1.1.9 semiuri, §3.1.1.13 noreason and unreason")
    func small() throws {
        #expect(NameAddress("caller<sip:caller@example.com>;tag=323")?.display == "caller")
        #expect(URI("sip:user;par=u%40example.net@example.com")?.user == "user;par=u%40example.net")
        #expect(try parsed("SIP/2.0 100 \n\n").reason == "")
        #expect(try parsed("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто\n\n").reason == "= 2**3 * 5**2 но сто девяносто")
    }

    @Test("§3.1.1.7 longreq: long values are no reason to refuse")
    func longreq() throws {
        let name = String(repeating: "longvalue", count: 50)
        let message = try parsed(
            "INVITE sip:user@example.com SIP/2.0\nTo: \"I have a user name of extreme proportion\" "
                + "<sip:user@example.com:6000;unknownparam1=\(name)>\nF: sip:x@y;tag=12\(name)424;unknownheaderparam\(name)=\(name)\n\n"
        )
        #expect(message.from?.tag == "12\(name)424")
        #expect(message.to?.uri.port == 6000)
    }

    @Test("§3.1.1.8 dblreq: what follows the first message of a datagram is ignored")
    func dblreq() throws {
        let message = try parsed("REGISTER sip:example.com SIP/2.0\nl: 0\n\nINVITE sip:joe@example.com SIP/2.0\n\n")
        #expect(message.method == .register)
        #expect(message.body.isEmpty)
    }

    /// A request that is right in all but what the test puts in.
    private func request(
        _ line: String = "INVITE sip:user@example.com SIP/2.0", via: String = "Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw",
        to: String = "To: sip:j.user@example.com", from: String = "From: sip:caller@example.net;tag=134161461246",
        cseq: String = "CSeq: 8 INVITE", more: String = "Max-Forwards: 7"
    ) throws -> Message {
        try parsed("\(line)\n\(via)\n\(to)\n\(from)\nCall-ID: badinv01.0ha0isndaksdjasdf3234nas\n\(cseq)\n\(more)\n\n")
    }

    @Test("Requests that parse, and are refused with the status the RFC names")
    func refused() throws {
        #expect(try request().requestDefect == nil)
        let cases: [(Message, Int, String)] = [
            (try request(via: "Via: SIP/2.0/UDP 192.0.2.15;;,;,,"), 400, "§3.1.2.1 badinv01"),
            (try request(more: "Contact: \"Joe\" <sip:joe@example.org>;;;;"), 400, "§3.1.2.1 badinv01"),
            (try request(cseq: "CSeq: 36893488147419103232 INVITE"), 400, "§3.1.2.4 scalar02"),
            (try request(more: "Max-Forwards: 300"), 400, "§3.1.2.4 scalar02"),
            (try request(to: "To: \"Mr. J. User <sip:j.user@example.com>"), 400, "§3.1.2.6 quotbal"),
            (try request("INVITE <sip:user@example.com> SIP/2.0"), 400, "§3.1.2.7 ltgtruri"),
            (try request(more: "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E"), 400, "§3.1.2.13 regbadct"),
            (try request("INVITE sip:sip%3Auser%40example.com%ZZ@example.net SIP/2.0"), 400, "escapes"),
            (try request(from: "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"), 400, "§3.1.2.15 baddn"),
            (try request("INVITE sip:t.watson@example.org SIP/7.0"), 505, "§3.1.2.16 badvers"),
            (try request("OPTIONS sip:user@example.com SIP/2.0"), 400, "§3.1.2.17 mismatch01"),
            (try request("INVITE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"), 416, "§3.3.2 unkscm"),
            (try request("INVITE soap.beep://192.0.2.103:3002 SIP/2.0"), 416, "§3.3.3 novelsc"),
            (try request(more: "From: sip:other@example.com;tag=3\nMax-Forwards: 5"), 400, "§3.3.8 multi01"),
        ]
        for (message, status, name) in cases {
            #expect(message.requestDefect?.status == status, "\(name)")
        }
    }

    @Test("§3.3.1 insuf: each required header is missed")
    func insufficient() throws {
        #expect(try request(via: "X: 1").requestDefect?.status == 400)
        #expect(try request(to: "X: 1").requestDefect?.status == 400)
        #expect(try request(from: "X: 1").requestDefect?.status == 400)
        #expect(try request(cseq: "X: 1").requestDefect?.status == 400)
    }

    @Test("§3.1.2.2 clerr, §3.1.2.3 ncl, §3.1.2.8 lwsruri, §3.1.2.9 lwsstart, §3.1.2.10 trws, §3.3.9 mcl01: no message at all")
    func unparseable() {
        #expect(throws: ParseError.truncatedBody) { try self.request(more: "Content-Length: 9999") }
        #expect(throws: ParseError.badContentLength) { try self.request(more: "Content-Length: -999") }
        #expect(throws: ParseError.badStartLine) { try self.request("INVITE sip:user@example.com; lr SIP/2.0") }
        #expect(throws: ParseError.badStartLine) { try self.request("INVITE  sip:user@example.com  SIP/2.0") }
        #expect(throws: ParseError.badStartLine) { try self.request("OPTIONS sip:remote-target@example.com SIP/2.0  ") }
        #expect(throws: ParseError.conflictingContentLength) { try self.request(more: "Content-Length: 0\nContent-Length: 4") }
    }
}
