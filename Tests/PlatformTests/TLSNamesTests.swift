import Suite
import TLS
import Testing

@Suite("TLS: which certificate is shown, and whose is believed")
struct TLSNamesTests {
    /// Runs a handshake in memory; what the two ends think of it.
    private func shakeHands(
        _ server: TLSContext, _ client: TLSContext, serverName: String? = nil
    ) -> (server: TLSSession, client: TLSSession, failures: (server: TLSError?, client: TLSError?)) {
        let (atServer, atClient) = (TLSSession(server), TLSSession(client, serverName: serverName))
        var failures: (server: TLSError?, client: TLSError?)
        var toServer = atClient.start().ciphertext
        while !toServer.isEmpty {
            let output = atServer.receive(toServer)
            failures.server = failures.server ?? output.failure
            let answer = atClient.receive(output.ciphertext)
            failures.client = failures.client ?? answer.failure
            toServer = answer.ciphertext
        }
        return (atServer, atClient, failures)
    }

    private func identity(_ made: TestIdentity) -> TLSContext.Identity {
        TLSContext.Identity(certificate: made.certificate, key: made.key)
    }

    @Test("RFC 6066 §3: a client gets the certificate for the name it asks for, also by wildcard, else the first")
    func serverName() throws {
        let first = try TestIdentity("first", names: "DNS:first.example")
        let second = try TestIdentity("second", names: "DNS:second.example")
        let wild = try TestIdentity("wild", names: "DNS:*.wild.example")
        let server = try TLSContext.server([first, second, wild].map(identity))
        for (name, shown) in [("first.example", first), ("second.example", second), ("a.wild.example", wild)] {
            let ends = shakeHands(server, try TLSContext.client(trusting: shown.certificate), serverName: name)
            let areOpen = ends.client.isOpen && ends.server.isOpen
            #expect(areOpen, "\(name): \(String(describing: ends.failures))")
        }
        let nameless = shakeHands(server, try TLSContext.client(trusting: first.certificate))
        let isOpen = nameless.client.isOpen
        #expect(isOpen)
        // The first is shown for a name of nobody, and the client sees that it is not for that.
        let other = shakeHands(server, try TLSContext.client(trusting: first.certificate), serverName: "other.example")
        #expect(other.failures.client != nil)
    }

    @Test("RFC 5922 §7.1: a peer's names are the domains of its sip URIs, else its DNS names, else its common name", arguments: [
        ("cn.example", "URI:sip:one.example,URI:sip:bob@two.example,DNS:host.example", ["one.example"]),
        ("cn.example", "DNS:Host.Example,DNS:other.example", ["host.example", "other.example"]),
        ("CN.example", nil, ["cn.example"]),
    ] as [(String, String?, [String])])
    func peerNames(commonName: String, names: String?, expected: [String]) throws {
        let (own, authority) = (try TestIdentity(), try TestIdentity("authority", names: nil))
        let trunk = try TestIdentity(commonName, names: names, signedBy: authority)
        let second = try TestIdentity("second", names: "DNS:second.example")
        for clients in [
            TLSContext.ClientCertificates.required(authorities: authority.certificate), .optional(authorities: authority.certificate),
        ] {
            let server = try TLSContext.server([identity(second), identity(own)], clients: clients)
            for (shown, name) in [(own, "localhost"), (second, "second.example")] {
                let client = try TLSContext.client(trusting: shown.certificate, as: identity(trunk))
                let ends = shakeHands(server, client, serverName: name)
                let isOpen = ends.server.isOpen
                #expect(isOpen)
                #expect(ends.server.verifiedNames == expected)
                #expect(ends.client.verifiedNames == [name])
            }
        }
    }

    @Test("A client without a certificate is nobody where it is optional and turned away where it is required")
    func withoutCertificate() throws {
        let (own, authority) = (try TestIdentity(), try TestIdentity("authority", names: nil))
        let client = try TLSContext.client(trusting: own.certificate)
        let open = shakeHands(try TLSContext.server([identity(own)], clients: .optional(authorities: authority.certificate)), client)
        let isOpen = open.server.isOpen
        #expect(isOpen)
        #expect(open.server.verifiedNames.isEmpty)
        let shut = shakeHands(try TLSContext.server([identity(own)], clients: .required(authorities: authority.certificate)), client)
        guard case .untrusted = shut.failures.server else {
            Issue.record("\(String(describing: shut.failures))")
            return
        }
    }

    @Test("A certificate that nobody we trust vouches for ends the handshake, optional or not; one we did not ask for says nothing")
    func stranger() throws {
        let (own, authority) = (try TestIdentity(), try TestIdentity("authority", names: nil))
        let stranger = try TestIdentity("stranger", names: "DNS:trunk.example")
        let client = try TLSContext.client(trusting: own.certificate, as: identity(stranger))
        let refused = shakeHands(try TLSContext.server([identity(own)], clients: .optional(authorities: authority.certificate)), client)
        guard case .untrusted = refused.failures.server else {
            Issue.record("\(String(describing: refused.failures))")
            return
        }
        let unasked = shakeHands(try TLSContext.server([identity(own)]), client)
        let isOpen = unasked.server.isOpen
        #expect(isOpen)
        #expect(unasked.server.verifiedNames.isEmpty)
    }

    @Test("Authorities that cannot be read are an error of that file")
    func unusableAuthorities() throws {
        let own = try TestIdentity()
        #expect(throws: TLSError.self) {
            try TLSContext.server([identity(own)], clients: .optional(authorities: own.key))
        }
    }
}
