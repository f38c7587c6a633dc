import SIP
import Testing

@Suite("Edits: a proxy changes what it names and nothing else")
struct EditsTests {
    private let original = """
        BYE sip:bob@127.0.0.1:5080 SIP/2.0
        v:  SIP/2.0/UDP a:5070;branch=z9hG4bK1 ,  SIP/2.0/UDP b;branch=z9hG4bK2
        X-Strange :  ;;,,  "un\\"usual"
           folded\twith tab
        Via: SIP/2.0/TCP c;branch=z9hG4bK3
        Route: <sip:one;lr>, <sip:two;lr>
        Max-Forwards: 70
        X-Tandem-Customer: 1
        x-tandem-Other: 2
        P-Asserted-Identity: <sip:liar@x>
        l: 2

        hi
        """

    @Test("No edit: not a byte changes")
    func untouched() throws {
        #expect(Edits(of: try parsed(original)).serialised() == wire(original))
    }

    @Test("§16.6: the way of a request through a proxy")
    func forwarded() throws {
        var edits = Edits(of: try parsed(original))
        edits.removeAll(.pAssertedIdentity)
        edits.removeAll(prefixed: "X-Tandem-")
        edits.replaceFirst(.via, "SIP/2.0/UDP a:5070;branch=z9hG4bK1;received=127.0.0.9")
        edits.set(.maxForwards, "69")
        edits.pop(.route)
        edits.replaceRequestURI("sip:new@host")
        edits.push(.via, "SIP/2.0/UDP me;branch=z9hG4bK0")
        edits.append("X-Tandem-Customer", "42")
        let expected = """
            BYE sip:new@host SIP/2.0
            Via: SIP/2.0/UDP me;branch=z9hG4bK0
            v:  SIP/2.0/UDP a:5070;branch=z9hG4bK1;received=127.0.0.9 ,  SIP/2.0/UDP b;branch=z9hG4bK2
            X-Strange :  ;;,,  "un\\"usual"
               folded\twith tab
            Via: SIP/2.0/TCP c;branch=z9hG4bK3
            Route: <sip:two;lr>
            Max-Forwards: 69
            l: 2
            X-Tandem-Customer: 42

            hi
            """
        #expect(text(edits.serialised()) == text(wire(expected)))
    }

    @Test("Popping goes on to the next line, and removes empty ones")
    func pop() throws {
        func popped(_ count: Int) throws -> [String] {
            var edits = Edits(of: try parsed(original))
            edits.pop(.via, count: count)
            return try Message.parse(edits.serialised()).vias?.map(\.sentBy) ?? []
        }
        #expect(try popped(1) == ["b", "c"])
        #expect(try popped(2) == ["c"])
        #expect(try popped(3) == [])
    }

    @Test("Of several headers put on top the last stands first; a missing Content-Length is added")
    func order() throws {
        var edits = Edits(of: try parsed("OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/UDP a\n\nbody"))
        edits.push(.recordRoute, "<sip:inside;lr>")
        edits.push(.recordRoute, "<sip:outside;lr>")
        edits.prepend("First", "1")
        edits.prepend("Zeroth", "0")
        let expected =
            "OPTIONS sip:x SIP/2.0\nZeroth: 0\nFirst: 1\nVia: SIP/2.0/UDP a\nRecord-Route: <sip:outside;lr>\n"
            + "Record-Route: <sip:inside;lr>\nContent-Length: 4\n\nbody"
        #expect(text(edits.serialised()) == text(wire(expected)))
    }

    @Test("A value with a line end cannot smuggle a header into a new message")
    func injection() {
        var writer = MessageWriter(response: 200, reason: "O\r\nK: 1")
        writer.header(.to, "x\r\nEvil: 1")
        #expect(text(writer.finish()) == "SIP/2.0 200 O  K: 1\r\nTo: x  Evil: 1\r\nContent-Length: 0\r\n\r\n")
    }
}
