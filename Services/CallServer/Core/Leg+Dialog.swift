import Contracts

/// What those who watch an extension's phones see of a leg (RFC 4235).
extension Leg {
    /// What stands in no record.
    struct DialogSide: Codable, Sendable, Equatable {
        /// Nil before the INVITE, and where several phones ring, each with a dialog of its own, and none has said anything.
        var name: PhoneDialog.Name?
        /// Whom it talks with since a transfer.
        var partner: String?
    }

    /// As of now.
    var dialogSide: DialogSide { DialogSide(name: dialogName, partner: partnerNumber) }

    private var dialogName: PhoneDialog.Name? {
        if let dialog = sip.dialog ?? sip.early?.first?.dialog {
            return PhoneDialog.Name(callID: dialog.callID, localTag: dialog.remoteTag.isEmpty ? nil : dialog.remoteTag, remoteTag: dialog.localTag)
        }
        guard sip.branches.count == 1, let asked = sip.branches.values.first else { return nil }
        return PhoneDialog.Name(callID: asked.callID, localTag: nil, remoteTag: asked.localTag)
    }
}

extension Call {
    /// The extension whose phone's leg it is; nil for a trunk's.
    var watchedNumber: String? { trunk != nil ? nil : direction == .inbound ? from : to }

    /// Whether a dialog has another state, or another party, since that event.
    static func changesDialog(_ event: String) -> Bool {
        switch event {
        case "call.created", "call.ringing", "call.answered", "call.transferred", "call.ended": true
        default: false
        }
    }
}

extension PhoneDialog {
    init(_ call: Call, _ side: Leg.DialogSide?) {
        let isInitiator = call.direction == .inbound
        let state: State =
            switch call.status {
            case .queued: .trying
            case .ringing: .early
            case .inProgress: .confirmed
            case .completed, .busy, .failed, .canceled, .noAnswer: .terminated
            }
        let refusal = call.answeredAt == nil ? call.sipCode : nil
        self.init(
            id: call.id, state: state, ending: state == .terminated ? Self.ending(of: call, isInitiator) : nil,
            code: state == .terminated ? refusal : nil, isInitiator: isInitiator,
            remote: side?.partner ?? (isInitiator ? call.to : call.from), since: call.createdAt, name: side?.name)
    }

    /// RFC 4235 §3.7.1.
    private static func ending(of call: Call, _ isInitiator: Bool) -> Ending {
        switch call.status {
        case .canceled, .noAnswer: .cancelled
        case .busy, .failed: call.answeredAt == nil && (call.sipCode ?? 0) >= 300 ? .rejected : .error
        case .completed, .queued, .ringing, .inProgress:
            // The record's words are those of who called and who was called in this leg.
            switch call.hangupBy {
            case "caller": isInitiator ? .localBye : .remoteBye
            case "callee": isInitiator ? .remoteBye : .localBye
            default: call.hangupReason == nil ? .remoteBye : .error
            }
        }
    }
}
