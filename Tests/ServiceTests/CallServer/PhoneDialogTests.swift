import Contracts
import Testing

@testable import CallServer

@Suite("RFC 4235 §3.7.1: the dialog of a phone, as its leg makes it")
struct PhoneDialogTests {
    private func call(
        _ status: Call.Status, _ direction: Call.Direction = .outbound, code: Int? = nil, by: String? = nil, reason: String? = nil, isAnswered: Bool = false
    ) -> Call {
        var call = LegFixture.outbound().leg.record
        (call.status, call.direction, call.sipCode, call.hangupBy, call.hangupReason) = (status, direction, code, by, reason)
        if isAnswered { call.answeredAt = call.createdAt }
        return call
    }

    @Test("states while it lasts", arguments: [(.queued, .trying), (.ringing, .early), (.inProgress, .confirmed)] as [(Call.Status, PhoneDialog.State)])
    func living(_ status: Call.Status, _ state: PhoneDialog.State) {
        let dialog = PhoneDialog(call(status), nil)
        #expect(dialog.state == state && dialog.ending == nil && dialog.code == nil && !dialog.isInitiator && dialog.remote == "1001")
        let caller = PhoneDialog(call(status, .inbound), .init(name: nil, partner: "1009"))
        #expect(caller.isInitiator && caller.remote == "1009")
        #expect(PhoneDialog(call(status, .inbound), nil).remote == "1002")
    }

    @Test("why it is over")
    func endings() {
        func ending(_ call: Call) -> PhoneDialog.Ending? { PhoneDialog(call, nil).ending }
        #expect(ending(call(.busy, code: 486)) == .rejected && PhoneDialog(call(.busy, code: 486), nil).code == 486)
        #expect(ending(call(.canceled, code: 487)) == .cancelled && ending(call(.noAnswer, code: 408)) == .cancelled)
        #expect(ending(call(.completed, by: "callee", isAnswered: true)) == .localBye)
        #expect(ending(call(.completed, by: "caller", isAnswered: true)) == .remoteBye)
        #expect(ending(call(.completed, .inbound, by: "caller", isAnswered: true)) == .localBye)
        #expect(ending(call(.completed, .inbound, by: "platform", isAnswered: true)) == .remoteBye)
        #expect(ending(call(.completed, by: "platform", reason: "media_timeout", isAnswered: true)) == .error)
        #expect(ending(call(.failed, by: "platform", reason: "server_lost", isAnswered: false)) == .error)
    }

    @Test("whose it is: a trunk's caller is nobody's phone, whatever number it shows")
    func whose() {
        var trunks = call(.ringing, .inbound)
        #expect(trunks.watchedNumber == "1001" && call(.ringing).watchedNumber == "1002")
        trunks.trunk = "west"
        #expect(trunks.watchedNumber == nil)
        #expect(["call.created", "call.answered", "call.ended"].allSatisfy(Call.changesDialog) && !Call.changesDialog("call.digits"))
    }
}
