// The frequencies and cadences of ITU-T E.180 Supplement 2, which lists what each administration has told of its network.
extension CallProgress {
    /// What a tone tells.
    public enum Signal: String, CaseIterable, Hashable, Sendable {
        case dial, ringing, busy, congestion, beep
        case callWaiting = "call_waiting"
        case specialInformation = "special_information"
    }

    /// The signal as it sounds in a country (ISO 3166 code in any case; `gb` is `uk`), or as E.180 recommends where that is
    /// not known.
    public static func tone(_ signal: Signal, country: String? = nil) -> CallProgress {
        let code = country?.lowercased() ?? ""
        let tones = countries[code == "gb" ? "uk" : code] ?? recommended
        switch signal {
        case .dial: return tones.dial
        case .ringing: return tones.ringing
        case .busy: return tones.busy
        case .congestion: return tones.congestion
        case .callWaiting: return tones.callWaiting
        case .specialInformation: return specialInformation
        case .beep: return beep
        }
    }

    /// The codes of the countries whose tones are known.
    public static var knownCountries: [String] { countries.keys.sorted() }

    private struct Tones {
        let dial: CallProgress
        let ringing: CallProgress
        let busy: CallProgress
        let congestion: CallProgress
        let callWaiting: CallProgress
    }

    /// The tone on and off in turn, for so many ms each.
    private static func pulse(_ frequencies: [Double], _ times: Int..., modulation: Double = 0) -> CallProgress {
        CallProgress(
            times.enumerated().map { index, time in
                index % 2 == 0 ? Step(frequencies, milliseconds: time, modulation: modulation) : Step([], milliseconds: time)
            })
    }

    private static func steady(_ frequencies: Double..., modulation: Double = 0) -> CallProgress {
        CallProgress([Step(frequencies, milliseconds: 1000, modulation: modulation)])
    }

    private static let recommended = Tones(
        dial: dial, ringing: ringing, busy: busy, congestion: congestion, callWaiting: pulse([425], 200, 600, 200, 3000))

    private static let countries: [String: Tones] = [
        "at": Tones(
            dial: steady(420), ringing: pulse([420], 1000, 5000), busy: pulse([420], 400, 400),
            congestion: pulse([420], 200, 200), callWaiting: pulse([420], 40, 1960)),
        "au": Tones(
            dial: steady(413, 438), ringing: pulse([413, 438], 400, 200, 400, 2000), busy: pulse([425], 375, 375),
            congestion: CallProgress([
                Step([425], milliseconds: 375), Step([], milliseconds: 375), Step([420], milliseconds: 375),
                Step([], milliseconds: 375),
            ]), callWaiting: pulse([425], 200, 200, 200, 4400)),
        "be": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 3000), busy: pulse([425], 500, 500),
            congestion: pulse([425], 167, 167), callWaiting: pulse([1400], 175, 175, 175, 3500)),
        "br": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 4000), busy: pulse([425], 250, 250),
            congestion: pulse([425], 250, 250, 750, 250), callWaiting: pulse([425], 50, 1000)),
        "ch": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 4000), busy: pulse([425], 500, 500),
            congestion: pulse([425], 200, 200), callWaiting: pulse([425], 200, 200, 200, 4000)),
        "cn": Tones(
            dial: steady(450), ringing: pulse([450], 1000, 4000), busy: pulse([450], 350, 350),
            congestion: pulse([450], 700, 700), callWaiting: pulse([450], 400, 4000)),
        "de": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 4000), busy: pulse([425], 480, 480),
            congestion: pulse([425], 240, 240), callWaiting: pulse([425], 200, 200, 200, 5000)),
        "dk": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 4000), busy: pulse([425], 500, 500),
            congestion: pulse([425], 200, 200), callWaiting: pulse([425], 200, 600, 200, 3000)),
        "es": Tones(
            dial: steady(425), ringing: pulse([425], 1500, 3000), busy: pulse([425], 200, 200),
            congestion: pulse([425], 200, 200, 200, 200, 200, 600), callWaiting: pulse([425], 175, 175, 175, 3500)),
        "fi": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 4000), busy: pulse([425], 300, 300),
            congestion: pulse([425], 200, 200), callWaiting: pulse([425], 150, 150, 150, 8000)),
        "fr": Tones(
            dial: steady(440), ringing: pulse([440], 1500, 3500), busy: pulse([440], 500, 500),
            congestion: pulse([440], 250, 250), callWaiting: pulse([440], 300, 10_000)),
        "in": Tones(
            dial: steady(400, modulation: 25), ringing: pulse([400], 400, 200, 400, 2000, modulation: 25),
            busy: pulse([400], 750, 750), congestion: pulse([400], 250, 250), callWaiting: pulse([400], 200, 100, 200, 7500)),
        "it": Tones(
            dial: pulse([425], 200, 200, 600, 1000), ringing: pulse([425], 1000, 4000), busy: pulse([425], 500, 500),
            congestion: pulse([425], 200, 200), callWaiting: pulse([425], 400, 100, 250, 100, 150, 14_000)),
        "jp": Tones(
            dial: steady(400), ringing: pulse([400], 1000, 2000, modulation: 16), busy: pulse([400], 500, 500),
            congestion: pulse([400], 500, 500), callWaiting: pulse([400], 500, 8000, modulation: 16)),
        "nl": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 4000), busy: pulse([425], 500, 500),
            congestion: pulse([425], 250, 250), callWaiting: pulse([425], 500, 9500)),
        "no": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 4000), busy: pulse([425], 500, 500),
            congestion: pulse([425], 200, 200), callWaiting: pulse([425], 200, 600, 200, 10_000)),
        "nz": Tones(
            dial: steady(400), ringing: pulse([400, 450], 400, 200, 400, 2000), busy: pulse([400], 500, 500),
            congestion: pulse([400], 250, 250), callWaiting: pulse([400], 200, 3000)),
        "ru": Tones(
            dial: steady(425), ringing: pulse([425], 1000, 4000), busy: pulse([425], 350, 350),
            congestion: pulse([425], 175, 175), callWaiting: pulse([425], 200, 5000)),
        "uk": Tones(
            dial: steady(350, 440), ringing: pulse([400, 450], 400, 200, 400, 2000), busy: pulse([400], 375, 375),
            congestion: pulse([400], 400, 350, 225, 525), callWaiting: pulse([400], 100, 4000)),
        "us": Tones(
            dial: steady(350, 440), ringing: pulse([440, 480], 2000, 4000), busy: pulse([480, 620], 500, 500),
            congestion: pulse([480, 620], 250, 250), callWaiting: pulse([440], 300, 10_000)),
    ]
}
