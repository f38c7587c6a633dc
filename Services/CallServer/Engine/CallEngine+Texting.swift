import SIP

/// MESSAGE within calls (RFC 3428), in both directions.
extension CallEngine {
    /// Texts for one phone that wait for its snapshot.
    private static let mostTexts = 16

    /// The 200 says that it is taken, so it waits until neither the event nor the partner's MESSAGE can be lost with this process. Who takes the call over
    /// before that takes the request again: rather twice than never.
    func receiveMessage(_ message: Message, _ transaction: ServerTransactionID, _ id: String) {
        guard let leg = legs[id]?.leg, !leg.isEnded else { return answer(transaction, message, 481) }
        // It says nothing.
        guard !message.bodyRange.isEmpty else { return answer(transaction, message, 200) }
        let text: String
        do throws(TextMessage.Mistake) {
            text = try TextMessage(contentType: message.value(.contentType) ?? "", body: message.body).text
        } catch {
            return answer(transaction, message, error.code)
        }
        let partner = leg.textPartner
        // Those that are on their way are kept in memory.
        guard partner.flatMap({ legs[$0] })?.messages.count ?? 0 < Self.mostTexts else { return answer(transaction, message, 503) }
        handle(id, .texted(text))
        guard let partner, let other = legs[partner] else { return answerWhenSaved(id, transaction, message) }
        // It leaves with the partner's snapshot.
        other.whenSaved.append((other.leg.revision, { isOurs in
            guard isOurs else { return }
            self.assumeIsolated { engine in
                engine.answerWhenSaved(id, transaction, message)
                engine.drain()
            }
        }))
    }

    func prepareMessage(_ id: String, _ text: String) {
        guard var request = legs[id]?.leg.sip.dialog?.request(.message) else { return }
        // No Contact (RFC 3428 §4).
        (request.contentType, request.body) = ("\(TextMessage.contentType);charset=utf-8", Array(text.utf8))
        legs[id]?.messages.append(request)
    }

    /// What its phone answers changes nothing.
    func sendMessage(_ id: String) {
        guard let entry = legs[id], !entry.messages.isEmpty else { return }
        let request = entry.messages.removeFirst()
        guard let destination = request.destination else { return }
        purposes[layer.request(request, to: destination, now: loop.now, into: &outbox)] = .notice(leg: id)
        drain()
    }
}
