public import Flow

/// Draws a list of actions as SVG: one box per action from top to bottom, a line to what follows, an arc at the right for every jump,
/// named by what leads there.
public enum Drawing {
    private static let (width, height, gap, left, top) = (260, 44, 22, 24, 24)
    private static let lane = 18

    private struct Jump {
        let from: Int
        let to: Int
        let label: String
    }

    public static func svg(_ actions: [Action], name: String = "") -> String {
        let places = Dictionary(actions.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        var jumps: [Jump] = []
        var straight: [Int] = []
        for (index, action) in actions.enumerated() {
            for exit in action.exits {
                switch exit.target {
                case nil, ReservedID.next: straight.append(index)
                case ReservedID.finish: jumps.append(Jump(from: index, to: actions.count, label: exit.label))
                case ReservedID.start: jumps.append(Jump(from: index, to: 0, label: exit.label))
                case .some(let id):
                    let to = places[id] ?? index + 1
                    if to == index + 1, exit.label.isEmpty { straight.append(index) } else { jumps.append(Jump(from: index, to: to, label: exit.label)) }
                }
            }
        }
        let lanes = assigned(jumps)
        let across = left + width + lane * ((lanes.max() ?? 0) + 2) + 200
        let down = top + (actions.count + 1) * (height + gap) + top
        var lines = [
            ##"<svg xmlns="http://www.w3.org/2000/svg" width="\##(across)" height="\##(down)" viewBox="0 0 \##(across) \##(down)" font-family="sans-serif" font-size="12">"##,
            "<title>\(escaped(name))</title>",
            ##"<defs><marker id="a" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>"##,
        ]
        for (index, action) in actions.enumerated() {
            let y = top + index * (height + gap)
            lines.append(##"<rect x="\##(left)" y="\##(y)" width="\##(width)" height="\##(height)" rx="6" fill="\##(action.colour)" stroke="#444"/>"##)
            lines.append(##"<text x="\##(left + 10)" y="\##(y + 18)" font-weight="bold">\##(escaped(action.id)) · \##(action.type.rawValue)</text>"##)
            lines.append(##"<text x="\##(left + 10)" y="\##(y + 35)" fill="#333">\##(escaped(String(action.summary.prefix(36))))</text>"##)
        }
        let end = top + actions.count * (height + gap)
        lines.append(##"<circle cx="\##(left + width / 2)" cy="\##(end + 12)" r="10" fill="#fff" stroke="#444"/>"##)
        for index in Set(straight).sorted() {
            let y = top + index * (height + gap) + height
            lines.append(##"<path d="M\##(left + width / 2),\##(y) V\##(y + gap - 1)" stroke="#444" fill="none" marker-end="url(#a)"/>"##)
        }
        for (jump, number) in zip(jumps, lanes) {
            let from = top + jump.from * (height + gap) + height / 2 + 8
            let to = jump.to == actions.count ? end + 12 : top + jump.to * (height + gap) + height / 2 - 8
            let x = left + width + lane * (number + 1)
            let stop = jump.to == actions.count ? left + width / 2 + 10 : left + width
            lines.append(##"<path d="M\##(left + width),\##(from) H\##(x) V\##(to) H\##(stop)" stroke="#369" fill="none" marker-end="url(#a)"/>"##)
            if !jump.label.isEmpty { lines.append(##"<text x="\##(left + width + 4)" y="\##(from - 4 - 12 * sameBefore(jump, jumps))" fill="#369" font-size="10">\##(escaped(jump.label))</text>"##) }
        }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    /// Jumps that run beside each other have lanes of their own.
    private static func assigned(_ jumps: [Jump]) -> [Int] {
        var taken: [[ClosedRange<Int>]] = []
        return jumps.map { jump in
            let range = min(jump.from, jump.to)...max(jump.from, jump.to)
            let free = taken.firstIndex { !$0.contains { $0.overlaps(range) } } ?? taken.count
            if free == taken.count { taken.append([]) }
            taken[free].append(range)
            return free
        }
    }

    private static func sameBefore(_ jump: Jump, _ jumps: [Jump]) -> Int {
        (jumps.filter { $0.from == jump.from }.firstIndex { $0.label == jump.label && $0.to == jump.to } ?? 0)
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: if character.value >= 32 { result.unicodeScalars.append(character) }
            }
        }
        return result
    }
}

extension Action {
    /// Where it goes on, and when; nil: at the next.
    fileprivate var exits: [(label: String, target: String?)] {
        switch kind {
        case .branch(let option):
            option.targetIDs.sorted { $0.key < $1.key }.map { (label: $0.key.isEmpty ? "nothing" : $0.key, target: Optional($0.value)) }
                + [(label: option.defaultTargetID == nil ? "" : "else", target: option.defaultTargetID ?? nextID)]
        case .condition(let option): [("true", option.trueTargetID ?? nextID), ("false", option.falseTargetID ?? nextID)]
        case .conditionVariable(let option): [("", nextID), ("false", option.falseTargetID ?? nextID)]
        case .conditionDatetime(let option): [("", nextID), ("false", option.falseTargetID ?? nextID)]
        case .conditionCallDigits(let option): [("", nextID), ("false", option.falseTargetID ?? nextID)]
        case .conditionCallStatus(let option): [("", nextID), ("false", option.falseTargetID ?? nextID)]
        case .schedule(let option):
            [
                ("open", option.openTargetID ?? nextID), ("closed", option.closedTargetID ?? nextID),
                ("holiday", option.holidayTargetID ?? option.closedTargetID ?? nextID),
            ]
        case .dial(let option):
            [
                ("answered", option.answeredTargetID), ("busy", option.busyTargetID), ("no answer", option.noAnswerTargetID),
                ("failed", option.failedTargetID),
            ].filter { $0.1 != nil } + [("", nextID)]
        case .park(let option):
            [("timeout", option.timeoutTargetID), ("failed", option.failedTargetID)].filter { $0.1 != nil } + [("", nextID)]
        case .transfer(let option):
            [("busy", option.busyTargetID), ("no answer", option.noAnswerTargetID), ("failed", option.failedTargetID)].filter { $0.1 != nil }
                + [("transferred", ReservedID.finish), ("", nextID)]
        case .collect(let option):
            [("no input", option.noInputTargetID), ("invalid", option.invalidTargetID), ("failed", option.failedTargetID)].filter { $0.1 != nil } + [("", nextID)]
        case .gather(let option):
            option.choices.filter { $0.targetID != nil }.map { ($0.name, $0.targetID) }
                + [("no input", option.noInputTargetID), ("no match", option.noMatchTargetID)].filter { $0.1 != nil } + [("", nextID)]
        case .goto(let option): [("\(option.loopCount) ×", option.targetID), ("", nextID)]
        case .hangup, .stop: [("", ReservedID.finish)]
        default: [("", nextID)]
        }
    }

    fileprivate var summary: String {
        switch kind {
        case .talk(let option): option.text
        case .park(let option): option.retrieve.map { "fetches from \(option.lot) \($0)" } ?? "\(option.lot) \(option.slot ?? "")"
        case .voicemail(let option): "mailbox \(option.mailbox)"
        case .voicemailCheck(let option): "mailbox \(option.mailbox)"
        case .record(let option): "at most \(option.duration) s"
        case .parallel(let option): "\(option.until.rawValue): " + option.branches.map { "\($0.name) (\($0.actions.count))" }.joined(separator: " | ")
        case .play(let option): option.streamURLs.joined(separator: ", ")
        case .connect(let option): option.destinations.map(\.target).joined(separator: ", ")
        case .call(let option): option.destinations.map(\.target).joined(separator: ", ") + (option.flow.map { ": \($0)" } ?? "")
        case .confbridgeJoin(let option): option.confbridgeID
        case .dial(let option): option.targets.map(\.target).joined(separator: ", ")
        case .transfer(let option): option.flow ?? option.destinations.map(\.target).joined(separator: ", ")
        case .condition(let option): option.expression?.text ?? ""
        case .branch(let option): option.expression?.text ?? option.variable ?? "digits"
        case .variableSet(let option): "\(option.key) = \(option.expression?.text ?? option.value?.plainText ?? "")"
        case .collect(let option): "\(option.variable) (\(option.kind.rawValue))"
        case .gather(let option): option.text ?? option.streamURLs.joined(separator: ", ")
        case .fetch(let option): option.eventURL
        case .httpRequest(let option): "\(option.method.rawValue) \(option.url)"
        case .webhookSend(let option): "\(option.method.rawValue) \(option.uri)"
        case .sleep(let option): "\(option.duration) ms"
        case .digitsReceive(let option): "\(option.duration) ms, \(option.maximum.map { "\($0) digits" } ?? "until \(option.key)")"
        default: ""
        }
    }

    fileprivate var colour: String {
        switch kind {
        case .branch, .condition, .conditionVariable, .conditionDatetime, .conditionCallDigits, .conditionCallStatus, .schedule, .goto: "#fff3d6"
        case .fetch, .httpRequest, .webhookSend, .fetchFlow, .parallel: "#e6e0f5"
        case .hangup, .stop: "#f6d9d9"
        case .call, .confbridgeJoin, .conferenceJoin, .connect, .dial, .park, .transfer: "#dcefdc"
        default: "#e3eef9"
        }
    }
}
