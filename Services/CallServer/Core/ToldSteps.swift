import Contracts
import Deadlines

/// What FlowManager has taken lately of each run, in order, and could forget: a crash of PostgreSQL takes back the steps of the last 0.6 s
/// (DESIGN §5), and the FlowManager that would write them again may be gone in the same moment. Then the call has it told once more. Pure.
///
/// Only in memory: with this process a third one would have to die within that moment.
struct ToldSteps: Sendable {
    enum Telling: Sendable {
        case begun(StartRun)
        case ended(AdvanceRun)

        var runID: String { switch self { case .begun(let command): command.runID; case .ended(let command): command.runID } }

        var customerID: String { switch self { case .begun(let command): command.customerID; case .ended(let command): command.customerID } }

        /// The step whose end it tells; 0: it tells of the beginning.
        var step: Int { if case .ended(let command) = self { command.step } else { 0 } }

        /// Told again it leads to what it has led to then.
        func again(at time: Int64?) -> Telling {
            switch self {
            case .begun(var command):
                command.at = time
                return .begun(command)
            case .ended(var command):
                command.at = time
                return .ended(command)
            }
        }
    }

    private struct Entry: Sendable {
        let telling: Telling
        let at: Instant
    }

    /// A run takes no more steps within that time: the oldest of them are on disk.
    static let mostOfRun = 100

    private var runs: [String: [Entry]] = [:]

    var count: Int { runs.count }

    var all: [String] { runs.keys.sorted() }

    /// FlowManager has answered. While the run waits for a web server it is told the same again, and has not taken it yet.
    mutating func took(_ telling: Telling, _ answer: RunStep, at now: Instant) {
        guard answer.waiting == nil else { return }
        var entries = runs[telling.runID] ?? []
        if let place = entries.firstIndex(where: { $0.telling.step == telling.step }) { entries.remove(at: place) }
        entries.append(Entry(telling: telling.again(at: answer.at), at: now))
        if entries.count > Self.mostOfRun { entries.removeFirst() }
        runs[telling.runID] = entries
    }

    /// What is told again.
    func tellings(of run: String) -> [Telling] { runs[run]?.map(\.telling) ?? [] }

    /// PostgreSQL has lived from before that moment until now. `besides`: what is being told again.
    mutating func forget(toldBefore moment: Instant, besides kept: Set<String>) {
        for (run, entries) in runs where !kept.contains(run) {
            guard let first = entries.first, first.at < moment else { continue }
            let left = entries.filter { $0.at >= moment }
            runs[run] = left.isEmpty ? nil : left
        }
    }
}
