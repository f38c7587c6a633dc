import SIP

/// Requests of strangers for a domain wait here, in a table with a bound, while the Registrar is asked whether it is anybody's.
extension EdgeLoop {
    func awaitDomain(_ domain: String, _ message: borrowing MessageView, _ arrival: Arrival) {
        guard park(message.bodyRange.upperBound) else { return noPlace(for: message, arrival) }
        awaiting[domain, default: []].append((message.message(), arrival))
    }

    /// At the end of every turn.
    func askForDomains() {
        guard !admission.domains.questions.isEmpty else { return }
        for domain in admission.domains.takeQuestions() {
            findDomain(domain) { [weak self] isKnown in
                guard let self else { return }
                self.loop.post { self.assumeIsolated { $0.learned(domain, isKnown) } }
            }
        }
    }

    private func learned(_ domain: String, _ isKnown: Bool?) {
        admission.domains.learn(admission.name(domain), isKnown: isKnown, now: loop.now)
        let waiting = awaiting.removeValue(forKey: domain) ?? []
        for (message, arrival) in waiting {
            unpark(message.bytes.count)
            receiveOutside(message, arrival)
        }
    }

    /// A domain came or went.
    func forgetDomain(_ domain: String) { admission.domains.forget(admission.name(domain)) }
}
