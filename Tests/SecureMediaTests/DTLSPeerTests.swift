import Addresses
import Bytes
import ChildProcesses
import DTLS
import Datagrams
import Deadlines
import Foundation
import SRTP
import Testing
import Threads

@Suite("DTLS with the openssl program")
struct DTLSPeerTests {
    private static let profile = "SRTP_AES128_CM_SHA1_80"

    @Test("s_client shakes hands with us, has our keys, and says goodbye") func passive() throws {
        let (ours, theirs) = (Certificate.make(now: Int64(Date.now.timeIntervalSince1970)), Certificate.make(now: 0))
        let socket = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: 0))
        let program = try Program(
            ["s_client", "-dtls1_2", "-connect", "\(socket.localAddress)", "-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "60"]
                + ["-use_srtp", Self.profile + ":SRTP_AEAD_AES_256_GCM"], showing: theirs)
        var handshake = Handshake(
            Endpoint(ours, suites: [.aes128CounterModeSHA1_80]), role: .passive, fingerprints: [theirs.fingerprint])
        let keying = try shakeHands(&handshake, socket, with: nil)
        #expect(try program.keyingMaterial() == keying.receiving.key + keying.sending.key + keying.receiving.salt + keying.sending.salt)
        program.endInput()
        #expect(try outcome(&handshake, socket) == .closed)
    }

    @Test("we shake hands with s_server, and have its keys") func active() throws {
        let (ours, theirs) = (Certificate.make(now: 0), Certificate.make(now: Int64(Date.now.timeIntervalSince1970)))
        let socket = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: 0))
        // A port that was free a moment ago.
        let port = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: 0)).localAddress.port
        let program = try Program(
            ["s_server", "-dtls1_2", "-accept", "127.0.0.1:\(port)", "-Verify", "1", "-keymatexport", "EXTRACTOR-dtls_srtp"]
                + ["-keymatexportlen", "60", "-use_srtp", Self.profile], showing: theirs)
        var handshake = Handshake(Endpoint(ours), role: .active, fingerprints: [theirs.fingerprint])
        let keying = try shakeHands(&handshake, socket, with: SocketAddress(.loopbackIPv4, port: port))
        #expect(keying.suite == .aes128CounterModeSHA1_80)
        #expect(try program.keyingMaterial() == keying.sending.key + keying.receiving.key + keying.sending.salt + keying.receiving.salt)
        _ = program
    }

    private struct Trouble: Error { let what: String }

    private func shakeHands(
        _ handshake: inout Handshake, _ socket: borrowing DatagramSocket, with peer: SocketAddress?
    ) throws -> Keying {
        var outbox = Outbox()
        _ = handshake.start(now: MonotonicClock.now(), into: &outbox)
        for datagram in outbox.datagrams { socket.send(datagram, to: peer) }
        let outcome = try outcome(&handshake, socket, peer)
        guard case .established(let keying) = outcome else { throw Trouble(what: "\(outcome)") }
        return keying
    }

    /// What comes of the datagrams that arrive; `peer` is where the first of them comes from, when it is not known.
    private func outcome(
        _ handshake: inout Handshake, _ socket: borrowing DatagramSocket, _ peer: SocketAddress? = nil
    ) throws -> Handshake.Outcome {
        var batch = ReceiveBatch(capacity: 1)
        var peer = peer
        for _ in 0..<30_000 {
            var outbox = Outbox()
            var outcome = Handshake.Outcome.none
            let now = MonotonicClock.now()
            if socket.receive(into: &batch) > 0 {
                peer = batch[0].source
                outcome = handshake.receive(batch[0].bytes, now: now, into: &outbox)
            } else if let deadline = handshake.deadline, deadline <= now {
                outcome = handshake.expire(now: now, into: &outbox)
            } else {
                usleep(1_000)
            }
            for datagram in outbox.datagrams { socket.send(datagram, to: peer) }
            if outcome != .none { return outcome }
        }
        throw Trouble(what: "nothing came of it")
    }

    /// `openssl` with a certificate of its own, in a folder that goes with it.
    private final class Program {
        private let process = ChildProcess("/usr/bin/openssl")
        private let input = Pipe()
        private let folder: URL
        private var log: URL { folder.appending(path: "log") }

        init(_ arguments: [String], showing certificate: Certificate) throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "tandem-dtls-\(UUID())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let (certificateFile, key) = (folder.appending(path: "certificate"), folder.appending(path: "key"))
            try Data(certificate.certificate.utf8).write(to: certificateFile)
            try Data(certificate.key.utf8).write(to: key)
            try Data().write(to: log)
            process.arguments = arguments + ["-cert", certificateFile.path, "-key", key.path]
            process.input = input.fileHandleForReading
            let output = try FileHandle(forWritingTo: log)
            (process.output, process.error) = (output, output)
            try process.run()
        }

        deinit {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            try? FileManager.default.removeItem(at: folder)
        }

        func endInput() { try? input.fileHandleForWriting.close() }

        /// What it has exported (RFC 5705), once it says so.
        func keyingMaterial() throws -> [UInt8] {
            for _ in 0..<10_000 {
                let text = String(decoding: try Data(contentsOf: log), as: UTF8.self)
                if let line = text.split(separator: "\n").first(where: { $0.contains("Keying material: ") }),
                    let bytes = Hexadecimal.decode(line.split(separator: " ").last.map { Array($0.utf8) } ?? []), bytes.count == 60
                {
                    return bytes
                }
                usleep(1_000)
            }
            throw Trouble(what: String(decoding: try Data(contentsOf: log), as: UTF8.self))
        }
    }
}
