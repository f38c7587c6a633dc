import ServiceKit

/// The registrar's own settings.
enum RegistrarSettings {
    static let declared: [Setting] = [
        Setting("TANDEM_SIP_PORT", .integer(0...65_535), default: "0", "inside SIP port; 0 takes a free one"),
        Setting(
            "TANDEM_SIP_DATAGRAM_BYTES", .integer(200...65_535), default: "1300",
            "longer SIP messages go to the edges over TCP (RFC 3261 §18.1.1)"),
        Setting("TANDEM_REGISTER_MIN_SECONDS", .integer(1...3_600), default: "60", "shortest registration; shorter ones get 423"),
        Setting("TANDEM_REGISTER_MAX_SECONDS", .integer(60...604_800), default: "3600", "longest registration"),
        Setting("TANDEM_REGISTER_DEFAULT_SECONDS", .integer(60...604_800), default: "600", "when the phone does not say"),
        Setting("TANDEM_REGISTER_CONTACTS", .integer(1...100), default: "10", "contacts one extension may have at once"),
        Setting("TANDEM_SUBSCRIBE_MIN_SECONDS", .integer(1...3_600), default: "60", "shortest subscription; shorter ones get 423"),
        Setting("TANDEM_SUBSCRIBE_MAX_SECONDS", .integer(60...604_800), default: "3600", "longest subscription"),
        Setting(
            "TANDEM_QUALIFY_SECONDS", .integer(0...86_400), default: "0",
            "how often every registered phone is asked by OPTIONS whether it is there; 0 never"),
        Setting("TANDEM_SUBSCRIPTIONS", .integer(1...10_000), default: "20", "subscriptions to one extension's registration at once"),
    ] + InsideStreams.declared

    static func subscriptions(_ settings: Settings) -> SubscribeRequest.Policy {
        SubscribeRequest.Policy(
            minimum: settings.integer("TANDEM_SUBSCRIBE_MIN_SECONDS"), maximum: settings.integer("TANDEM_SUBSCRIBE_MAX_SECONDS"),
            limit: settings.integer("TANDEM_SUBSCRIPTIONS"))
    }

    static func policy(_ settings: Settings) -> BindingSet.Policy {
        BindingSet.Policy(
            minimum: settings.integer("TANDEM_REGISTER_MIN_SECONDS"), maximum: settings.integer("TANDEM_REGISTER_MAX_SECONDS"),
            fallback: settings.integer("TANDEM_REGISTER_DEFAULT_SECONDS"), limit: settings.integer("TANDEM_REGISTER_CONTACTS"))
    }
}
