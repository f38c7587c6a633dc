import Contracts
import Deadlines
import Flow
import SIP

/// A flow's `transfer` by REFER (RFC 3515, RFC 5589 §6): the phone of this leg rings somebody else by itself and tells by NOTIFY how far it
/// is. When it has been answered the leg is hung up on; when not, the flow goes on with the call as it was.
extension Leg {
    mutating func refer(_ option: Flow.Transfer, at moment: Moment, into effects: inout [LegEffect]) {
        guard let target = option.destinations.first.flatMap(referTarget) else {
            return finish(.failed("no_reachable_destination"), at: moment, into: &effects)
        }
        deadlines[.action] = moment.now + .milliseconds(option.timeout)
        effects.append(.refer(to: target))
    }

    /// The phone dials it as it dials everything: another domain is its own affair.
    private func referTarget(_ address: Address) -> String? {
        switch address.kind {
        case .extension, .line, .tel: return address.target.isEmpty ? nil : URI(calling: address.target, at: sip.domain).description
        case .sip: return URI(address.target).map(\.description) ?? URI("sip:" + address.target).map(\.description)
        default: return nil
        }
    }

    /// Whether NOTIFYs are awaited: of a subscription that is over none is taken (RFC 6665 §4.1.3).
    var isReferring: Bool {
        guard let performing, pendingOutcome == nil, phase == .up, performing.isStarted, case .transfer = performing.action.kind else { return false }
        return true
    }

    /// What the phone answers to the REFER itself.
    mutating func referAnswered(_ code: Int, at moment: Moment, into effects: inout [LegEffect]) {
        sip.refer = nil
        guard isReferring, code >= 300 else { return }
        finish(.failed(String(code)), at: moment, into: &effects)
    }

    /// How the call goes that the phone makes; `isOver`: it tells no more.
    mutating func referralProgressed(_ code: Int, isOver: Bool, at moment: Moment, into effects: inout [LegEffect]) {
        guard isReferring else { return }
        switch code {
        case ..<200:
            if isOver { finish(.failed("unknown"), at: moment, into: &effects) }
        case ..<300:
            publish("call.transferred", into: &effects)
            finish(.completed, at: moment, into: &effects)
        case 486, 600: finish(.busy, at: moment, into: &effects)
        case 603: finish(.declined, at: moment, into: &effects)
        case 408, 480: finish(.noAnswer, at: moment, into: &effects)
        default: finish(.failed(String(code)), at: moment, into: &effects)
        }
    }

    /// A predecessor's REFER that has had no answer, as the same request.
    mutating func referAgain(_ option: Flow.Transfer, into effects: inout [LegEffect]) {
        guard sip.refer != nil, let target = option.destinations.first.flatMap(referTarget) else { return }
        effects.append(.referAgain(to: target))
    }
}
