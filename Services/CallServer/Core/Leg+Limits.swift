import Contracts
import Deadlines

/// What a leg counts as where calls are limited.
extension Leg {
    struct Counted: Codable, Sendable, Equatable {
        /// It is a call of its customer's, not the part of one that was called by it.
        var isCall: Bool
        /// The trunk it came over.
        var trunk: String?
        /// The number it is a call to; nil where whoever called it is counted for that number already.
        var destination: String?
        /// A call for help is counted and never refused.
        var isExempt = false
    }

    /// Why there is no room for a leg.
    struct OverLimit: Sendable, Equatable {
        var scope: CallLimit.Scope
        var target: String?
        var isRate: Bool

        /// For the record: `limit_customer_calls`, `limit_trunk_rate`, ...
        var reason: String { "limit_\(scope.rawValue)_\(isRate ? "rate" : "calls")" }

        /// A number whose lines are all taken is busy. Whoever has more calls than it may is told that it is temporarily so, with the cause
        /// that says why (RFC 3398 §7.2.4.1 has 503 for them, but a 503 tells the peer that this server serves nobody, RFC 3261 §21.5.4).
        var status: Status {
            if isRate { return Status(code: 480, cause: 42) }
            return scope == .destination ? Status(code: 486, cause: 17) : Status(code: 480, cause: 34)
        }

        var detail: String {
            let whose = target.map { "\(scope.rawValue) \($0)" } ?? "customer"
            return "the \(whose) \(isRate ? "begins as many calls a second as it may" : "has as many calls at once as it may")"
        }
    }

    /// What it counts as once it goes on with the call of a first leg that counted so: a call of its customer's, one as before (docs/limits.md).
    func countInherited(from first: Counted?) -> Counted? {
        guard let first, first.isCall else { return counted }
        var counted = counted ?? Counted(isCall: true, isExempt: first.isExempt)
        counted.isCall = true
        // Who was counted for its number was its caller.
        counted.destination = counted.destination ?? record.to
        return counted
    }

    mutating func inherit(_ first: Counted?, into effects: inout [LegEffect]) {
        let counted = countInherited(from: first)
        guard counted != self.counted else { return }
        self.counted = counted
        effects.append(.recount)
    }

    /// It is a part of another call from now on.
    mutating func countAsPart(into effects: inout [LegEffect]) {
        guard counted?.isCall == true else { return }
        counted?.isCall = false
        effects.append(.recount)
    }

    /// There is room for it, or nobody could be asked.
    mutating func admitted(at moment: Moment, into effects: inout [LegEffect]) {
        awaitsAdmission = nil
        answerIfPossible(at: moment, into: &effects)
        // What its flow wants of it may have waited for that.
        proceed(at: moment, into: &effects)
    }

    mutating func overLimit(_ over: OverLimit, at moment: Moment, into effects: inout [LegEffect]) {
        awaitsAdmission = nil
        // One that is up was let in.
        guard phase != .up else { return }
        record.hangupReason = over.reason
        if over.isRate { retryAfter = 1 }
        end(over.status.code == 486 ? .busy : .failed, over.status, by: "platform", at: moment, into: &effects)
    }
}
