import Suite
import TLS
import Testing

@Suite("TLS sessions in memory")
struct TLSTests {
    private typealias Identity = TestIdentity

    /// A client and a server with a wire of memory between them.
    private struct Pair {
        let client: TLSSession
        let server: TLSSession

        /// Carries bytes both ways, cut into pieces of `piece`, until both are silent; what each has read.
        func run(_ first: [UInt8], piece: Int = .max) -> (client: TLSSession.Output, server: TLSSession.Output) {
            var (atClient, atServer) = (TLSSession.Output(), TLSSession.Output())
            var toServer = first
            while !toServer.isEmpty {
                var toClient: [UInt8] = []
                for bytes in Self.pieces(toServer, piece) {
                    let output = server.receive(bytes)
                    toClient += output.ciphertext
                    Self.add(output, to: &atServer)
                }
                toServer = []
                for bytes in Self.pieces(toClient, piece) {
                    let output = client.receive(bytes)
                    toServer += output.ciphertext
                    Self.add(output, to: &atClient)
                }
            }
            return (atClient, atServer)
        }

        private static func add(_ output: TLSSession.Output, to sum: inout TLSSession.Output) {
            sum.plaintext += output.plaintext
            sum.isClosed = sum.isClosed || output.isClosed
            sum.failure = sum.failure ?? output.failure
        }

        private static func pieces(_ bytes: [UInt8], _ length: Int) -> [[UInt8]] {
            stride(from: 0, to: bytes.count, by: min(length, max(1, bytes.count))).map {
                Array(bytes[$0..<min(bytes.count, $0 + min(length, bytes.count))])
            }
        }
    }

    private func pair(_ identity: Identity, trusting: Identity? = nil, address: String = "127.0.0.1") throws -> Pair {
        let server = try TLSContext.server(certificate: identity.certificate, key: identity.key)
        let client = try TLSContext.client(trusting: (trusting ?? identity).certificate)
        return Pair(client: TLSSession(client, address: address), server: TLSSession(server))
    }

    @Test("RFC 8446 §2: handshake and data, whole and one byte at a time", arguments: [Int.max, 1])
    func data(piece: Int) throws {
        let pair = try self.pair(Identity())
        let hello = pair.client.start()
        #expect(pair.run(hello.ciphertext, piece: piece).server.failure == nil)
        let areOpen = pair.client.isOpen && pair.server.isOpen
        #expect(areOpen)
        let sent = (0..<40_000).map { UInt8(truncatingIfNeeded: $0) }
        let bytes = try pair.client.send(sent)
        #expect(bytes.count > sent.count)
        #expect(pair.run(bytes, piece: piece).server.plaintext == sent)
        let answer = pair.client.receive(try pair.server.send(Array("200".utf8)))
        #expect(answer.plaintext == Array("200".utf8))
    }

    @Test("RFC 8446 §6.1: an end is told")
    func close() throws {
        let pair = try self.pair(Identity())
        _ = pair.run(pair.client.start().ciphertext)
        let goodbye = pair.client.close()
        #expect(pair.server.receive(goodbye).isClosed)
        #expect(throws: TLSError.ended) { try pair.client.send([1]) }
    }

    @Test("A client refuses a certificate that it does not trust, or that is for somebody else")
    func untrusted() throws {
        let identity = try Identity()
        let stranger = try pair(identity, trusting: Identity())
        #expect(stranger.run(stranger.client.start().ciphertext).client.failure != nil)
        let elsewhere = try pair(identity, address: "127.0.0.2")
        #expect(elsewhere.run(elsewhere.client.start().ciphertext).client.failure != nil)
        let isOpen = elsewhere.server.isOpen
        #expect(!isOpen)
    }

    @Test("Bytes that are no TLS end the session; a hello cut or changed anywhere never traps")
    func garbage() throws {
        let identity = try Identity()
        let server = try TLSContext.server(certificate: identity.certificate, key: identity.key)
        let session = TLSSession(server)
        #expect(session.receive(Array("REGISTER sip:demo SIP/2.0\r\n".utf8)).failure != nil)
        #expect(session.receive([1]).failure == .ended)
        let client = TLSSession(try TLSContext.client(trusting: identity.certificate))
        let hello = client.start().ciphertext
        for index in hello.indices {
            var changed = hello
            changed[index] ^= 0xff
            let session = TLSSession(server)
            let output = session.receive(changed)
            #expect(output.plaintext.isEmpty)
            let isOpen = session.isOpen
            #expect(!isOpen)
        }
    }

    @Test("Before the handshake nothing can be sent")
    func early() throws {
        let pair = try self.pair(Identity())
        #expect(throws: TLSError.ended) { try pair.server.send([1]) }
    }

    @Test("A server takes another certificate for new sessions while the old ones go on")
    func reload() throws {
        let (old, new) = (try Identity(), try Identity())
        let first = try pair(old)
        _ = first.run(first.client.start().ciphertext)
        let second = try pair(new)
        _ = second.run(second.client.start().ciphertext)
        let isOpen = second.client.isOpen
        #expect(isOpen)
        #expect(first.server.receive(try first.client.send([7])).plaintext == [7])
    }

    @Test("A missing file, a wrong file and a foreign key are told apart")
    func unusable() throws {
        let (one, other) = (try Identity(), try Identity())
        #expect(throws: TLSError.keyMismatch) { try TLSContext.server(certificate: one.certificate, key: other.key) }
        #expect(throws: TLSError.self) { try TLSContext.server(certificate: one.certificate + "/none", key: one.key) }
        #expect(throws: TLSError.self) { try TLSContext.server(certificate: one.key, key: one.key) }
    }
}
