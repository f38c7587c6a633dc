internal import Bytes
internal import COpenSSL
internal import SRTP

/// One attempt at a handshake, and what lives on of it: OpenSSL between datagrams.
@safe struct Session: ~Copyable {
    enum Progress {
        case waiting, complete
        /// The peer has said so, protected.
        case closed
        case failed(String)
    }

    private let handle: OpaquePointer
    /// Between OpenSSL and us; the handle owns it.
    private let flight: UnsafeMutablePointer<tandem_flight>
    private let isClient: Bool
    /// Of the next record without protection.
    private var nextRecord: UInt64 = 0

    private static let method = Method()
    private static let recordLength = 16 * 1024

    @safe private struct Method: @unchecked Sendable {
        // Sendable: made once, never changed.
        let handle: OpaquePointer

        init() {
            guard let method = unsafe tandem_flight_method() else { preconditionFailure("out of memory") }
            unsafe handle = method
        }
    }

    init(_ endpoint: Endpoint, isClient: Bool, mtu: Int) {
        guard let session = unsafe SSL_new(endpoint.handle),
            let flight = unsafe tandem_flight_attach(session, Self.method.handle, Int32(clamping: mtu))
        else { preconditionFailure("out of memory") }
        if isClient { unsafe SSL_set_connect_state(session) } else { unsafe SSL_set_accept_state(session) }
        unsafe (handle, self.flight, self.isClient) = (session, flight, isClient)
    }

    deinit { unsafe SSL_free(handle) }

    /// Whether a flight of ours is under way.
    var isBegun: Bool { unsafe flight.pointee.is_timer_running != 0 }

    // MARK: Datagrams

    /// Goes on with the handshake, with a datagram of the peer or without.
    mutating func shakeHands(_ datagram: Span<UInt8> = Span()) -> Progress {
        let records = numbered(datagram)
        return feed(records.span) {
            ERR_clear_error()
            let result = unsafe SSL_do_handshake(handle)
            return result == 1 ? .complete : judge(result)
        }
    }

    /// Reads what the peer says after the handshake. Application data has no meaning; a repeated flight is answered.
    mutating func read(_ datagram: Span<UInt8>) -> Progress {
        var record = [UInt8](repeating: 0, count: Self.recordLength)
        let records = numbered(datagram)
        return feed(records.span) {
            ERR_clear_error()
            while true {
                let count = unsafe SSL_read(handle, &record, Int32(record.count))
                guard count > 0 else { return judge(count) }
            }
        }
    }

    private mutating func numbered(_ datagram: Span<UInt8>) -> [UInt8] {
        var records = datagram.array()
        Record.renumber(&records, next: &nextRecord)
        return records
    }

    private func feed(_ datagram: Span<UInt8>, _ body: () -> Progress) -> Progress {
        unsafe datagram.withUnsafeBufferPointer { buffer in
            unsafe (flight.pointee.incoming, flight.pointee.incoming_length) = (buffer.baseAddress, buffer.count)
            defer { unsafe (flight.pointee.incoming, flight.pointee.incoming_length) = (nil, 0) }
            return body()
        }
    }

    private func judge(_ result: Int32) -> Progress {
        switch unsafe SSL_get_error(handle, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .waiting
        case SSL_ERROR_ZERO_RETURN: return .closed
        default:
            let code = ERR_peek_last_error()
            ERR_clear_error()
            guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return .failed("unknown reason") }
            return unsafe .failed(String(cString: text))
        }
    }

    /// Says that nothing more comes.
    func close() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(handle)
        ERR_clear_error()
    }

    func take(into outbox: inout Outbox) {
        guard let outgoing = unsafe flight.pointee.outgoing else { return }
        let bytes = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: outgoing, count: flight.pointee.outgoing_length))
        var at = 0
        while at + 2 <= bytes.count {
            let end = min(bytes.count, at + 2 + Int(bytes[at]) << 8 + Int(bytes[at + 1]))
            outbox.datagrams.append(bytes.extracting((at + 2)..<end).array())
            at = end
        }
        unsafe tandem_flight_emptied(flight)
    }

    // MARK: The timer

    enum TimerChange { case none, stopped, started, restarted }

    /// What happened to OpenSSL's timer since this was asked last.
    func takeTimerChange() -> TimerChange {
        defer { unsafe (flight.pointee.was_timer_started, flight.pointee.was_timer_stopped) = (0, 0) }
        let wasStopped = unsafe flight.pointee.was_timer_stopped != 0
        guard unsafe flight.pointee.was_timer_started != 0, unsafe flight.pointee.is_timer_running != 0 else {
            return wasStopped ? .stopped : .none
        }
        return wasStopped ? .restarted : .started
    }

    /// Repeats the last flight; false when OpenSSL has given up.
    func repeatFlight() -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return unsafe tandem_dtls_expire(handle, flight) >= 0
    }

    // MARK: The result

    func isPeer(_ fingerprints: [Fingerprint]) -> Bool {
        guard let certificate = unsafe SSL_get0_peer_certificate(handle) else { return false }
        return unsafe Fingerprint.contains(fingerprints, certificate)
    }

    /// Nil when no profile was agreed on.
    func keying() -> Keying? {
        guard let profile = unsafe SSL_get_selected_srtp_profile(handle),
            let suite = unsafe Suite(dtlsProfile: UInt16(truncatingIfNeeded: profile.pointee.id))
        else { return nil }
        var exported = [UInt8](repeating: 0, count: Keying.length(suite))
        let isExported =
            unsafe SSL_export_keying_material(
                handle, &exported, exported.count, Keying.label, Keying.label.utf8.count, nil, 0, 0) == 1
        return isExported ? Keying(suite, exported: exported, isClient: isClient) : nil
    }
}
