import Bus
import Contracts
import Cryptography
import Logging
import SIP
import ServiceKit
import Telemetry

/// Performs a REGISTER: reads it, changes the bindings, makes the copy, answers (RFC 3261 §10.3).
struct Register: Sendable {
    private static let refused = Counter("tandem_registrar_refused_total", "REGISTER requests that were refused.")
    private static let accepted = Counter("tandem_registrar_accepted_total", "REGISTER requests that were performed.")

    let store: Store
    let copy: BindingCopy
    let outbox: ServiceKit.Outbox
    let notify: NotifyWatchers
    let policy: BindingSet.Policy
    let temporaryGRUU: TemporaryGRUU
    let runtime: Runtime

    func callAsFunction(_ message: Message) async -> ResponseBuilder {
        let now = runtime.timestamp().milliseconds
        do throws(Refusal) {
            let request = try RegisterRequest(message)
            let answer = await perform(request, message, now: now)
            (answer.status == 200 ? Self.accepted : Self.refused).add()
            return answer
        } catch {
            Self.refused.add()
            return RegisterAnswer.refusal(message, error)
        }
    }

    private func perform(_ request: RegisterRequest, _ message: Message, now: Int64) async -> ResponseBuilder {
        let (customer, number) = (request.customer, request.number)
        do {
            let registration: Store.Registration?
            if case .list = request.wish {
                registration = try await store.registration(customer: customer, number: number)
            } else {
                registration = try await store.changeBindings(customer: customer, number: number) { [policy] set in
                    try set.apply(request, policy, now: now)
                }
            }
            guard let registration else { return ResponseBuilder(message, 404) }
            await copy.save(registration, customer: customer, number: number)
            if registration.hasNews {
                outbox.wake()
                notify.wake()
            }
            return RegisterAnswer.success(message, request, registration.set, now: now) { binding in
                temporaryURI(of: binding, extensionID: registration.extensionID, domain: request.domain)
            }
        } catch let defect as BindingSet.Defect {
            return RegisterAnswer.refusal(message, defect)
        } catch let error as RPCError where error.isTransient {
            // Counted, and said once by the client of the server that is away.
            return Self.busy(message)
        } catch {
            runtime.logger.error("a REGISTER failed: \(error)", metadata: ["call_id": "\(request.callID)"])
            return Self.busy(message)
        }
    }

    private func temporaryURI(of binding: Binding, extensionID: String, domain: String) -> String? {
        guard let instanceID = binding.instanceID, let generation = binding.generation else { return nil }
        let nonce = (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: 0 ... .max) }
        return (try? temporaryGRUU.token(extensionID: extensionID, instanceID: instanceID, generation: generation, nonce: nonce))
            .map { GRUU.temporaryURI(token: $0, domain: domain) }
    }

    /// What cannot be served now is tried again by the phone; each at a time of its own.
    static func busy(_ message: Message) -> ResponseBuilder {
        var response = ResponseBuilder(message, 503)
        response.add(.retryAfter, String(Int.random(in: 5...30)))
        return response
    }
}
