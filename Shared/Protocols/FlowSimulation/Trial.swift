public import Flow

/// A flow with the calls that are to be played with it: the file that `tandem flow test` reads (docs/flow-test.md).
public struct Trial: Sendable {
    public var actions: [Action]
    /// Other flows, for `fetch_flow`.
    public var library: [String: [Action]] = [:]
    public var cases: [Case] = []

    /// One call, and what is expected of it.
    public struct Case: Sendable {
        public var name = ""
        /// When the call comes, in Unix seconds.
        public var time: Int64 = 0
        public var variables: [String: String] = [:]
        public var caller: [Deed] = []
        /// Who can be called, by number; nobody else can.
        public var callees: [String: Callee] = [:]
        /// What web servers answer, by address; the longest that the request begins with counts.
        public var servers: [String: [ServerAnswer]] = [:]
        /// What lies in mailboxes before the call.
        public var mailboxes: [String: [DepotRequest.Message]] = [:]
        /// What opens them, where the flow does not say.
        public var pins: [String: String] = [:]
        /// The call in each slot before this one comes, by lot.
        public var parked: [String: [String: String]] = [:]
        /// Milliseconds until another fetches the call from where it is parked.
        public var fetchedAfter: Int?
        /// How long what an action plays lasts, in milliseconds, by the action's id.
        public var prompts: [String: Int] = [:]
        /// What `amd` finds.
        public var answerer = "human"
        public var expected = Expected()
    }

    /// Something the caller does.
    public struct Deed: Sendable, Hashable {
        public enum What: Sendable, Hashable {
            case press(String)
            case say(String)
            case hangUp
        }

        public var what: What
        /// The action it waits for; nil: it follows the deed before.
        public var action: String?
        /// Milliseconds after that.
        public var after = 0
    }

    public struct Callee: Sendable, Hashable {
        public enum Answer: String, Sendable, Hashable, CaseIterable {
            case answer, busy, declined, machine, unreachable
            case noAnswer = "no_answer"
        }

        public var answer = Answer.answer
        /// Milliseconds until then.
        public var rings = 2000
        /// Milliseconds it talks, unless the caller hangs up before.
        public var talks = 10_000
        /// Keys it presses, once it is asked.
        public var presses = ""
    }

    public struct ServerAnswer: Sendable, Hashable {
        public var answer: FlowAnswer
    }

    /// What must have been; what is nil may be anything.
    public struct Expected: Sendable {
        /// The ids of the actions in order.
        public var path: [String]?
        /// Ids that must be among them in that order.
        public var passes: [String]?
        public var avoids: [String]?
        public var finished: String?
        /// Texts that were spoken, files that were played, in order.
        public var heard: [String]?
        public var variables: [String: JSONValue] = [:]
        /// The numbers that were called, in order.
        public var called: [String]?
        /// `METHOD ADDRESS` of the requests, in order.
        public var requests: [String]?
        /// Milliseconds from the first action to the end.
        public var longest: Int?
        /// Expressions that must hold at the end.
        public var holds: [Expression] = []
    }
}
