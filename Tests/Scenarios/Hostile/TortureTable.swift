import Foundation

/// What becomes of each message of RFC 4475 and RFC 5118 at an edge, as the message's section has it.
struct TortureRow: Sendable {
    enum Outcome: Sendable, Equatable {
        case answered(Int)
        /// Its server gets it, with the same header fields and body, and the server's answer comes back.
        case forwarded
        /// Nobody hears of it.
        case ignored
    }

    /// What a connection knows beside that.
    enum OverTCP: Sendable, Equatable {
        case same
        /// It is two messages, and the second is longer than its Content-Length says: what is left over spoils what follows.
        case spoils
        /// The bytes behind it cannot be told from its own: an answer if it has an outcome, then the end.
        case closes(Outcome)
        /// The edge waits for the rest of it, and closes when that does not come in time.
        case waits
    }

    let rfc: Int
    let section: String
    let name: String
    /// At an edge that trusts its sender, and at the suite's, which asks for credentials whoever claims to be of a domain it has, and
    /// is silent to all others.
    let alone: Outcome
    let suite: Outcome
    let overTCP: OverTCP

    var title: String { "RFC \(rfc) §\(section) \(name)" }

    init(_ rfc: Int, _ section: String, _ name: String, _ alone: Outcome, suite: Outcome? = nil, overTCP: OverTCP = .same) {
        (self.rfc, self.section, self.name) = (rfc, section, name)
        (self.alone, self.suite, self.overTCP) = (alone, suite ?? alone, overTCP)
    }

    /// A request that is right: forwarded, or challenged.
    private static func good(
        _ rfc: Int, _ section: String, _ name: String, _ challenge: Int = 407, overTCP: OverTCP = .same
    ) -> TortureRow {
        TortureRow(rfc, section, name, .forwarded, suite: .answered(challenge), overTCP: overTCP)
    }

    private static let bad = Outcome.answered(400)

    static let all: [TortureRow] = [
        // Right, as twisted as it may look.
        good(4475, "3.1.1.1", "wsinv"), good(4475, "3.1.1.2", "intmeth"), good(4475, "3.1.1.3", "esc01"), good(4475, "3.1.1.4", "escnull", 401),
        good(4475, "3.1.1.5", "esc02"), good(4475, "3.1.1.6", "lwsdisp"), good(4475, "3.1.1.7", "longreq"),
        good(4475, "3.1.1.8", "dblreq", 401, overTCP: .spoils), good(4475, "3.1.1.9", "semiuri"), good(4475, "3.1.1.10", "transports"),
        good(4475, "3.1.1.11", "mpart01"),
        // Responses nobody here asked for: no Via of ours is on top, so there is no one to hear them (RFC 3261 §16.7).
        TortureRow(4475, "3.1.1.12", "unreason", .ignored), TortureRow(4475, "3.1.1.13", "noreason", .ignored),
        // Wrong.
        TortureRow(4475, "3.1.2.1", "badinv01", bad), TortureRow(4475, "3.1.2.2", "clerr", bad, overTCP: .waits),
        TortureRow(4475, "3.1.2.3", "ncl", bad, overTCP: .closes(bad)), TortureRow(4475, "3.1.2.4", "scalar02", bad),
        // A response whose CSeq is no number belongs to nothing.
        TortureRow(4475, "3.1.2.5", "scalarlg", .ignored), TortureRow(4475, "3.1.2.6", "quotbal", bad),
        TortureRow(4475, "3.1.2.7", "ltgtruri", bad), TortureRow(4475, "3.1.2.8", "lwsruri", bad, overTCP: .closes(bad)),
        TortureRow(4475, "3.1.2.9", "lwsstart", bad, overTCP: .closes(bad)), TortureRow(4475, "3.1.2.10", "trws", bad, overTCP: .closes(bad)),
        TortureRow(4475, "3.1.2.11", "escruri", bad),
        // A proxy may leave a Date that is none to those who read it.
        good(4475, "3.1.2.12", "baddate"), TortureRow(4475, "3.1.2.13", "regbadct", bad), TortureRow(4475, "3.1.2.14", "badaspec", bad),
        TortureRow(4475, "3.1.2.15", "baddn", bad), TortureRow(4475, "3.1.2.16", "badvers", .answered(505)),
        TortureRow(4475, "3.1.2.17", "mismatch01", bad), TortureRow(4475, "3.1.2.18", "mismatch02", bad),
        // A response without a status: responses are never answered.
        TortureRow(4475, "3.1.2.19", "bigcode", .ignored, overTCP: .closes(.ignored)),
        good(4475, "3.2.1", "badbranch"),
        TortureRow(4475, "3.3.1", "insuf", bad), TortureRow(4475, "3.3.2", "unkscm", .answered(416)), TortureRow(4475, "3.3.3", "novelsc", .answered(416)),
        // Only who keeps registrations minds that the To is no SIP URI.
        TortureRow(4475, "3.3.4", "unksm2", .forwarded, suite: bad), TortureRow(4475, "3.3.5", "bext01", .answered(420)),
        good(4475, "3.3.6", "invut"), good(4475, "3.3.7", "regaut01", 401), TortureRow(4475, "3.3.8", "multi01", bad),
        TortureRow(4475, "3.3.9", "mcl01", bad, overTCP: .closes(bad)), TortureRow(4475, "3.3.10", "bcast", .ignored),
        TortureRow(4475, "3.3.11", "zeromf", .answered(483)), good(4475, "3.3.12", "cparam01", 401), good(4475, "3.3.13", "cparam02", 401),
        good(4475, "3.3.14", "regescrt", 401), good(4475, "3.3.15", "sdp01"),
        // RFC 2543 knew no Content-Length; a stream cannot do without (RFC 3261 §18.3).
        good(4475, "3.4.1", "inv2543", overTCP: .closes(bad)),
        good(5118, "4.1", "ipv6-good", 401), TortureRow(5118, "4.2", "ipv6-bad", bad), good(5118, "4.3", "port-ambiguous", 401),
        good(5118, "4.4", "port-unambiguous", 401), good(5118, "4.5", "via-received-param-with-delim"),
        // An OPTIONS without a user asks the suite's edge itself (RFC 3261 §11).
        TortureRow(5118, "4.5", "via-received-param-no-delim", .forwarded, suite: .answered(200)), good(5118, "4.6", "ipv6-in-sdp"),
        good(5118, "4.7", "mult-ip-in-header"), good(5118, "4.8", "mult-ip-in-sdp"), good(5118, "4.9", "ipv4-mapped-ipv6"),
        TortureRow(5118, "4.10", "ipv6-bug-abnf-3-colons", bad), good(5118, "4.10", "ipv6-correct-abnf-2-colons"),
    ]

    /// Whether the suite challenges it, were it of a domain that it has.
    var isChallenged: Bool { alone == .forwarded && (suite == .answered(401) || suite == .answered(407)) }

    /// The message with every name of the RFC's domains in its header fields replaced.
    static func moved(_ bytes: [UInt8], to domain: String) -> [UInt8] {
        let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        let end = text.range(of: "\r\n\r\n")?.lowerBound ?? text.endIndex
        let head = text[..<end].replacing(/([a-z0-9-]+\.)*example\.(com|net|org)/, with: domain)
        return (head + text[end...]).unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    /// Ports that the Vias name, beside 5060.
    static let ports: [UInt16] = [5050, 6050, 19823]
}
