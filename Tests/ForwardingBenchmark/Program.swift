import Addresses
import Cryptography
import Deadlines
import Glibc
import SIP
import Threads

/// Times what the edge does with a message between reading and sending it: index, head, branch, tokens, bytes out.
///
/// Prints the best and the median of many rounds in nanoseconds a message; with `--count` it marks the rounds with SIGUSR2, so
/// that `Tests/Benchmarks/forwarding` can count what they took from the heap.
@main
struct Program {
    static let rounds = 400
    static let messagesPerRound = 1_000

    static func main() {
        let isCounted = CommandLine.arguments.contains("--count")
        let key = SipHash(key: Array(0..<16))
        let edge = SocketAddress(.loopbackIPv4, port: 15_060)
        let phone = SocketAddress(IPAddress(v4: 0xc000_0207), port: 40_000)
        let flow = FlowToken(flow: phone, over: .udp, inside: edge)
        let server = FlowToken(server: SocketAddress(IPAddress(v4: 0x0a00_0005), port: 5_080))
        let routes = [Forwarding.Route(flow, at: edge), Forwarding.Route(server, at: edge)]
        for sample in Sample.all(flow: flow, server: server, key: key) {
            var index = MessageIndex()
            let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65_536)
            defer { unsafe memory.deallocate() }
            var times: [Int64] = []
            var length = 0
            times.reserveCapacity(rounds)
            if isCounted { raise(SIGUSR2) }
            for _ in 0..<rounds {
                let began = MonotonicClock.now()
                for _ in 0..<messagesPerRound {
                    length = unsafe forward(sample.bytes, &index, memory, routes[0], routes[1], flow, phone, key)
                }
                times.append((MonotonicClock.now() - began).nanoseconds / Int64(messagesPerRound))
            }
            if isCounted { raise(SIGUSR2) }
            precondition(length > sample.bytes.count / 2, "the message was forwarded")
            times.sort()
            print("\(sample.name): \(sample.bytes.count) bytes in, \(length) out, best \(times[0]) ns, median \(times[rounds / 2]) ns")
        }
    }

    /// The length of what is sent; zero when it was refused.
    @inline(never)
    static func forward(
        _ bytes: [UInt8], _ index: inout MessageIndex, _ memory: UnsafeMutableBufferPointer<UInt8>, _ upper: Forwarding.Route,
        _ lower: Forwarding.Route, _ flow: FlowToken, _ source: SocketAddress, _ key: SipHash
    ) -> Int {
        var output = unsafe OutputSpan(buffer: memory, initializedCount: 0)
        do {
            try index.read(bytes.span)
            guard let view = index.view(of: bytes.span) else { return 0 }
            if view.isRequest {
                let head = try RequestHead(view)
                let branch = StatelessForwarding.branch(for: view, head, key: key)
                var forwarding = Forwarding(
                    hop: Forwarding.Hop(.udp, sentBy: upper.address, branch: branch, wayBack: flow), stripping: .assertions)
                (forwarding.source, forwarding.topmostVia) = (source, (head.via, head.viaElement))
                forwarding.maxForwards = head.maxForwards.map { max(0, $0 - 1) }
                forwarding.poppedRoutes = .max
                if head.topmostRoute != nil {
                    guard let route = head.topmostRoute?.uri.user, FlowToken(verifying: view.bytes.extracting(route), key: key) != nil
                    else { return 0 }
                    forwarding.recording = .flow(upper)
                } else if head.method.createsDialog {
                    forwarding.recording = .routes(upper: upper, lower: lower)
                }
                _ = forwarding.write(view, into: &output, key: key)
            } else {
                guard let head = ResponseHead(view), let token = head.via.token,
                    FlowToken(verifying: view.bytes.extracting(token), key: key) != nil
                else { return 0 }
                _ = Forwarding(hop: nil, stripping: .assertedIdentity).write(view, into: &output, key: key)
            }
        } catch { return 0 }
        return unsafe output.finalize(for: memory)
    }
}
