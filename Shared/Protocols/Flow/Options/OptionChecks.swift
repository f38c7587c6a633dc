extension Action.Kind {
    /// What no single field tells: which of them belong together, and what their texts must look like.
    func check(_ reader: inout OptionReader) {
        switch self {
        case .aiSummary(let option): option.check(&reader)
        case .branch(let option): option.check(&reader)
        case .externalMediaStart(let option): option.check(&reader)
        case .variableSet(let option): option.check(&reader)
        case .condition(let option): option.check(&reader)
        case .schedule(let option): option.check(&reader)
        case .playTone(let option): option.check(&reader)
        case .gather(let option): option.check(&reader)
        case .dial(let option): option.check(&reader)
        case .call(let option): option.check(&reader)
        case .collect(let option): option.check(&reader)
        case .voicemailCheck(let option): option.check(&reader)
        case .park(let option): option.check(&reader)
        case .transfer(let option): option.check(&reader)
        case .parallel(let option): option.check(&reader)
        case .setHeader(let option): option.check(&reader)
        case .fetch(let option):
            RequestCheck.url(option.eventURL, "event_url", &reader)
            RequestCheck.headers(option.headers, &reader)
        case .httpRequest(let option):
            RequestCheck.url(option.url, "url", &reader)
            RequestCheck.headers(option.headers, &reader)
            reader.noteReserved(option.variable, at: "variable")
            if option.body != nil, option.json != nil {
                reader.note(reader.pointer.pointing(at: "json"), .invalidValue, "give either body or json")
            }
        case .webhookSend(let option):
            RequestCheck.url(option.uri, "uri", &reader)
            RequestCheck.headers(option.headers, &reader)
            reader.noteReserved(option.variable, at: "variable")
            if option.variable != nil, !option.sync {
                reader.note(reader.pointer.pointing(at: "variable"), .invalidValue, "only with sync is there an answer")
            }
            if option.runActions, !option.sync {
                reader.note(reader.pointer.pointing(at: "run_actions"), .invalidValue, "only with sync is there an answer")
            }
        default: break
        }
    }
}

extension OptionReader {
    /// A variable is to be set; with a variable in its name only the moment of execution knows it.
    mutating func noteReserved(_ name: String?, at field: String) {
        guard let name, !name.contains("${"), Variables.isReserved(name) else { return }
        note(pointer.pointing(at: field), .invalidValue, "\"\(name)\" is the platform's: a flow reads it and cannot set it")
    }
}
