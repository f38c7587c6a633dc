public import RTP

/// Both directions of one secured stream: what is sent under our key, what is received under theirs (RFC 4568 §6.1, RFC 5764 §4.2).
///
/// The directions live apart: when one side brings a new key, its half is put in anew and the other goes on.
public struct Context: ~Copyable {
    private var sending: SendingContext
    private var receiving: ReceivingContext

    public init(sending: consuming SendingContext, receiving: consuming ReceivingContext) {
        self.sending = sending
        self.receiving = receiving
    }

    public init(sending: MasterKey, receiving: MasterKey, limits: Limits = Limits()) {
        self.init(sending: SendingContext(sending, limits: limits), receiving: ReceivingContext(receiving, limits: limits))
    }

    public mutating func replace(sending: consuming SendingContext) { self.sending = sending }
    public mutating func replace(receiving: consuming ReceivingContext) { self.receiving = receiving }

    public var suite: Suite { sending.suite }

    // MARK: Packets

    public mutating func protect(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        try sending.protect(&packet, count: count)
    }

    public mutating func unprotect(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        try receiving.unprotect(&packet, count: count)
    }

    public mutating func protectControl(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        try sending.protectControl(&packet, count: count)
    }

    public mutating func unprotectControl(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        try receiving.unprotectControl(&packet, count: count)
    }

    // MARK: Survival

    /// What has been protected under the key in use.
    public var used: Reservation { sending.used }
    func sendingPosition(_ sources: inout InlineArray<2, Position.Source>) { sending.write(&sources) }
    func receivingPosition(_ sources: inout InlineArray<4, Position.Source>) { receiving.write(&sources) }

    public var needsReservation: Bool { sending.needsReservation }
    public func reserve() -> Reservation { sending.reserve() }
    public mutating func commit(_ reservation: Reservation) { sending.commit(reservation) }
    public func nextSequence(of ssrc: SSRC) -> SequenceNumber? { sending.nextSequence(of: ssrc) }
    public var snapshot: ReceivingSnapshot { receiving.snapshot }

    public mutating func open(_ ssrc: SSRC, at sequence: SequenceNumber, rollover: UInt32 = 0) throws(Failure) {
        try sending.open(ssrc, at: sequence, rollover: rollover)
    }
}
