public import Addresses
import Datagrams
import Foundation
import Synchronization

/// Datagrams that are no SIP, or SIP that nobody wants, at 20,000 a second from many addresses, until it is stopped.
public final class Flood: Sendable {
    private let isOver = Atomic(false)
    private let count = Atomic(0)

    /// Datagrams that have left.
    public var sent: Int { count.load(ordering: .relaxed) }

    public init(to target: SocketAddress, from sources: [IPAddress]) throws {
        var sockets: [Sender] = []
        for source in sources { sockets.append(Sender(try DatagramSocket(bind: SocketAddress(source, port: 0)))) }
        let senders = sockets
        Thread.detachNewThread { self.run(senders, target) }
    }

    public func stop() { isOver.store(true, ordering: .relaxed) }

    private final class Sender: @unchecked Sendable {
        // Sendable: only the flood's thread uses it.
        let socket: DatagramSocket
        init(_ socket: consuming DatagramSocket) { self.socket = socket }
    }

    private func run(_ senders: [Sender], _ target: SocketAddress) {
        var batch = SendBatch(capacity: 20, size: 2_048)
        var number = 0
        while !isOver.load(ordering: .relaxed) {
            for _ in 0..<20 {
                number += 1
                _ = batch.append(Self.datagram(number), to: target)
            }
            let refused = senders[number / 20 % senders.count].socket.send(&batch)
            count.add(20 - refused, ordering: .relaxed)
            usleep(1_000)
        }
    }

    /// One of each kind after the other.
    private static func datagram(_ number: Int) -> [UInt8] {
        func text(_ lines: [String]) -> [UInt8] { Array((lines + ["", ""]).joined(separator: "\r\n").utf8) }
        let via = "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK\(number);rport"
        let rest = ["From: <sip:x@example.com>;tag=a", "To: <sip:y@example.com>", "Call-ID: flood-\(number)", "Max-Forwards: 70"]
        switch number % 6 {
        case 0: return (0..<200).map { _ in UInt8.random(in: 0 ... .max) }
        case 1: return Array("REGISTER sip:demo.localhost SIP/2.0\r\nVia: SIP/2.0/U".utf8)
        case 2: return text(["INVITE sip:\(number)@127.0.0.1 SIP/2.0", via, "CSeq: 1 INVITE"])
        case 3: return text(["OPTIONS sip:100@127.0.0.1 SIP/2.0", via] + rest + ["CSeq: 1 OPTIONS", "User-Agent: friendly-scanner"])
        case 4: return text(["SIP/2.0 200 OK", via] + rest + ["CSeq: 1 INVITE"])
        default: return text(["INVITE sip:\(number)@127.0.0.1 SIP/2.0", via] + rest + ["CSeq: 1 INVITE", "X-Long: " + String(repeating: "x", count: 900)])
        }
    }
}

/// A /24 of this machine that no other test uses: strangers, since the suite's own address is never limited.
public struct Neighbourhood: Sendable {
    private let network = UInt32.random(in: 0x7f_01_00...0x7f_fe_ff)

    public init() {}

    public func address(_ host: UInt8) -> IPAddress { IPAddress(v4: network << 8 | UInt32(host)) }
}
