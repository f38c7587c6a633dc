/// Whether events and timelines tell which keys are pressed while an action is performed. Those of a PIN are nobody's business.
public enum KeyVisibility: String, Sendable, Hashable, OptionChoice { case shown, hidden }

extension Action.Kind {
    /// Whether the keys that are pressed meanwhile are shown to nobody but the flow.
    public var hidesKeys: Bool {
        switch self {
        case .gather(let option): option.keys == .hidden
        case .digitsReceive(let option): option.keys == .hidden
        case .collect(let option): option.keys == .hidden
        case .talk(let option): option.keys == .hidden
        default: false
        }
    }
}

extension String {
    /// As many question marks as it has characters: no key of a telephone.
    public var hiddenKeys: String { String(repeating: "?", count: count) }
}

extension Action {
    /// As others may see it: without the PIN that it knows or was given ahead.
    public var shown: Action {
        var shown = self
        switch kind {
        case .voicemailCheck(var option) where option.pin != nil:
            option.pin = option.pin?.hiddenKeys
            shown.kind = .voicemailCheck(option)
        case .gather(var option) where option.keys == .hidden && !option.typedAhead.isEmpty:
            option.typedAhead = option.typedAhead.hiddenKeys
            shown.kind = .gather(option)
        default: break
        }
        return shown
    }
}

extension Outcome {
    private static let answers: Set<String> = ["digits", "speech", "choice", "text", "value"]

    /// As others may see it.
    public func shown(of action: Action) -> Outcome {
        guard action.kind.hidesKeys else { return self }
        var shown = self
        shown.digits = digits?.hiddenKeys
        shown.data = data?.filter { $0.key != "choice_index" }
        for name in Self.answers { shown.data?[name] = data?[name].map { .string($0.plainText.hiddenKeys) } }
        return shown
    }
}
