import Contracts
import Flow
import SIP

/// What a call to a number does where no flow answers for that: the phones of an extension ring, and its forwarding says what comes of a
/// call that they do not take. All of it is actions, so that everything a flow's call can do and survive, this one can.
struct DialPlan {
    /// What a number is.
    enum Found: Sendable, Equatable {
        case `extension`(CallForwarding?)
        case flow(String)
        case conference(String)
        case nobody

        /// What a call that is sent there performs, where no phone is rung.
        var program: Leg.Program? {
            switch self {
            case .flow(let id): return Leg.Program(flowID: id)
            case .conference(let id):
                var join = ConferenceJoin()
                join.conferenceID = id
                return Leg.Program(actions: [Action(id: "conference", .conferenceJoin(join))])
            case .extension, .nobody: return nil
            }
        }
    }

    /// Calls that were sent on go no further than so many numbers.
    static let mostNumbers = 6
    /// Milliseconds that phones ring which somebody answers for, where nothing else is said.
    static let usualRing = 20_000

    let number: String
    let domain: String
    /// How long phones ring that nobody answers for.
    let longestRing: Int
    private(set) var found: [String: Found]

    init(_ number: String, _ forwarding: CallForwarding?, domain: String, longestRing: Int) {
        (self.number, self.domain, self.longestRing) = (number, domain, longestRing)
        found = [number: .extension(forwarding)]
    }

    /// Numbers that the call may come to, and of which is not known what they are. Each is asked for once, so that a ring of extensions
    /// that forward to each other ends.
    var unknown: [String] {
        guard found.count < Self.mostNumbers else { return [] }
        let all = Set(found.values.flatMap { $0.destinations }).subtracting(found.keys)
        return Array(all.sorted().prefix(Self.mostNumbers - found.count))
    }

    mutating func note(_ number: String, is what: Found) { found[number] = what }

    var actions: [Action] {
        var writer = Writer(plan: self)
        writer.ring(number, as: "ring", after: [], sentOn: nil)
        return writer.actions
    }

    /// Why a call was sent on (RFC 5806 §4.1).
    fileprivate enum Reason: String { case unconditional, userBusy = "user-busy", noAnswer = "no-answer", unavailable }

    private struct Writer {
        let plan: DialPlan
        var actions: [Action] = []

        /// `after`: who has sent the call on, the first in front.
        mutating func ring(_ number: String, as id: String, after visited: [String], sentOn reason: Reason?) {
            let way = visited + [number]
            let forwarding: CallForwarding? =
                if case .extension(let forwarding)? = plan.found[number] { forwarding } else { nil }
            if let always = forwarding?.always, goes(always, way) {
                return send(from: number, to: always, as: id, after: visited, .unconditional)
            }
            var dial = Dial()
            dial.targets = [Dial.Target(number)]
            dial.ringback = .earlyMedia
            let isAnsweredFor = forwarding?.noAnswer.map { goes($0, way) } == true
            dial.timeout = forwarding?.ringSeconds.map { $0 * 1_000 } ?? (isAnsweredFor ? DialPlan.usualRing : plan.longestRing)
            var following: [(id: String, to: String, Reason)] = []
            /// Where the call goes for a reason; to its end where that leads nowhere.
            func follow(_ destination: String?, _ suffix: String, _ reason: Reason) -> String {
                guard let destination, goes(destination, way) else { return "\(id)-end" }
                following.append(("\(id)-\(suffix)", destination, reason))
                return "\(id)-\(suffix)"
            }
            dial.busyTargetID = follow(forwarding?.busy, "busy", .userBusy)
            dial.noAnswerTargetID = follow(forwarding?.noAnswer, "no-answer", .noAnswer)
            // Where nothing is said of phones that are not there, it is as if nobody answered.
            if let unreachable = forwarding?.unreachable { dial.unreachableTargetID = follow(unreachable, "unreachable", .unavailable) }
            // Of a call that failed for another reason nobody has seen anything either.
            dial.failedTargetID = dial.unreachableTargetID ?? dial.noAnswerTargetID
            dial.answeredTargetID = "\(id)-end"
            // Jumps lead to the first of its actions.
            let isTold = tell(id, visited, reason)
            actions.append(Action(id: isTold ? "\(id)-ring" : id, .dial(dial)))
            actions.append(Action(id: "\(id)-end", .stop))
            for (id, destination, reason) in following { send(from: number, to: destination, as: id, after: visited, reason) }
        }

        /// Whether a call may go there: not in circles, and not to what is no number.
        private func goes(_ destination: String, _ way: [String]) -> Bool {
            if destination == CallForwarding.voicemail { return true }
            return !way.contains(destination) && plan.found[destination] != nil && plan.found[destination] != .nobody
        }

        private mutating func send(from number: String, to destination: String, as id: String, after visited: [String], _ reason: Reason) {
            let way = visited + [number]
            if destination == CallForwarding.voicemail {
                var voicemail = Voicemail()
                voicemail.mailbox = number
                return end(with: Action(id: id, .voicemail(voicemail)))
            }
            switch plan.found[destination] {
            case .extension: ring(destination, as: id, after: way, sentOn: reason)
            case .flow(let flowID):
                var fetch = FetchFlow()
                fetch.flowID = flowID
                end(with: Action(id: id, .fetchFlow(fetch)))
            case .conference(let conferenceID):
                var join = ConferenceJoin()
                join.conferenceID = conferenceID
                end(with: Action(id: id, .conferenceJoin(join)))
            case .nobody, nil: actions.append(Action(id: id, .stop))
            }
        }

        private mutating func end(with action: Action) {
            actions.append(action)
            actions.append(Action(id: "\(action.id)-end", .stop))
        }

        /// The phones that ring next are told who has sent the call on.
        private mutating func tell(_ id: String, _ visited: [String], _ reason: Reason?) -> Bool {
            guard let reason, let last = visited.last else { return false }
            var header = SetHeader()
            header.name = "Diversion"
            header.value = "<\(URI(calling: last, at: plan.domain))>;reason=\(reason.rawValue);counter=\(visited.count)"
            actions.append(Action(id: id, .setHeader(header)))
            return true
        }
    }
}

extension DialPlan.Found {
    /// Other numbers that it may send a call on to.
    fileprivate var destinations: [String] {
        guard case .extension(let forwarding?) = self else { return [] }
        return [forwarding.always, forwarding.busy, forwarding.noAnswer, forwarding.unreachable].compactMap(\.self)
            .filter { $0 != CallForwarding.voicemail }
    }
}

extension Dial.Target {
    fileprivate init(_ number: String) {
        self.init()
        target = number
    }
}
