import Addresses
import Deadlines
import ServiceKit

extension TokenRate {
    static let setting = Setting.Format("REQUESTS A SECOND/AT ONCE, like 50/500, or 0") { TokenRate($0) != nil }
}

extension AddressRange {
    static let setting = Setting.Format("an address or a network like 10.0.0.0/8") { AddressRange($0) != nil }
}

/// The same as an operator gives them.
extension AdmissionSettings {
    static let declared: [Setting] = [
        Setting(
            "TANDEM_RATE_REGISTER", as: TokenRate.setting, default: "50/500",
            "REGISTER requests a second/at once from one address, or IPv6 /64, that has not authenticated; 0: no limit"),
        Setting("TANDEM_RATE_INVITE", as: TokenRate.setting, default: "20/100", "the same for INVITE"),
        Setting("TANDEM_RATE_OTHER", as: TokenRate.setting, default: "50/200", "the same for all else outside a dialog"),
        Setting(
            "TANDEM_RATE_REFUSALS", as: TokenRate.setting, default: "200/400",
            "refusals a second/at once that each loop tells strangers; beyond it they get silence; 0: no limit"),
        Setting("TANDEM_RATE_EMERGENCY", as: TokenRate.setting, default: "2/20", "the same for emergency calls, which nothing else limits"),
        Setting(
            "TANDEM_RATE_NETWORK_FACTOR", .integer(0...10_000), default: "8",
            "how many times that a /24, or an IPv6 /48, of strangers may send; 0: no limit"),
        Setting(
            "TANDEM_RATE_KNOWN_FACTOR", .integer(1...10_000), default: "20",
            "how many times that an address may send, and hold connections, that has authenticated"),
        Setting(
            "TANDEM_RATE_KNOWN_SECONDS", .integer(1...604_800), default: "7200",
            "how long an address counts as known after it has authenticated"),
        Setting(
            "TANDEM_RATE_ACCOUNT", as: TokenRate.setting, default: "5/30",
            "attempts a second/at once to authenticate as one account from addresses it was never seen at; 0: no limit"),
        Setting(
            "TANDEM_RATE_CUSTOMER", as: TokenRate.setting, default: "500/2000", "calls a second/at once that one customer may begin; 0: no limit"),
        Setting(
            "TANDEM_ADMISSION_SOURCES", .integer(64...16_777_216), default: "65536",
            "addresses that each loop remembers; about 250 bytes each"),
        Setting(
            "TANDEM_ADMISSION_EXEMPT", as: AddressRange.setting.list, default: "",
            "addresses and networks that are never limited or banned, like 192.0.2.7,10.0.0.0/8; the inside address always is"),
        Setting(
            "TANDEM_BAN_OFFENCES", .integer(0...1_000_000), default: "20",
            "wrong passwords and malformed messages in a window for which an address is banned; 0: none is"),
        Setting("TANDEM_BAN_WINDOW_SECONDS", .integer(1...86_400), default: "60", "the window"),
        Setting(
            "TANDEM_BAN_KNOWN_FACTOR", .integer(1...10_000), default: "10",
            "how many times as many it takes for an address that others authenticate from"),
        Setting("TANDEM_BAN_SECONDS", .integer(1...86_400), default: "60", "the first ban; each further one is twice as long"),
        Setting("TANDEM_BAN_LONGEST_SECONDS", .integer(1...2_592_000), default: "3600", "the longest ban"),
        Setting(
            "TANDEM_SCANNERS",
            default: "friendly-scanner,sipvicious,sipcli,sundayddr,vaxsipuseragent,pplsip,sip-scan,sipsak-scan,iwar,smap,siparmyknife",
            "words in the User-Agent of programs that get no answer"),
        Setting("TANDEM_EMERGENCY_NUMBERS", default: "112,911", "numbers that are called when life is at stake"),
        Setting(
            "TANDEM_OVERLOAD_MILLISECONDS", .integer(0...60_000), default: "100",
            "how long a call server may take to its first response before new calls are refused; 0: none is"),
        Setting("TANDEM_STALE_SECONDS", .integer(1...32), default: "5", "an INVITE that waited longer is not forwarded"),
        Setting(
            "TANDEM_TCP_CONNECTIONS_PER_ADDRESS", .integer(0...1_000_000), default: "512",
            "connections per loop from one address, or IPv6 /64, that has not authenticated; 0: no limit"),
        Setting(
            "TANDEM_AMPLIFICATION_PERCENT", .integer(0...10_000), default: "150",
            "how long the answer to a datagram of a stranger may be, in percent of it; 0: no limit"),
    ]

    /// `trusted` by address: the farm's own, for an edge alone.
    init(_ settings: Settings, inside: IPAddress, trusted: [AddressRange] = []) throws(Mistake) {
        self.init()
        func rate(_ name: String) throws(Mistake) -> TokenRate {
            guard let rate = TokenRate(settings.text(name)) else {
                throw Mistake(description: "\(name) must be REQUESTS A SECOND/AT ONCE, like 50/500, or 0")
            }
            return rate
        }
        rates.registration = try rate("TANDEM_RATE_REGISTER")
        rates.invite = try rate("TANDEM_RATE_INVITE")
        rates.other = try rate("TANDEM_RATE_OTHER")
        rates.emergency = try rate("TANDEM_RATE_EMERGENCY")
        refusals = try rate("TANDEM_RATE_REFUSALS")
        rates.account = try rate("TANDEM_RATE_ACCOUNT")
        rates.customer = try rate("TANDEM_RATE_CUSTOMER")
        rates.networkFactor = settings.integer("TANDEM_RATE_NETWORK_FACTOR")
        rates.knownFactor = settings.integer("TANDEM_RATE_KNOWN_FACTOR")
        rates.knownFor = .seconds(settings.integer("TANDEM_RATE_KNOWN_SECONDS"))
        rates.sources = settings.integer("TANDEM_ADMISSION_SOURCES")
        bans.offences = settings.integer("TANDEM_BAN_OFFENCES")
        bans.window = .seconds(settings.integer("TANDEM_BAN_WINDOW_SECONDS"))
        bans.knownFactor = settings.integer("TANDEM_BAN_KNOWN_FACTOR")
        bans.first = .seconds(settings.integer("TANDEM_BAN_SECONDS"))
        bans.longest = .seconds(settings.integer("TANDEM_BAN_LONGEST_SECONDS"))
        bans.sources = max(64, rates.sources / 4)
        overload.target = .milliseconds(settings.integer("TANDEM_OVERLOAD_MILLISECONDS"))
        stale = .seconds(settings.integer("TANDEM_STALE_SECONDS"))
        connectionsPerSource = settings.integer("TANDEM_TCP_CONNECTIONS_PER_ADDRESS")
        amplification = AmplificationLimit(percent: settings.integer("TANDEM_AMPLIFICATION_PERCENT"))
        exempt = trusted
        for text in settings.list("TANDEM_ADMISSION_EXEMPT") + ["\(inside)"] {
            guard let range = AddressRange(text) else {
                throw Mistake(description: "TANDEM_ADMISSION_EXEMPT: \(text) is no address and no network like 10.0.0.0/8")
            }
            exempt.append(range)
        }
        scanners = settings.text("TANDEM_SCANNERS").split(separator: ",").map(String.init)
        emergencyNumbers = settings.list("TANDEM_EMERGENCY_NUMBERS")
    }
}
