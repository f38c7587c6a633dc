import Hostile
import SIP
import Testing

/// What the parser says of every message of RFC 4475 and RFC 5118, taken from the bytes in Tests/Fixtures/torture.
@Suite("RFC 4475, RFC 5118: every message, as captured")
struct TortureOutcomeTests {
    enum Outcome: Equatable, CustomStringConvertible {
        /// A request that a proxy may forward.
        case sound
        /// A request answered with this status.
        case refused(Int)
        case usableResponse
        /// A response that no transaction may have.
        case uselessResponse
        /// No message at all.
        case noMessage(ParseError)

        var description: String {
            switch self {
            case .sound: "sound"
            case .refused(let status): "refused \(status)"
            case .usableResponse: "usable response"
            case .uselessResponse: "useless response"
            case .noMessage(let error): "no message: \(error)"
            }
        }

        init(_ bytes: [UInt8]) {
            do throws(ParseError) {
                let message = try Message.parse(bytes)
                if message.isRequest {
                    self = message.requestDefect.map { .refused($0.status) } ?? .sound
                } else {
                    self = message.isUsableResponse ? .usableResponse : .uselessResponse
                }
            } catch { self = .noMessage(error) }
        }
    }

    struct Row: Sendable {
        let section: String
        let name: String
        let outcome: Outcome

        init(_ section: String, _ name: String, _ outcome: Outcome) { (self.section, self.name, self.outcome) = (section, name, outcome) }
    }

    private static let rfc4475: [Row] = [
        Row("3.1.1.1", "wsinv", .sound), Row("3.1.1.2", "intmeth", .sound), Row("3.1.1.3", "esc01", .sound),
        Row("3.1.1.4", "escnull", .sound), Row("3.1.1.5", "esc02", .sound), Row("3.1.1.6", "lwsdisp", .sound),
        Row("3.1.1.7", "longreq", .sound), Row("3.1.1.8", "dblreq", .sound), Row("3.1.1.9", "semiuri", .sound),
        Row("3.1.1.10", "transports", .sound), Row("3.1.1.11", "mpart01", .sound), Row("3.1.1.12", "unreason", .usableResponse),
        Row("3.1.1.13", "noreason", .usableResponse),
        Row("3.1.2.1", "badinv01", .refused(400)), Row("3.1.2.2", "clerr", .noMessage(.truncatedBody)),
        Row("3.1.2.3", "ncl", .noMessage(.badContentLength)), Row("3.1.2.4", "scalar02", .refused(400)),
        Row("3.1.2.5", "scalarlg", .uselessResponse), Row("3.1.2.6", "quotbal", .refused(400)),
        Row("3.1.2.7", "ltgtruri", .refused(400)), Row("3.1.2.8", "lwsruri", .noMessage(.badStartLine)),
        Row("3.1.2.9", "lwsstart", .noMessage(.badStartLine)), Row("3.1.2.10", "trws", .noMessage(.badStartLine)),
        // A proxy may pass on a Date it does not use.
        Row("3.1.2.11", "escruri", .refused(400)), Row("3.1.2.12", "baddate", .sound), Row("3.1.2.14", "badaspec", .refused(400)),
        Row("3.1.2.13", "regbadct", .refused(400)), Row("3.1.2.15", "baddn", .refused(400)), Row("3.1.2.16", "badvers", .refused(505)),
        Row("3.1.2.17", "mismatch01", .refused(400)), Row("3.1.2.18", "mismatch02", .refused(400)),
        Row("3.1.2.19", "bigcode", .noMessage(.badStartLine)),
        Row("3.2.1", "badbranch", .sound),
        Row("3.3.1", "insuf", .refused(400)), Row("3.3.2", "unkscm", .refused(416)), Row("3.3.3", "novelsc", .refused(416)),
        // What To names is for the registrar to judge; extensions, bodies and other schemes of credentials for whoever they mean.
        Row("3.3.4", "unksm2", .sound), Row("3.3.5", "bext01", .sound), Row("3.3.6", "invut", .sound), Row("3.3.7", "regaut01", .sound),
        Row("3.3.8", "multi01", .refused(400)), Row("3.3.9", "mcl01", .noMessage(.conflictingContentLength)),
        // A second Via in a response: not for us, which the proxy sees by its topmost one.
        Row("3.3.10", "bcast", .usableResponse),
        Row("3.3.11", "zeromf", .sound), Row("3.3.12", "cparam01", .sound), Row("3.3.13", "cparam02", .sound),
        Row("3.3.14", "regescrt", .sound), Row("3.3.15", "sdp01", .sound), Row("3.4.1", "inv2543", .sound),
    ]

    private static let rfc5118: [Row] = [
        Row("4.1", "ipv6-good", .sound), Row("4.2", "ipv6-bad", .refused(400)), Row("4.3", "port-ambiguous", .sound),
        Row("4.4", "port-unambiguous", .sound), Row("4.5", "via-received-param-with-delim", .sound),
        Row("4.5", "via-received-param-no-delim", .sound), Row("4.6", "ipv6-in-sdp", .sound), Row("4.7", "mult-ip-in-header", .sound),
        Row("4.8", "mult-ip-in-sdp", .sound), Row("4.9", "ipv4-mapped-ipv6", .sound),
        // RFC 5118 lets a lenient element take three colons for two; this parser is strict, as RFC 5954 has made the grammar.
        Row("4.10", "ipv6-bug-abnf-3-colons", .refused(400)), Row("4.10", "ipv6-correct-abnf-2-colons", .sound),
    ]

    @Test("each has the outcome of its section", arguments: [(4475, rfc4475), (5118, rfc5118)])
    func outcomes(rfc: Int, rows: [Row]) throws {
        #expect(try Torture.all(rfc).map(\.name) == rows.map(\.name).sorted(), "the table names every fixture once")
        for row in rows {
            #expect(Outcome(try Torture.message(rfc, row.name)) == row.outcome, "RFC \(rfc) §\(row.section) \(row.name)")
        }
    }
}
