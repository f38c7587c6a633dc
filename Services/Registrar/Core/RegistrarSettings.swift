import Contracts
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
        Setting("TANDEM_DIALOG_SUBSCRIPTIONS", .integer(1...10_000), default: "50", "subscriptions to the dialogs of one extension's phones at once"),
        Setting("TANDEM_DIALOGS_TOLD", .integer(1...100), default: "20", "dialogs of an extension that its watchers are told of, the latest"),
        Setting(
            "TANDEM_DIALOG_PAUSE_MILLISECONDS", .integer(0...60_000), default: "1000",
            "a watcher of dialogs is told no more often than this (RFC 4235 §3.10), but for what it asks itself"),
        Setting(
            "TANDEM_DIALOG_NAMES", as: .choice(DialogNames.allCases.map(\.rawValue)), default: DialogNames.own.rawValue,
            "who is told Call-ID and tags of dialogs, with which one can take their place (RFC 3891): phones of the extension itself (own), all of its customer's (customer), nobody (none)"),
    ] + InsideStreams.declared

    /// Who sees what names a dialog.
    enum DialogNames: String, CaseIterable, Sendable { case own, customer, none }

    /// How dialogs are told of.
    struct DialogTerms: Sendable {
        var limit = 20
        var pause = Duration.seconds(1)
        var names = DialogNames.own

        func showsNames(to watcher: Watcher) -> Bool {
            switch names {
            case .own: watcher.watcherNumber == watcher.number
            case .customer: true
            case .none: false
            }
        }
    }

    static func dialogs(_ settings: Settings) -> DialogTerms {
        guard let names = DialogNames(rawValue: settings.text("TANDEM_DIALOG_NAMES")) else {
            preconditionFailure("TANDEM_DIALOG_NAMES was checked to be one of them")
        }
        return DialogTerms(
            limit: settings.integer("TANDEM_DIALOGS_TOLD"), pause: .milliseconds(settings.integer("TANDEM_DIALOG_PAUSE_MILLISECONDS")),
            names: names)
    }

    static func subscriptions(_ settings: Settings) -> SubscribeRequest.Policy {
        SubscribeRequest.Policy(
            minimum: settings.integer("TANDEM_SUBSCRIBE_MIN_SECONDS"), maximum: settings.integer("TANDEM_SUBSCRIBE_MAX_SECONDS"),
            limit: settings.integer("TANDEM_SUBSCRIPTIONS"), dialogLimit: settings.integer("TANDEM_DIALOG_SUBSCRIPTIONS"))
    }

    static func policy(_ settings: Settings) -> BindingSet.Policy {
        BindingSet.Policy(
            minimum: settings.integer("TANDEM_REGISTER_MIN_SECONDS"), maximum: settings.integer("TANDEM_REGISTER_MAX_SECONDS"),
            fallback: settings.integer("TANDEM_REGISTER_DEFAULT_SECONDS"), limit: settings.integer("TANDEM_REGISTER_CONTACTS"))
    }
}
