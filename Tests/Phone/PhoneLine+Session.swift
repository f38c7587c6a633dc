public import Addresses
import Deadlines
import SDP
import RTP
import SIP

/// What is done to a call in progress.
extension PhoneLine {
    /// Offers the session anew (RFC 3261 §14.1) and waits until that is settled.
    func offerAgain(_ id: Int, _ direction: Direction) async throws {
        let session = try session(id)
        guard session.phase == .answered, var dialog = session.dialog, !session.media.isOfferPending else {
            throw PhoneError.wrongState("the call with \(session.peer) is \(session.phase): it cannot be changed now")
        }
        var request = dialog.request(.invite)
        session.dialog = dialog
        request.contact = contact
        (request.contentType, request.body) = ("application/sdp", session.media.offer(direction: direction).bytes)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            send(
                request, renew: renewal(in: session),
                reply: { [self] request, reply in
                    if let outcome = settleOffer(reply, to: request, session) { continuation.resume(with: outcome) }
                })
        }
    }

    private func settleOffer(_ reply: Reply, to request: RequestBuilder, _ session: CallSession) -> Result<Void, any Error>? {
        switch reply {
        case .provisional:
            return nil
        case .final(let response) where StatusClass(response.status ?? 0) == .success:
            session.dialog?.receive(response: response)
            acknowledge(request.cseq, session)
            return acceptAnswer(response, session) ? .success(()) : .failure(PhoneError.noCommonCodec)
        case .final(let response):
            session.media.withdrawOffer()
            return .failure(refusal(.invite, response))
        case .none(let error):
            session.media.withdrawOffer()
            return .failure(error)
        }
    }

    /// Queues digits to be sent as telephone events (RFC 4733).
    func send(digits: String, _ id: Int) throws {
        let session = try session(id)
        guard session.media.agreement?.telephoneEvent != nil else {
            throw PhoneError.wrongState("no telephone events were agreed with \(session.peer)")
        }
        session.sound.send(
            digits: try digits.map { digit in
                guard let code = TelephoneEvent.code(of: digit) else { throw PhoneError.wrongState("\(digit) is no key of a telephone") }
                return code
            })
    }

    /// Presses a key and tells of it in an INFO (RFC 6086); returns the status of the answer.
    func sendInfo(_ id: Int, contentType: String, body: String) async throws -> Int {
        let session = try session(id)
        guard session.phase == .answered, var dialog = session.dialog else {
            throw PhoneError.wrongState("the call with \(session.peer) is \(session.phase): nothing can be told in it")
        }
        var request = dialog.request(.info)
        session.dialog = dialog
        if !body.isEmpty { (request.contentType, request.body) = (contentType, Array(body.utf8)) }
        return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int, any Error>) in
            send(request, renew: renewal(in: session)) { _, reply in
                switch reply {
                case .provisional: break
                case .final(let response): continuation.resume(returning: response.status ?? 0)
                case .none(let error): continuation.resume(throwing: error)
                }
            }
        }
    }

    /// Asks that who is talked with talks with somebody else (RFC 3515); the status of the answer.
    func refer(_ id: Int, to number: String) async throws -> Int {
        let session = try session(id)
        guard session.phase == .answered, var dialog = session.dialog else {
            throw PhoneError.wrongState("the call with \(session.peer) is \(session.phase): nobody can be transferred")
        }
        var request = dialog.request(.refer)
        session.dialog = dialog
        request.contact = contact
        request.add(.referTo, "<\(URI(user: number, host: settings.domain))>")
        return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int, any Error>) in
            send(request, renew: renewal(in: session)) { _, reply in
                switch reply {
                case .provisional: break
                case .final(let response): continuation.resume(returning: response.status ?? 0)
                case .none(let error): continuation.resume(throwing: error)
                }
            }
        }
    }

    /// Queues keys to be heard as tones (ITU-T Q.23) in its sound.
    func send(tones: String, _ id: Int) throws { try session(id).sound.send(tones: tones) }

    /// Queues sound of 8 kHz to be heard in place of its tone.
    func send(sound: [Int16], _ id: Int) throws { try session(id).sound.send(sound: sound) }

    func isSendingDigits(_ id: Int) -> Bool { sessions[id].map { $0.phase != .ended && $0.sound.isSendingDigits } ?? false }

    func setTone(_ frequency: Int?, _ id: Int) throws { try session(id).sound.tone = frequency }

    func report(_ id: Int) -> CallReport {
        sessions[id]?.report
            ?? CallReport(phase: .ended, ringTime: nil, setupTime: nil, end: nil, codec: nil, sound: SoundReport())
    }

    func level(of frequency: Double, _ id: Int) -> Double { sessions[id]?.sound.hearing.level(of: frequency) ?? -120 }

    func sound(_ id: Int) -> [Int16] { sessions[id]?.sound.hearing.sound ?? [] }

    func forgetWhatWasHeard(_ id: Int) { sessions[id]?.sound.forgetWhatWasHeard() }

    /// Lets go of a call that has ended, with its report.
    func forget(_ id: Int) {
        if sessions[id]?.phase == .ended { sessions[id] = nil }
    }

    /// The reports of all calls that were not forgotten: for load, where nobody holds each call.
    public var reports: [CallReport] { sessions.values.map(\.report) }

    /// Starts all counts of all calls anew.
    public func forgetWhatWasHeard() {
        for session in sessions.values { session.sound.forgetWhatWasHeard() }
    }

    /// Lets go of all calls that have ended.
    public func forgetEndedCalls() { sessions = sessions.filter { $0.value.phase != .ended } }

    /// Where the sound of its calls goes.
    public var relays: [SocketAddress] { sessions.values.filter { $0.phase == .answered }.compactMap { $0.media.agreement?.remote } }

    func relay(_ id: Int) -> SocketAddress? { sessions[id]?.media.agreement?.remote }

    func callID(_ id: Int) -> String? { sessions[id]?.dialog?.callID }
}
