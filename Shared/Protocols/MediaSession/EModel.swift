internal import Bytes
internal import Glibc

/// The opinion score a listener would give (ITU-T G.107), with the defaults of its table 3 for all that is not measured here.
///
/// The scale is that of the narrow band, which is all a room carries.
public struct EModel: Hashable, Sendable {
    /// What a codec does to speech (ITU-T G.113, appendix I).
    public struct Equipment: Hashable, Sendable {
        /// Ie: without loss.
        public let impairment: Double
        /// Bpl: how well it bears losses.
        public let robustness: Double

        public init(impairment: Double, robustness: Double) { (self.impairment, self.robustness) = (impairment, robustness) }

        /// `conceals`: whether lost G.711 is made up from what was heard before (G.711 appendix I).
        ///
        /// G.722 and Opus have no values for the narrow band: they are taken for G.711 with concealment, GSM's robustness for that of
        /// its successor.
        public init(codec: String, conceals: Bool) {
            func named(_ name: String) -> Bool { ASCII.equalsIgnoringCase(codec, name) }
            if named("G729") {
                self.init(impairment: 11, robustness: 19)
            } else if named("GSM") {
                self.init(impairment: 20, robustness: 10)
            } else if named("PCMU") || named("PCMA") {
                self.init(impairment: 0, robustness: conceals ? 25.1 : 4.3)
            } else {
                self.init(impairment: 0, robustness: 25.1)
            }
        }
    }

    public var equipment: Equipment
    /// The share of packets that are not heard, 0...1.
    public var loss: Double
    /// BurstR: 1 for losses by chance.
    public var burstRatio: Double
    /// Ta: from mouth to ear, in ms.
    public var delay: Double

    public init(_ equipment: Equipment, loss: Double, burstRatio: Double = 1, delay: Double = 0) {
        (self.equipment, self.loss, self.burstRatio, self.delay) = (equipment, loss, burstRatio, delay)
    }

    /// R = Ro - Is - Id - Ie,eff (§7.1), where Ro - Is is 93.2 with the defaults.
    public var rating: Double { max(0, min(100, 93.2 - delayImpairment - effectiveEquipmentImpairment)) }

    /// Ie,eff (§7.5).
    private var effectiveEquipmentImpairment: Double {
        let percent = 100 * max(0, min(1, loss))
        let ratio = max(1, burstRatio)
        return equipment.impairment + (95 - equipment.impairment) * percent / (percent / ratio + equipment.robustness)
    }

    /// Idd (§7.4): echo is not heard, for nobody measures it here.
    private var delayImpairment: Double {
        guard delay > 100 else { return 0 }
        let x = log2(delay / 100)
        return 25 * (pow(1 + pow(x, 6), 1 / 6) - 3 * pow(1 + pow(x / 3, 6), 1 / 6) + 2)
    }

    /// Annex B.
    public var meanOpinionScore: Double {
        let rating = rating
        guard rating > 6.5 else { return 1 }
        return max(1, min(4.5, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6))
    }
}
