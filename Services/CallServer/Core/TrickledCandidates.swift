import Bytes
import Contracts

/// Candidates that a phone found after its description, in an INFO of the package `trickle-ice` (RFC 8840 §9, §10). What they mean is the relay's
/// business: here it is only seen that these are lines of a description, and not too many.
struct TrickledCandidates: Hashable, Sendable {
    static let package = "trickle-ice"
    static let contentType = "application/trickle-ice-sdpfrag"
    /// An INFO repeats the candidates of those before it (§4.4), and a browser with many interfaces has some twenty. More are 413.
    private static let mostCandidates = 64

    let fragment: String

    enum Mistake: Error, Hashable {
        case unsupported, tooLarge, malformed

        var code: Int {
            switch self {
            case .unsupported: 415
            case .tooLarge: 413
            case .malformed: 400
            }
        }
    }

    init(contentType: String, body: [UInt8]) throws(Mistake) {
        let type = contentType.prefix { $0 != ";" }.filter { $0 != " " }
        guard ASCII.equalsIgnoringCase(type, Self.contentType) else { throw .unsupported }
        guard body.count <= TrickleInMediaSession.longest else { throw .tooLarge }
        var lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        // §10.7: an INFO of this package has such a body.
        guard !lines.isEmpty, lines.allSatisfy(Self.isLine), let text = String(validating: body, as: UTF8.self) else { throw .malformed }
        guard lines.count(where: { $0.starts(with: "a=candidate:".utf8) }) <= Self.mostCandidates else { throw .tooLarge }
        fragment = text
    }

    /// `a=` and `m=` are what there should be (§9.2); the head of a description does not belong there.
    private static func isLine(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.count > 2, let type = line.first, line.dropFirst().first == UInt8(ascii: "="),
            line.allSatisfy({ $0 >= 32 || $0 == UInt8(ascii: "\t") })
        else { return false }
        switch type {
        case UInt8(ascii: "a"): return line.dropFirst(2).first != UInt8(ascii: ":")
        case UInt8(ascii: "m"): return line.split(separator: UInt8(ascii: " ")).count >= 4
        case UInt8(ascii: "v"), UInt8(ascii: "o"), UInt8(ascii: "s"): return false
        default: return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(type)
        }
    }

    /// Whether a description of ours lets candidates come later (RFC 8838 §3).
    static func areWelcome(by description: String) -> Bool {
        let name = "a=ice-options:".utf8
        for line in description.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: name) {
            let options = line.dropFirst(name.count).split(whereSeparator: { $0 <= 32 })
            if options.contains(where: { $0.elementsEqual("trickle".utf8) }) { return true }
        }
        return false
    }
}

extension Leg {
    /// Whether its phone may say of candidates later. Until one has answered it may be a browser that was meant.
    var trickles: Bool {
        TrickledCandidates.areWelcome(by: media.description) || phase != .up && media.browserOffer.map(TrickledCandidates.areWelcome) == true
    }

    /// The phone has found candidates. Without a session there are none to add them to.
    mutating func trickled(_ fragment: String, into effects: inout [LegEffect]) {
        guard media.stage == .ready else { return }
        effects.append(.trickle(fragment))
    }
}
