internal import RTP

/// What packets that go straight from leg to leg ask of a `ForwardingPlan`, beside what else of the session they touch.
struct PassingTerms: BitwiseCopyable {
    /// There is a plan.
    let isAgreed: Bool
    let isTransparent: Bool
    let isSound: Bool
    let sends: Bool
    let receives: Bool
    let clockRate: Int32
    /// A bit for each payload type whose timestamps say when a packet was made.
    private let timed: (low: UInt64, high: UInt64)

    init() {
        (isAgreed, isTransparent, isSound, sends, receives, clockRate, timed) = (false, false, false, false, false, 8000, (0, 0))
    }

    init(_ plan: ForwardingPlan) {
        (isAgreed, isTransparent, isSound) = (true, plan.isTransparent, plan.isSound)
        (sends, receives, clockRate) = (plan.sends, plan.receives, Int32(clamping: plan.clockRate))
        var timed: (low: UInt64, high: UInt64) = (0, 0)
        for type in 0..<UInt8(64) {
            if plan.isTimed(plan.meaning(of: PayloadType(type))) { timed.low |= 1 << UInt64(type) }
            if plan.isTimed(plan.meaning(of: PayloadType(type + 64))) { timed.high |= 1 << UInt64(type) }
        }
        self.timed = timed
    }

    func isTimed(_ type: PayloadType) -> Bool {
        (type.value < 64 ? timed.low : timed.high) >> UInt64(type.value & 63) & 1 == 1
    }
}
