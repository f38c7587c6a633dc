import Bytes
import Contracts
import SIP

/// Candidates that phones find after their description (RFC 8840), and what says that they are welcome.
extension CallEngine {
    /// What messages of a dialog say that they take; where a description of ours lets candidates come later, these too (RFC 8840 §10.6,
    /// RFC 6086 §5.2).
    static func capabilities(trickles: Bool) -> [Header] {
        guard trickles else { return [Header(.supported, extensions)] }
        return [Header(.supported, "\(extensions), \(TrickledCandidates.package)"), Header("Recv-Info", TrickledCandidates.package)]
    }

    /// A provisional response makes the dialog in which they come (RFC 8840 §4.3).
    func welcomeCandidates(_ builder: inout ResponseBuilder, _ leg: Leg) {
        if leg.trickles { builder.headers += Self.capabilities(trickles: true) }
    }

    /// The one package there is, in the dialogs that were told of it (RFC 6086 §4.2.2); any other is 469.
    func receivePackage(_ package: String, _ message: Message, _ transaction: ServerTransactionID, _ id: String) {
        let name = package.prefix { $0 != ";" }.filter { !$0.isWhitespace }
        guard ASCII.equalsIgnoringCase(name, TrickledCandidates.package), legs[id]?.leg.trickles == true else {
            return answer(transaction, message, 469)
        }
        do throws(TrickledCandidates.Mistake) {
            let candidates = try TrickledCandidates(contentType: message.contentType ?? "", body: message.body)
            answer(transaction, message, 200)
            handle(id, .trickled(candidates.fragment))
        } catch {
            answer(transaction, message, error.code)
        }
    }

    /// For the `Recv-Info` of a 469.
    func packages(in request: Message) -> String {
        let id = request.callID.flatMap { legsByCallID[$0]?.leg }
        return id.flatMap { legs[$0]?.leg.trickles } == true ? TrickledCandidates.package : ""
    }

    /// For the `Accept` of a 415.
    static func contents(acceptedIn info: Message) -> String {
        info.value(named: "Info-Package") == nil ? PressedKey.contentTypes : TrickledCandidates.contentType
    }

    /// The phone has been told that we have them.
    func trickle(_ leg: Leg, _ fragment: String, _ revision: UInt64) {
        let id = leg.record.id
        insist(
            TrickleInMediaSession(sessionID: leg.sessionID, epoch: leg.epoch, fragment: fragment), at: leg.placement.relay,
            of: leg.record.customerID, as: "\(id)/\(leg.epoch)/trickle/\(revision)", attempt: 1, isHurried: true
        ) { error in
            // Lines that only the relay cannot read are the phone's.
            if error.code != .invalid { Counters.lostCandidates.add() }
        }
    }
}
