import Contracts
import Flow

/// Who makes the request that a run waits for, and until when it must have an answer. Stored before the request leaves, so that
/// nobody makes it a second time: what is asked twice is not sent twice.
struct Asking: Sendable, Equatable {
    let instance: String
    let incarnation: String
    /// Beyond that nobody will bring the answer.
    let until: Timestamp

    /// An answer needs some time to be stored.
    static let grace = 2000

    init(_ request: FlowRequest, instance: String, incarnation: String, at time: Timestamp) {
        (self.instance, self.incarnation) = (instance, incarnation)
        until = Timestamp(milliseconds: time.milliseconds + Int64(request.longest + Self.grace))
    }

    var json: JSONValue {
        ["instance": .string(instance), "incarnation": .string(incarnation), "until": .integer(until.milliseconds)]
    }

    init?(json: JSONValue?) {
        guard let instance = json?["instance"]?.string, let incarnation = json?["incarnation"]?.string, let until = json?["until"]?.integer
        else { return nil }
        (self.instance, self.incarnation, self.until) = (instance, incarnation, Timestamp(milliseconds: until))
    }

    /// By the numbers of the requests.
    static func json(_ all: [Int: Asking]) -> JSONValue { .object(Dictionary(all.map { (String($0), $1.json) }, uniquingKeysWith: { $1 })) }

    static func all(json: JSONValue?) -> [Int: Asking] {
        var all: [Int: Asking] = [:]
        for (number, value) in json?.object ?? [:] {
            if let number = Int(number), let asking = Asking(json: value) { all[number] = asking }
        }
        return all
    }
}
