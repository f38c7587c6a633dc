import Contracts
import Deadlines
import SIP

/// Phones that answer an INVITE with 3xx (RFC 3261 §8.1.3.4): where they point to is rung in their stead, the likeliest first, within the
/// customer's own domain, and never twice in a call.
extension Leg {
    /// Where a call has been sent on to.
    struct Redirections: Codable, Sendable, Equatable {
        /// Numbers that were rung, the first of all in front.
        var visited: [String]
        /// Those that are left, the next in front.
        var waiting: [Redirection] = []
        /// The one whose phones are being looked for.
        var current: Redirection?
    }

    struct Redirection: Codable, Sendable, Equatable {
        var number: String
        /// Who sent it on, and with which status.
        var from: String
        var code: Int
    }

    private static let mostRedirections = 5
    private static let mostWaiting = 10

    /// A phone of `branch` is not to be rung but these numbers are.
    mutating func redirected(_ branch: Int, code: Int, to numbers: [String], at moment: Moment, into effects: inout [LegEffect]) {
        guard let dial, dial.winner == nil, dial.targets.indices.contains(branch), phase == .ringing else { return }
        var redirections = redirections ?? Redirections(visited: [dial.number])
        let from = dial.targets[branch].redirection?.number ?? dial.number
        for number in numbers where redirections.waiting.count < Self.mostWaiting {
            let isKnown = redirections.visited.contains(number) || redirections.waiting.contains { $0.number == number }
            if !isKnown { redirections.waiting.append(Redirection(number: number, from: from, code: code)) }
        }
        self.redirections = redirections
        // Nobody may be reached here any more, but somebody elsewhere.
        refused(branch, code: code, at: moment, into: &effects)
    }

    /// Looks for the phones of the next number; false when there is none.
    mutating func followRedirection(into effects: inout [LegEffect]) -> Bool {
        guard var redirections, phase == .ringing else { return false }
        guard redirections.current == nil else { return true }
        guard !redirections.waiting.isEmpty, redirections.visited.count <= Self.mostRedirections else { return false }
        let next = redirections.waiting.removeFirst()
        redirections.visited.append(next.number)
        redirections.current = next
        self.redirections = redirections
        effects.append(.findBindings(number: next.number))
        return true
    }

    /// The phones of the number a call was sent on to; true when that is what was looked for.
    mutating func foundRedirected(_ bindings: [ReachableBinding], at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let redirection = redirections?.current else { return false }
        redirections?.current = nil
        guard phase == .ringing, let dial, dial.winner == nil else { return true }
        let first = dial.targets.count
        for binding in bindings.prefix(Self.mostWaiting) {
            var target = Target(contact: binding.contact, route: binding.path, instanceID: binding.instanceID)
            target.redirection = redirection
            // A browser wants an offer of another kind, which there is only when one rang before.
            guard !target.isBrowser || media.browserOffer != nil else { continue }
            self.dial?.targets.append(target)
        }
        let targets = self.dial?.targets ?? []
        for branch in first..<targets.count { effects.append(.invite(branch: branch, body: media.offer(to: targets[branch]))) }
        if targets.count == first { nobodyLeft(at: moment, into: &effects) }
        return true
    }

    mutating func redirectionFailed(at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard redirections?.current != nil else { return false }
        redirections?.current = nil
        if phase == .ringing { nobodyLeft(at: moment, into: &effects) }
        return true
    }

    /// What an INVITE says of the way it has taken (RFC 5806, RFC 7044): the last who sent it on in front.
    func history(of target: Target) -> [Header] {
        guard let last = target.redirection, let visited = redirections?.visited else { return [] }
        func uri(_ number: String) -> String { URI(calling: DialledNumber(number).user, at: sip.domain).description }
        let reason =
            switch last.code {
            case 302: "unconditional"
            case 301: "deflection"
            default: "unknown"
            }
        var history: [String] = []
        for (index, number) in visited.prefix(while: { $0 != last.number }).enumerated() {
            let cause = index == 0 ? "" : "?Reason=SIP%3Bcause%3D\(last.code)"
            history.append("<\(uri(number))\(cause)>;index=1\(String(repeating: ".1", count: index))")
        }
        history.append("<\(uri(last.number))?Reason=SIP%3Bcause%3D\(last.code)>;index=1\(String(repeating: ".1", count: history.count))")
        return [
            Header(name: "Diversion", value: "<\(uri(last.from))>;reason=\(reason);counter=\(max(1, history.count - 1))"),
            Header(name: "History-Info", value: history.joined(separator: ", ")),
        ]
    }
}
