public import Flow

/// Plays one case of a trial: the interpreter as it runs in FlowManager, with a caller, callees and web servers that do what the file
/// says, in virtual time. What takes hours there takes microseconds here.
public struct Player {
    let trial: Trial
    let script: Trial.Case
    let interpreter: Interpreter
    var report = Report()
    /// Milliseconds since the first action.
    var now = 0
    /// Keys that no action has used yet.
    var digits = ""
    var run: Run
    var mailboxes: [String: [DepotRequest.Message]]
    /// Calls in slots, by lot.
    var parked: [String: [String: String]]
    /// Answers that are on their way, by the numbers of the requests.
    var arriving: [Int: Arrival] = [:]
    private var deeds: [Trial.Deed]
    /// When the first of them is due; nil while it waits for its action.
    private var due: Int?
    var answered: [String: Int] = [:]

    public static func play(_ script: Trial.Case, of trial: Trial, with interpreter: Interpreter) -> Report {
        var player = Player(trial, script, interpreter)
        player.play()
        return player.report
    }

    private init(_ trial: Trial, _ script: Trial.Case, _ interpreter: Interpreter) {
        (self.trial, self.script, self.interpreter) = (trial, script, interpreter)
        let system = [
            "voipbin.call.id": "call_test", "voipbin.call.direction": "inbound", "voipbin.call.source.target": "1001",
            "voipbin.call.destination.target": "700", "voipbin.activeflow.id": "run_test", "voipbin.activeflow.reference_id": "call_test",
            "voipbin.activeflow.flow_id": "flow_test", Variables.callStatus: "ringing",
        ]
        (mailboxes, parked) = (script.mailboxes, script.parked)
        run = Run(actions: trial.actions, variables: Variables(system.merging(script.variables) { $1 }))
        deeds = script.caller.flatMap(Self.oneByOne)
        due = deeds.first.flatMap { $0.action == nil ? $0.after : nil }
    }

    /// Keys are pressed one after the other, ten a second.
    private static func oneByOne(_ deed: Trial.Deed) -> [Trial.Deed] {
        guard case .press(let keys) = deed.what, keys.count > 1 else { return [deed] }
        return keys.enumerated().map { index, key in
            Trial.Deed(what: .press(String(key)), action: index == 0 ? deed.action : nil, after: index == 0 ? deed.after : 100)
        }
    }

    var time: Int64 { script.time + Int64(now / 1000) }

    private mutating func play() {
        var progress = interpreter.start(&run, at: time)
        while true {
            take(progress)
            switch progress.next {
            case .finished(let reason):
                report.finished = reason.rawValue
                (report.duration, report.variables) = (now, run.variables)
                report.judge(script.expected)
                return
            case .needFlow(let id):
                note("flow \(id)")
                progress = interpreter.supply(&run, trial.library[id], at: time)
            case .needDepot(let request):
                progress = interpreter.supply(&run, keep(request), at: time)
            case .needAnswer:
                guard let coming = nextAnswer(), !pass(coming.time - now) else {
                    progress = ended(step: run.step)
                    continue
                }
                arriving[coming.number] = nil
                progress = interpreter.supply(&run, coming.answer, to: coming.number, at: time)
            case .perform(let action, let step):
                guard let outcome = performBeside(action, step, &progress) else { continue }
                note("\(action.id): \(outcome.result.rawValue)\(outcome.code.map { " \($0)" } ?? "")\(outcome.digits.map { " digits \"\($0)\"" } ?? "")")
                do throws(Interpreter.OutOfOrder) {
                    progress = try interpreter.advance(&run, step: step, outcome, at: time)
                } catch {
                    report.mistakes.append("the interpreter awaits step \(error.expected), not \(step)")
                    return
                }
            }
        }
    }

    /// The call is over while nobody performs anything.
    private mutating func ended(step: Int) -> Interpreter.Progress {
        do throws(Interpreter.OutOfOrder) {
            return try interpreter.advance(&run, step: step, .callEnded, at: time)
        } catch {
            report.mistakes.append("the interpreter does not take the end of the call")
            return interpreter.end(of: &run)
        }
    }

    mutating func take(_ progress: Interpreter.Progress) {
        for occurrence in progress.occurrences {
            guard case .started(let action, let step) = occurrence else { continue }
            report.path.append(action.id)
            note(step == nil ? "\(action.id) (\(action.type.rawValue))" : "\(action.id) (\(action.type.rawValue)) begins")
            if due == nil, let deed = deeds.first, deed.action == action.id { due = now + deed.after }
        }
        for request in progress.sends {
            report.requests.append("\(request.method.rawValue) \(request.url)")
            note("\(request.method.rawValue) \(request.url), not waited for")
        }
    }

    mutating func note(_ what: String) { report.events.append(Report.Event(time: now, what: what)) }

    // MARK: The caller

    /// The next thing the caller does until then, when it does one; the clock stands there, or at the end.
    mutating func next(until end: Int) -> Trial.Deed.What? {
        guard let due, due <= end, !deeds.isEmpty else {
            now = max(now, end)
            return nil
        }
        now = max(now, due)
        let deed = deeds.removeFirst()
        self.due = deeds.first.flatMap { $0.action == nil ? now + $0.after : nil }
        switch deed.what {
        case .press(let key): note("the caller presses \(key)")
        case .say(let words): note("the caller says \"\(words)\"")
        case .hangUp: note("the caller hangs up")
        }
        return deed.what
    }

    /// Lets time pass; keys are kept. True when the caller hangs up meanwhile.
    mutating func pass(_ milliseconds: Int) -> Bool {
        let end = now + milliseconds
        while let deed = next(until: end) {
            switch deed {
            case .press(let key): digits += key
            case .say: break
            case .hangUp: return true
            }
        }
        return false
    }
}
