import Addresses
import Cryptography
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: admission and forwarding (RFC 3261 §16)")
struct ProxyCoreTests {
    private let bench = EdgeBench()

    @Test("§16.3: a bad request is refused with the status the RFC names")
    func sanity() throws {
        func status(_ message: Message) throws -> Int? { try EdgeBench.answer(bench.outside(message)).status }
        #expect(try status(try EdgeBench.request("INVITE", maxForwards: 0)) == 483)
        #expect(try status(try EdgeBench.request("INVITE", uri: "mailto:x@y", to: "sip:x@y")) == 416)
        #expect(try status(try EdgeBench.request("INVITE", uri: "sip:%zz@y", to: "sip:x@y")) == 400)
        #expect(try status(try EdgeBench.request("INVITE", more: ["CSeq: 2 INVITE"])) == 400)
        let demanding = try EdgeBench.answer(bench.outside(try EdgeBench.request("INVITE", more: ["Proxy-Require: magic, more"])))
        #expect(demanding.status == 420)
        #expect(demanding.value(.unsupported) == "magic, more")
        let bytes = try EdgeBench.request("INVITE").bytes
        let newer = String(decoding: bytes, as: UTF8.self).replacing("demo.localhost SIP/2.0", with: "demo.localhost SIP/3.0")
        #expect(try status(try Message.parse(Array(newer.utf8))) == 505)
    }

    @Test("An ACK is never answered, and the ACK of our own refusal goes no further")
    func acknowledgements() throws {
        guard case .drop(.unanswerable) = bench.outside(try EdgeBench.request("ACK", maxForwards: 0)) else {
            throw EdgeBench.Unexpected(what: "answered")
        }
        let refusal = try EdgeBench.answer(bench.outside(try EdgeBench.request("INVITE")))
        let ack = try EdgeBench.request("ACK", toTag: refusal.to?.tag)
        guard case .drop(.ownAcknowledgement) = bench.outside(ack) else { throw EdgeBench.Unexpected(what: "forwarded") }
        let other = try EdgeBench.forwarded(bench.outside(try EdgeBench.request("ACK", toTag: "theirs")))
        #expect(other.to == .server(EdgeBench.callServer))
    }

    @Test("§11: OPTIONS without a user is for the edge")
    func options() throws {
        #expect(try EdgeBench.answer(bench.outside(try EdgeBench.request("OPTIONS", uri: "sip:127.0.0.1:5060"))).status == 200)
        #expect(try EdgeBench.answer(bench.outside(try EdgeBench.request("OPTIONS"))).status == 407)
    }

    @Test("RFC 3327: REGISTER goes to a registrar with the flow as its Path")
    func register() throws {
        let decision = try bench.authenticated(
            "REGISTER", uri: "sip:demo.localhost", to: "sip:1001@demo.localhost", more: ["Path: <sip:other;lr>"])
        let (message, destination) = try EdgeBench.forwarded(decision)
        #expect(destination == .server(EdgeBench.registrar))
        let paths = try #require(message.paths)
        #expect(paths.count == 2)
        #expect(paths[0].uri.socketAddress == EdgeBench.insideAddress)
        #expect(paths[0].uri.isLooseRouter)
        let token = try #require(bench.token(paths[0].uri))
        #expect(token == FlowToken(flow: EdgeBench.phone, over: .udp, inside: EdgeBench.insideAddress))
        #expect(!message.contains(.recordRoute))
        #expect(!message.contains(.authorization))
    }

    @Test("RFC 5626 §5.1, §4.4: a phone that asks for outbound gets ob in its Path and a Flow-Timer for its transport", arguments: [
        (Transport.udp, "30"), (.tcp, "120"), (.wss, "120"),
    ])
    func outbound(transport: Transport, seconds: String) throws {
        var bench = bench
        bench.arrival = Arrival(source: EdgeBench.phone, transport: transport, connection: transport == .udp ? 0 : 3, received: EdgeBench.start)
        func register(_ more: [String]) throws -> Message {
            try EdgeBench.forwarded(
                try bench.authenticated("REGISTER", uri: "sip:demo.localhost", to: "sip:1001@demo.localhost", more: more)
            ).message
        }
        let asks = try register(["Supported: path, outbound", "X-Tandem-Flow-Timer: 1"])
        #expect(asks.paths?.first?.uri.parameters.contains("ob") == true)
        #expect(asks.value(named: "X-Tandem-Flow-Timer") == seconds)
        let plain = try register(["Supported: path"])
        #expect(plain.paths?.first?.uri.parameters.contains("ob") == false)
        #expect(plain.value(named: "X-Tandem-Flow-Timer") == nil)
    }

    @Test("§16.6, RFC 5658: an INVITE goes in with our Via, two Record-Routes, one hop less and nothing the phone asserted")
    func invite() throws {
        let lies = [
            "P-Asserted-Identity: <sip:boss@demo.localhost>", "X-Tandem-Customer: cus_2", "x-tandem-anything: 1",
            "Remote-Party-ID: <sip:boss@x>",
            "Diversion: <sip:boss@x>", "History-Info: <sip:boss@x>", "Route: <sip:127.0.0.1:5060;lr>",
            "Route: <sip:evil@10.9.9.9;lr>", "X-Kept: yes",
        ]
        let (message, destination) = try EdgeBench.forwarded(try bench.authenticated("INVITE", more: lies))
        #expect(destination == .server(EdgeBench.callServer))
        let vias = try #require(message.vias)
        #expect(vias.count == 2)
        #expect(vias[0].responseAddress == EdgeBench.insideAddress)
        #expect(vias[0].hasUniqueBranch)
        #expect(vias[1].responseAddress == EdgeBench.phone)
        #expect(message.maxForwards == 69)
        let routes = try #require(message.recordRoutes)
        #expect(routes.map(\.uri.socketAddress) == [EdgeBench.insideAddress, EdgeBench.outsideAddress])
        #expect(bench.token(routes[0].uri)?.remote == EdgeBench.phone)
        #expect(bench.token(routes[1].uri) == FlowToken(server: EdgeBench.callServer))
        #expect(message.addresses(.pAssertedIdentity)?.map(\.uri.user) == ["1001"])
        #expect(message.fields.filter { message.name(of: $0).lowercased().hasPrefix("x-tandem-") }.count == 1)
        for gone in [HeaderName.remotePartyID, .diversion, .historyInfo, .route] { #expect(!message.contains(gone)) }
        #expect(message.value(named: "X-Kept") == "yes")
    }

    @Test("§16.11: the same request twice makes the same bytes; CANCEL and the ACK of a failure follow their INVITE")
    func deterministic() throws {
        let first = try EdgeBench.forwarded(bench.outside(try EdgeBench.request("CANCEL")))
        let second = try EdgeBench.forwarded(bench.outside(try EdgeBench.request("CANCEL")))
        #expect(first.message.bytes == second.message.bytes)
        let ack = try EdgeBench.forwarded(bench.outside(try EdgeBench.request("ACK", toTag: "x")))
        #expect(ack.message.topmostVia?.branch == first.message.topmostVia?.branch)
        #expect(!ack.message.contains(.recordRoute))
    }

    @Test("A response finds the phone by the token in our Via, and private headers stay inside")
    func responseToPhone() throws {
        let (invite, _) = try EdgeBench.forwarded(try bench.authenticated("INVITE"))
        var ringing = ResponseBuilder(invite, 180, toTag: "cs")
        ringing.copiesRecordRoute = true
        ringing.add(.pAssertedIdentity, "<sip:1002@demo.localhost>")
        ringing.headers.append(Header("X-Tandem-Secret", "1"))
        let response = try Message.parse(ringing.serialised())
        let (message, destination) = try EdgeBench.forwarded(bench.core.receiveInside(response, from: EdgeBench.callServer))
        #expect(destination == .flow(FlowToken(flow: EdgeBench.phone, over: .udp, inside: EdgeBench.insideAddress)))
        #expect(message.vias?.count == 1)
        #expect(message.topmostVia?.sentBy == "10.0.0.5:5060")
        #expect(!message.contains(.pAssertedIdentity))
        #expect(message.value(named: "X-Tandem-Secret") == nil)
    }

    @Test("A phone without rport is answered at the port of its Via, but only at the address it came from")
    func withoutPort() throws {
        let bytes = try EdgeBench.request("INVITE").bytes
        let plain = String(decoding: bytes, as: UTF8.self).replacing("rport;branch", with: "maddr=10.7.7.7;branch")
        guard case .replyOutside(_, let status, let address) = bench.outside(try Message.parse(Array(plain.utf8))) else {
            throw EdgeBench.Unexpected(what: "no reply")
        }
        #expect(status == 407)
        #expect(address == SocketAddress(EdgeBench.phone.address, port: 5060))
    }

    @Test("A whole dialog, the phone calling: BYE from either side passes by the recorded routes")
    func dialogFromPhone() throws {
        let (invite, _) = try EdgeBench.forwarded(try bench.authenticated("INVITE"))
        // The call server's side.
        var server = try #require(Dialog(calleeOf: invite, localTag: "cs"))
        let bye = server.request(.bye)
        #expect(bye.destination == EdgeBench.insideAddress)
        let sent = try Message.parse(
            bye.serialised(via: Via(transport: .udp, sentBy: EdgeBench.callServer, branch: "z9hG4bKbye")))
        let (toPhone, destination) = try EdgeBench.forwarded(bench.core.receiveInside(sent, from: EdgeBench.callServer))
        #expect(destination == .flow(FlowToken(flow: EdgeBench.phone, over: .udp, inside: EdgeBench.insideAddress)))
        #expect(!toPhone.contains(.route))
        #expect(toPhone.vias?.map(\.responseAddress) == [EdgeBench.outsideAddress, EdgeBench.callServer])
        #expect(!toPhone.contains(.recordRoute))
        // The phone answers it, through the outside.
        let ok = try Message.parse(ResponseBuilder(toPhone, 200).serialised())
        let (back, way) = try EdgeBench.forwarded(bench.outside(ok))
        #expect(way == .server(EdgeBench.callServer))
        #expect(back.vias?.map(\.responseAddress) == [EdgeBench.callServer])
        // The phone's side.
        var answer = ResponseBuilder(invite, 200, toTag: "cs")
        answer.copiesRecordRoute = true
        answer.contact = NameAddress(URI(EdgeBench.callServer))
        let response = try EdgeBench.forwarded(
            bench.core.receiveInside(try Message.parse(answer.serialised()), from: EdgeBench.callServer)
        ).message
        let request = RequestBuilder(
            .invite, uri: URI(user: "1002", host: "demo.localhost"), from: try #require(invite.from),
            to: NameAddress(URI(user: "1002", host: "demo.localhost")),
            callID: "call-1", cseq: 1)
        var phone = try #require(Dialog(callerOf: request, response: response))
        let byeFromPhone = phone.request(.bye)
        #expect(byeFromPhone.destination == EdgeBench.outsideAddress)
        let arrived = try Message.parse(
            byeFromPhone.serialised(via: Via(transport: .udp, sentBy: EdgeBench.phone, branch: "z9hG4bKbye2")))
        let (inside, to) = try EdgeBench.forwarded(bench.outside(arrived))
        #expect(to == .server(EdgeBench.callServer))
        #expect(!inside.contains(.route))
        #expect(inside.requestURI?.socketAddress == EdgeBench.callServer)
    }

    /// How each transport is named in Via and in a URI, where both kinds of WebSocket share a word (RFC 7118 §5.2).
    static let streams: [(Transport, via: String, uri: String, port: UInt16)] = [
        (.tcp, "SIP/2.0/TCP", "tcp", 5060), (.tls, "SIP/2.0/TLS", "tls", 5061), (.ws, "SIP/2.0/WS", "ws", 8088),
        (.wss, "SIP/2.0/WSS", "ws", 8089),
    ]

    @Test("A call to a phone: by its Path to its flow, with routes for what comes back", arguments: streams)
    func callToPhone(_ transport: Transport, via: String, uri: String, port: UInt16) throws {
        let outside = SocketAddress(EdgeBench.outsideAddress.address, port: port)
        let flow = FlowToken(flow: EdgeBench.phone, over: transport, inside: EdgeBench.insideAddress, connection: 9)
        var invite = RequestBuilder(
            .invite, uri: URI(user: "1002", host: "10.0.0.5", port: 5060),
            from: try #require(NameAddress("<sip:1001@demo.localhost>;tag=cs")),
            to: try #require(NameAddress("<sip:1002@demo.localhost>")), callID: "leg-2", cseq: 1)
        invite.routes = [try #require(NameAddress("<sip:\(flow.sealed(key: bench.core.tokenKey))@\(EdgeBench.insideAddress);lr>"))]
        invite.contact = NameAddress(URI(EdgeBench.callServer))
        invite.headers = [Header("X-Tandem-Call", "call_1")]
        #expect(invite.destination == EdgeBench.insideAddress)
        let sent = try Message.parse(
            invite.serialised(via: Via(transport: .udp, sentBy: EdgeBench.callServer, branch: "z9hG4bKout")))
        let (message, destination) = try EdgeBench.forwarded(bench.core.receiveInside(sent, from: EdgeBench.callServer))
        #expect(destination == .flow(flow))
        #expect(message.topmostVia?.description.hasPrefix("\(via) \(outside);") == true)
        #expect(message.recordRoutes?.map(\.uri.socketAddress) == [outside, EdgeBench.insideAddress])
        #expect(message.recordRoutes?.first?.uri.parameters["transport"] == uri)
        #expect(message.value(named: "X-Tandem-Call") == nil)
        #expect(!message.contains(.route))
        // The phone, as callee, hangs up: past the edge to the same call server.
        var phone = try #require(Dialog(calleeOf: message, localTag: "phone"))
        let bye = try Message.parse(
            phone.request(.bye).serialised(via: Via(transport: .tcp, sentBy: EdgeBench.phone, branch: "z9hG4bK3")))
        #expect(try EdgeBench.forwarded(bench.outside(bye)).to == .server(EdgeBench.callServer))
        // A dead connection is told to the call server.
        let gone = try EdgeBench.answer(bench.core.flowFailed(sent, from: EdgeBench.callServer))
        #expect(gone.status == 430)
    }

    @Test("A response to a request of a server that is no more goes where its call's requests go now")
    func responseOfTheDead() throws {
        var bench = bench
        let token = FlowToken(server: EdgeBench.callServer).sealed(key: bench.core.tokenKey)
        let lines = [
            "SIP/2.0 200 OK", "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;tandem=\(token)",
            "Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK2", "From: <sip:a@b>;tag=1", "To: <sip:a@b>;tag=2", "Call-ID: c",
            "CSeq: 1 INVITE", "", "",
        ]
        let response = try Message.parse(Array(lines.joined(separator: "\r\n").utf8))
        #expect(try EdgeBench.forwarded(bench.outside(response)).to == .server(EdgeBench.callServer))
        let other = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 6001)
        bench.directory.callServers = [.init(instance: "CallServer-2", address: other, isDraining: false)]
        #expect(try EdgeBench.forwarded(bench.outside(response)).to == .server(other))
        // Nobody is there: perhaps it is, and has not been heard of yet.
        bench.directory.callServers = []
        #expect(try EdgeBench.forwarded(bench.outside(response)).to == .server(EdgeBench.callServer))
    }

    @Test("Without our signature: a To tag is no dialog, a route no flow, a response no way in")
    func forged() throws {
        let key = SipHash(key: [UInt8](repeating: 9, count: 32))
        let route = "Route: <sip:\(FlowToken(server: EdgeBench.registrar).sealed(key: key))@127.0.0.1:5060;lr>"
        #expect(
            try EdgeBench.answer(bench.outside(try EdgeBench.request("INVITE", toTag: "made-up", more: [route]))).status == 407)
        #expect(try EdgeBench.answer(bench.outside(try EdgeBench.request("BYE", toTag: "made-up"))).status == 407)
        let flow = FlowToken(flow: EdgeBench.phone, over: .udp, inside: EdgeBench.insideAddress).sealed(key: key)
        let inward = try EdgeBench.request("INVITE", more: ["Route: <sip:\(flow)@127.0.0.1:15060;lr>"])
        #expect(try EdgeBench.answer(bench.core.receiveInside(inward, from: EdgeBench.callServer)).status == 404)
        let lines = [
            "SIP/2.0 200 OK", "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;tandem=\(flow)",
            "Via: SIP/2.0/UDP 127.0.0.1:7000;branch=z9hG4bK2", "From: <sip:a@b>;tag=1", "To: <sip:a@b>;tag=2", "Call-ID: c",
            "CSeq: 1 INVITE", "", "",
        ]
        let response = try Message.parse(Array(lines.joined(separator: "\r\n").utf8))
        guard case .drop(.foreignResponse) = bench.outside(response) else { throw EdgeBench.Unexpected(what: "forwarded") }
    }

    @Test("§16.6 step 7: in a dialog by the token while its server lives, else by Call-ID; new calls avoid the draining")
    func placing() throws {
        var bench = EdgeBench()
        let others = (0..<4).map { index in
            Directory.Server(
                instance: "CallServer-\(index)", address: SocketAddress(IPAddress(v4: 0x7f00_0001), port: UInt16(6100 + index)),
                isDraining: false)
        }
        bench.directory.callServers = Directory.Servers(others)
        let token = FlowToken(server: others[2].address).sealed(key: bench.core.tokenKey)
        let bye = try EdgeBench.request("BYE", toTag: "x", more: ["Route: <sip:\(token)@127.0.0.1:5060;lr>"])
        #expect(try EdgeBench.forwarded(bench.outside(bye)).to == .server(others[2].address))
        bench.directory.callServers = Directory.Servers(others.filter { $0 != others[2] })
        let adopted = try EdgeBench.forwarded(bench.outside(bye)).to
        #expect(adopted != .server(others[2].address))
        #expect(try EdgeBench.forwarded(bench.outside(try EdgeBench.request("CANCEL"))).to == adopted)
        bench.directory.callServers = Directory.Servers(
            others.map {
                Directory.Server(instance: "x\($0.address.port)", address: $0.address, isDraining: $0.address != others[1].address)
            })
        for call in 0..<20 {
            #expect(
                try EdgeBench.forwarded(try bench.authenticated("INVITE", callID: "call-\(call)")).to
                    == .server(others[1].address))
        }
    }

    @Test("Nobody inside: whoever asks is told when to come back, in its dialog too; an ACK vanishes")
    func nobody() throws {
        var bench = EdgeBench()
        let (invite, _) = try EdgeBench.forwarded(try bench.authenticated("INVITE"))
        let routes = try #require(invite.recordRoutes).reversed().map { "Route: <\($0.uri)>" }
        bench.directory = Directory()
        let refused = [
            try bench.authenticated("INVITE"), try bench.authenticated("REGISTER", to: "sip:1001@demo.localhost"),
            bench.outside(try EdgeBench.request("BYE", toTag: "cs", more: routes)),
        ]
        for judgement in refused {
            guard case .unavailable = judgement else { throw EdgeBench.Unexpected(what: "\(judgement)") }
        }
        guard case .drop(.noServer) = bench.outside(try EdgeBench.request("ACK")) else {
            throw EdgeBench.Unexpected(what: "not dropped")
        }
    }

    @Test("RFC 5031: a call for help by its name goes to a call server as it came; other URNs, and a REGISTER for one, are 416", arguments: [
        "urn:service:sos", "urn:service:sos.fire", "URN:SERVICE:SOS",
    ])
    func emergencyServices(uri: String) throws {
        let (invite, destination) = try EdgeBench.forwarded(try bench.authenticated("INVITE", uri: uri, to: uri))
        #expect(destination == .server(EdgeBench.callServer))
        #expect(invite.requestURIText == uri)
        for (method, uri) in [("INVITE", "urn:service:counseling"), ("INVITE", "urn:service:sosx"), ("REGISTER", uri)] {
            #expect(try EdgeBench.answer(bench.outside(try EdgeBench.request(method, uri: uri, to: "sip:1001@demo.localhost"))).status == 416)
        }
    }

    @Test("RFC 3680, RFC 4235: a SUBSCRIBE for registrations or dialogs goes to a registrar, in its dialog to the one that has it while that lives",
        arguments: ["reg;id=1", "reg ;id=1", "dialog", "dialog;sla"])
    func registrarEvents(event: String) throws {
        var bench = bench
        let more = ["Event: \(event)"]
        let (subscribe, first) = try EdgeBench.forwarded(try bench.authenticated("SUBSCRIBE", to: "sip:1001@demo.localhost", more: more))
        #expect(first == .server(EdgeBench.registrar))
        let route = try #require(subscribe.recordRoutes?.last)
        let refresh = try EdgeBench.request("SUBSCRIBE", toTag: "r", more: more + ["Route: <\(route.uri)>"])
        #expect(try EdgeBench.forwarded(bench.outside(refresh)).to == .server(EdgeBench.registrar))
        let successor = SocketAddress(.loopbackIPv4, port: 7100)
        bench.directory.registrars = [.init(instance: "Registrar-2", address: successor, isDraining: false)]
        #expect(try EdgeBench.forwarded(bench.outside(refresh)).to == .server(successor))
    }

    @Test("RFC 6665 §8.3.2: a SUBSCRIBE for any other event goes to a registrar, which refuses it with those there are", arguments: ["Event: presence", "Supported: path"])
    func otherEvents(header: String) throws {
        let other = try bench.authenticated("SUBSCRIBE", more: [header])
        #expect(try EdgeBench.forwarded(other).to == .server(EdgeBench.registrar))
    }

    @Test("RFC 6665: within a call a SUBSCRIBE is the call server's, whatever it is for")
    func eventsWithinCalls() throws {
        let (invite, _) = try EdgeBench.forwarded(try bench.authenticated("INVITE", to: "sip:1001@demo.localhost"))
        let route = try #require(invite.recordRoutes?.last)
        for event in ["dialog", "reg", "refer"] {
            let request = try EdgeBench.request("SUBSCRIBE", toTag: "r", more: ["Event: \(event)", "Route: <\(route.uri)>"])
            #expect(try EdgeBench.forwarded(bench.outside(request)).to == .server(EdgeBench.callServer), "\(event)")
        }
    }

    @Test("RFC 3261 §16.3: what comes back from the same side is a loop; what a server sends back out unchanged is none")
    func loops() throws {
        var bench = bench
        var configuration = bench.core.configuration
        let everywhere = try #require(AddressRange("0.0.0.0/0"))
        configuration.alone = ProxyCore.Alone(trusted: [everywhere], servers: [EdgeBench.callServer])
        bench.core = ProxyCore(configuration)
        let (inside, _) = try EdgeBench.forwarded(bench.outside(try EdgeBench.request("INVITE", uri: "sip:1002@192.0.2.9:5060")))
        #expect(try EdgeBench.answer(bench.outside(inside)).status == 482)
        let passed = try EdgeBench.forwarded(bench.core.receiveInside(inside, from: EdgeBench.callServer))
        #expect(passed.message.vias?.count == 3)
    }
}
