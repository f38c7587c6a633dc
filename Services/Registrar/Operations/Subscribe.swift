import Addresses
import Contracts
import Logging
import SIP
import ServiceKit

/// Performs a SUBSCRIBE to a registration (RFC 3680) or to dialogs (RFC 4235): what is stored is what `NotifyWatchers` of any instance serves.
struct Subscribe: Sendable {
    private enum Defect: Error { case outOfOrder }
    private static let flowHeader = "X-Tandem-Flow"

    let store: Store
    let policy: SubscribeRequest.Policy
    let notify: NotifyWatchers
    let runtime: Runtime

    /// `contact` is where this instance listens; `newTag` is ours for a new dialog.
    func callAsFunction(_ message: Message, contact: URI, newTag: String) async -> ResponseBuilder {
        do throws(Refusal) {
            let request = try SubscribeRequest(message, policy)
            return try await perform(request, message, contact, newTag)
        } catch { return SubscribeRequest.refusal(message, error, policy) }
    }

    private func perform(
        _ request: SubscribeRequest, _ message: Message, _ contact: URI, _ newTag: String
    ) async throws(Refusal) -> ResponseBuilder {
        let expiresAt = runtime.timestamp().milliseconds + Int64(request.seconds) * 1_000
        do {
            var response = ResponseBuilder(message, 200)
            if let resource = request.resource {
                guard let dialog = Dialog(calleeOf: message, localTag: newTag, state: .confirmed) else {
                    throw Refusal(400, "Bad Contact or Record-Route")
                }
                let outcome = try await store.subscribe(
                    resource, request, dialog: dialog, id: runtime.newID("watch"), expiresAt: expiresAt, limit: policy.limit(of: request.package))
                switch outcome {
                case .granted(let tag): response.toTag = tag
                case .noSuchExtension: throw Refusal(404)
                case .tooMany: throw Refusal(403, "Too Many Subscriptions")
                }
                response.copiesRecordRoute = true
            } else {
                let isThere = try await store.resubscribe(request, localTag: request.localTag ?? "", expiresAt: expiresAt) { dialog in
                    // Another instance may have taken the same request and died before it answered.
                    if dialog.remoteSequence == message.cseq?.number { return }
                    guard dialog.receive(message) == .accept else { throw Defect.outOfOrder }
                    // The edge says over which flow it came: a phone that came back over another connection is told there.
                    if let flow = message.value(named: Self.flowHeader).flatMap({ NameAddress($0) }) { dialog.moveFirstRoute(to: flow) }
                }
                guard isThere else { throw Refusal(481) }
            }
            response.contact = NameAddress(contact)
            response.add(.expires, String(request.seconds))
            notify.wake()
            return response
        } catch let refusal as Refusal {
            throw refusal
        } catch is Defect {
            throw Refusal(500, "Request Out of Order")
        } catch let error as RPCError where error.isTransient {
            return Register.busy(message)
        } catch {
            runtime.logger.error("a SUBSCRIBE failed: \(error)", metadata: ["call_id": "\(request.callID)"])
            return Register.busy(message)
        }
    }
}
