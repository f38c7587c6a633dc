import Deadlines
public import SIP

/// Transfers (RFC 3515, RFC 5589), and requests within a dialog that are sent once more.
extension PhoneLine {
    /// The status of the answer to a request within the call's dialog.
    func exchange(_ method: Method, _ headers: [Header], _ id: Int) async throws -> Int {
        let session = try session(id)
        guard session.phase == .answered, var dialog = session.dialog else {
            throw PhoneError.wrongState("the call with \(session.peer) is \(session.phase): nothing can be asked in it")
        }
        var request = dialog.request(method)
        session.dialog = dialog
        request.contact = contact
        request.headers += headers
        return try await exchange(request, session)
    }

    /// The last of those again, with the CSeq number it had: to its receiver it is the same request (RFC 3261 §12.2.2).
    func exchangeAgain(_ id: Int) async throws -> Int {
        let session = try session(id)
        guard let request = session.exchanged else { throw PhoneError.wrongState("nothing was asked in the call with \(session.peer)") }
        return try await exchange(request, session)
    }

    private func exchange(_ request: RequestBuilder, _ session: CallSession) async throws -> Int {
        session.exchanged = request
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

    /// What a NOTIFY tells of a transfer: a status line.
    func receiveNotice(_ message: Message, _ session: CallSession) {
        let words = String(decoding: message.body, as: UTF8.self).split(separator: " ")
        guard words.first == "SIP/2.0", words.count > 1, let status = Int(words[1]) else { return }
        session.told.append(status)
    }

    func told(_ id: Int) -> [Int] { sessions[id]?.told ?? [] }

    func reference(_ id: Int) throws -> String {
        guard let dialog = try session(id).dialog else { throw PhoneError.wrongState("the call has no dialog yet") }
        return "\(dialog.callID);to-tag=\(dialog.remoteTag);from-tag=\(dialog.localTag)"
    }
}

extension PhoneCall {
    /// The call as `Replaces` or `Join` names it to the other side (RFC 3891 §6.1).
    public var reference: String { get async throws { try await line.reference(id) } }

    /// Asks the other side to call a number, of this domain if none is given, in place of another call of this phone's when one is given; the status of the answer.
    public func refer(to number: String, replacing other: PhoneCall? = nil) async throws -> Int {
        var headers = ""
        if let other {
            let unreserved = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
            let escaped = try await other.reference.utf8.map { byte in
                let character = Character(UnicodeScalar(byte))
                return unreserved.contains(character) ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
            headers = "?Replaces=" + escaped.joined()
        }
        let target = number.contains("@") ? number : "\(number)@\(line.settings.domain)"
        return try await line.exchange(.refer, [Header(.referTo, "<sip:\(target)\(headers)>")], id)
    }

    /// The statuses that a transfer's NOTIFYs have told so far.
    public var told: [Int] { get async { await line.told(id) } }

    /// A request without a body; the status of the answer.
    public func ask(_ method: Method, _ headers: [Header] = []) async throws -> Int { try await line.exchange(method, headers, id) }

    /// The last request of `ask` or `refer` once more, as a phone does that has had no answer.
    public func askAgain() async throws -> Int { try await line.exchangeAgain(id) }
}
