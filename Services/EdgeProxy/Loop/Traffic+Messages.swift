import SIP
import Telemetry

/// Messages by what they are: each is one look into an array and one atomic addition.
extension Traffic {
    /// What became of a request.
    enum Outcome: Int, CaseIterable {
        case forwarded, challenged, refused, answered, unavailable

        init(status: Int) {
            switch status {
            case ..<300: self = .answered
            case 401, 407: self = .challenged
            case 503: self = .unavailable
            default: self = .refused
            }
        }
    }

    typealias Side = ProxyCore.Side

    /// Who made a response.
    private enum Maker: Int, CaseIterable { case outside, inside, edge }

    /// In the order of `place(of:)`.
    private static let methods = [
        "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "PRACK", "UPDATE", "INFO", "MESSAGE", "REFER", "SUBSCRIBE",
        "NOTIFY", "PUBLISH", "other",
    ]

    private static func place(of method: Method?) -> Int {
        switch method {
        case .invite: 0
        case .ack: 1
        case .bye: 2
        case .cancel: 3
        case .register: 4
        case .options: 5
        case .prack: 6
        case .update: 7
        case .info: 8
        case .message: 9
        case .refer: 10
        case .subscribe: 11
        case .notify: 12
        case .publish: 13
        case .other, nil: 14
        }
    }

    /// Flat, by side, transport, method and outcome.
    private static let requests: [Counter] = Side.allCases.flatMap { side in
        labels { transport, method in
            Outcome.allCases.map { outcome in
                Counter(
                    "tandem_edge_requests_total",
                    "requests by the side they came from, the phone's transport, method and what became of them",
                    labels: ["from": "\(side)", "transport": transport, "method": method, "outcome": "\(outcome)"])
            }
        }
    }

    /// Flat, by maker, transport, method and class of the status.
    private static let responses: [Counter] = Maker.allCases.flatMap { maker in
        labels { transport, method in
            (1...6).map { digit in
                Counter(
                    "tandem_edge_responses_total",
                    "responses by who made them, the phone's transport, the method they answer and the class of their status",
                    labels: ["from": "\(maker)", "transport": transport, "method": method, "class": "\(digit)xx"])
            }
        }
    }

    private static func labels(_ make: (String, String) -> [Counter]) -> [Counter] {
        Transport.allCases.flatMap { transport in methods.flatMap { make(transport.name.lowercased(), $0) } }
    }

    private static let transports = Transport.allCases.count

    /// Where the first counter of a method stands, of `count` each.
    private static func place(_ first: Int, _ transport: Transport, _ method: Method?, of count: Int) -> Int {
        ((first * transports + Int(transport.rawValue)) * methods.count + place(of: method)) * count
    }

    /// A request that the edge did not forward: it was answered with this status.
    static func count(_ method: Method?, _ side: Side, status: Int, over transport: Transport = .udp) {
        count(method, side, Outcome(status: status), over: transport)
        countResponse(Maker.edge.rawValue, status, method, over: transport)
    }

    private static func count(_ method: Method?, _ side: Side, _ outcome: Outcome, over transport: Transport) {
        requests[place(side.rawValue, transport, method, of: Outcome.allCases.count) + outcome.rawValue].add()
    }

    private static func countResponse(_ maker: Int, _ status: Int, _ method: Method?, over transport: Transport) {
        responses[place(maker, transport, method, of: 6) + min(max(status / 100, 1), 6) - 1].add()
    }

    static func countForwarded(_ message: borrowing MessageView, _ side: Side, over transport: Transport) {
        if case .response(let status, _) = message.start {
            countResponse(side.rawValue, status, message.cseq?.method, over: transport)
        } else {
            count(message.method, side, .forwarded, over: transport)
        }
    }

    // MARK: How much, how many at once, how long

    /// By `Side.rawValue`.
    static let messageBytes = Side.allCases.map { side in
        Histogram(
            "tandem_edge_message_bytes", "lengths of the messages received", counts: [256, 512, 768, 1024, 1300, 2048, 4096, 16_384],
            labels: ["from": "\(side)"])
    }

    static let batchMessages = Side.allCases.map { side in
        Histogram(
            "tandem_edge_batch_messages", "datagrams that came with one read", counts: [1, 2, 4, 8, 16, 31],
            labels: ["from": "\(side)"])
    }

    enum Lookup: Int, CaseIterable { case found, absent, unavailable }

    static let lookups = Lookup.allCases.map { outcome in
        Histogram(
            "tandem_edge_lookup_seconds", "how long the Registrar took to tell of an account", labels: ["outcome": "\(outcome)"])
    }

    static let accountHits = Counter(
        "tandem_edge_account_cache_total", "requests whose account was remembered, or had to be asked for", labels: ["result": "hit"])
    static let accountMisses = Counter(
        "tandem_edge_account_cache_total", "requests whose account was remembered, or had to be asked for", labels: ["result": "miss"])

    static func declareMessages() {
        _ = (requests.count, responses.count, messageBytes.count, batchMessages.count, lookups.count)
        _ = (accountHits.value, accountMisses.value)
    }
}
