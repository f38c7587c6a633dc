public import Deadlines
public import SIP
import Threads

/// The binding of a phone at its registrar, and when to renew it.
struct Registration {
    private(set) var isActive = false
    fileprivate var request: RequestBuilder?
    private var timer: EventLoop.Timer?

    mutating func renew(on loop: EventLoop, after delay: Interval, _ work: @escaping () -> Void) {
        cancelRefresh(on: loop)
        isActive = true
        timer = loop.schedule(at: loop.now + delay, work)
    }

    mutating func end(on loop: EventLoop) {
        cancelRefresh(on: loop)
        isActive = false
    }

    mutating func cancelRefresh(on loop: EventLoop) {
        if let timer { loop.cancel(timer) }
        timer = nil
    }
}

extension PhoneLine {
    public var isRegistered: Bool { registration.isActive }

    /// Registers (RFC 3261 §10.2), and from then on renews the binding by itself. The 200 is returned, for what it says besides.
    @discardableResult
    public func register(within limit: Interval = .seconds(10)) async throws -> Message {
        try open()
        let response = try await exchange(registerRequest(expires: settings.expires), within: limit)
        guard response.status == 200 else { throw refusal(.register, response) }
        let granted = response.contacts.map(grantedExpiry) ?? nil
        refreshRegistration(after: .seconds(max(1, (granted ?? settings.expires) / 2)))
        return response
    }

    /// Removes this phone's binding.
    public func unregister(within limit: Interval = .seconds(10)) async throws {
        registration.end(on: loop)
        let response = try await exchange(registerRequest(expires: 0), within: limit)
        guard response.status == 200 else { throw refusal(.register, response) }
    }

    /// Starts to unregister, if there is something to remove; the registration is active until that is confirmed.
    func leave() {
        guard registration.isActive else { return }
        registration.cancelRefresh(on: loop)
        send(registerRequest(expires: 0)) { [self] _, reply in
            if case .provisional = reply { return }
            registration.end(on: loop)
        }
    }

    func refreshRegistration(after delay: Interval) {
        registration.renew(on: loop, after: delay) { [weak self] in
            self?.assumeIsolated { $0.refreshNow() }
        }
    }

    private func refreshNow() {
        guard !isClosed else { return }
        send(registerRequest(expires: settings.expires)) { [self] _, reply in
            switch reply {
            case .provisional: break
            case .final(let response) where response.status == 200:
                let granted = response.contacts.map(grantedExpiry) ?? nil
                refreshRegistration(after: .seconds(max(1, (granted ?? settings.expires) / 2)))
            case .final, .none:
                if !isClosed { refreshRegistration(after: .seconds(1)) }
            }
        }
    }

    func refusal(_ method: Method, _ response: Message) -> PhoneError {
        .refused(method, status: response.status ?? 0, reason: response.reason ?? "")
    }

    /// One Call-ID and a rising CSeq for all registrations of a phone (§10.2).
    private func registerRequest(expires: Int) -> RequestBuilder {
        var request = registration.request
            ?? RequestBuilder(
                .register, uri: URI(host: settings.domain), from: address, to: address, callID: newTag() + newTag(), cseq: 0)
        request.cseq += 2  // a challenge uses the number between
        request.from.tag = newTag()
        request.contact = contact
        request.contact?.parameters.set("expires", "\(expires)")
        request.headers = [Header(.userAgent, "Tandem test phone"), Header(.allow, Self.allowed)]
        if let instance = settings.instance {
            request.contact?.parameters.set("+sip.instance", "\"<\(instance)>\"")
            request.add(.supported, "gruu")
            if let regID = settings.regID {
                request.contact?.parameters.set("reg-id", "\(regID)")
                request.add(.supported, "path, outbound")
            }
        }
        registration.request = request
        return request
    }

    /// What the registrar granted to this phone's own contact.
    private func grantedExpiry(_ contacts: Contacts) -> Int? {
        guard case .list(let list) = contacts else { return nil }
        let own = list.first { $0.uri.isEquivalent(to: contact.uri) }
        return own?.parameters["expires"].flatMap { Int($0) }
    }
}
