import Flow

/// Mailboxes of the file, and what is put into them.
extension Player {
    mutating func keep(_ request: DepotRequest) -> DepotReply {
        switch request {
        case .deposit(let mailbox, let recordingID, let milliseconds, _, let from):
            let id = "vm_\(recordingID.drop { $0 != "_" }.dropFirst())"
            if !mailboxes[mailbox, default: []].contains(where: { $0.id == id }) {
                mailboxes[mailbox, default: []].append(DepotRequest.Message(id: id, recordingID: recordingID, status: .new))
                note("mailbox \(mailbox): \(milliseconds) ms from \(from)")
            }
            return .deposited(id: id)
        case .open(let mailbox, let limit):
            let all = mailboxes[mailbox] ?? []
            return .opened(Array((all.filter { $0.status == .new } + all.filter { $0.status == .read }).prefix(limit)))
        case .unlock(let mailbox, let pin):
            guard let wanted = script.pins[mailbox] else { return .done }
            return pin == wanted ? .done : .refused("pin")
        case .greeting: return .done
        case .mark(let id, let status):
            for (name, messages) in mailboxes {
                guard let index = messages.firstIndex(where: { $0.id == id }) else { continue }
                mailboxes[name]?[index].status = status
                note("\(id) is \(status.rawValue)")
            }
            return .done
        case .park(let lot, let slot, let first, let last, let callID, _):
            let taken = parked[lot] ?? [:]
            guard let slot = slot ?? (first...max(first, last)).lazy.map(String.init).first(where: { taken[$0] == nil }), taken[slot] == nil else {
                return .refused(slot == nil ? "lot_full" : "slot_taken")
            }
            parked[lot, default: [:]][slot] = callID
            note("parked in \(lot) \(slot)")
            return .parked(slot: slot)
        case .unpark(let callID):
            for lot in parked.keys { parked[lot] = parked[lot]?.filter { $0.value != callID } }
            return .done
        case .retrieve(let lot, let slot, _):
            return parked[lot]?[slot].map { .found(callID: $0) } ?? .refused("not_found")
        case .call(let order):
            let (number, _) = callee(order.to)
            report.called.append(number)
            note("calls \(number) as \(order.from)")
            return .called(id: "call_test\(report.called.count)")
        case .delete(let id):
            for name in mailboxes.keys { mailboxes[name]?.removeAll { $0.id == id } }
            note("\(id) is deleted")
            return .done
        }
    }

    /// `park`: until the file says that somebody comes, or the time is up.
    mutating func wait(_ option: Hold) -> Outcome {
        guard let after = script.fetchedAfter, after < option.timeout else { return pass(option.timeout) ? .callEnded : .noAnswer }
        note("it is fetched")
        if pass(after + 10_000) { return .callEnded }
        digits = ""
        return Outcome(.completed, data: ["call_id": "call_other"])
    }

    /// `record`: until a key, the end of what is said, or the time.
    mutating func record(_ option: Record, of action: Action) -> Outcome {
        let id = "rec_test\(report.recordings.count + 1)"
        report.recordings.append(id)
        let begin = now
        let end = now + option.duration * 1000
        // Who says nothing falls silent at once.
        var silent = option.endOfSilence > 0 ? now + (script.prompts[action.id] ?? 0) + option.endOfSilence * 1000 : end
        func outcome(_ result: Outcome.Result, _ reason: String) -> Outcome {
            Outcome(
                result, variables: ["voipbin.recording.id": id],
                data: ["recording_id": .string(id), "milliseconds": .integer(Int64(now - begin)), "ended": .string(reason)])
        }
        while true {
            switch next(until: min(end, silent)) {
            case .press(let key):
                if option.endKeys.contains(key) { return outcome(.completed, "key") }
                digits += key
            case .say(let words):
                if option.endOfSilence > 0 { silent = now + words.count * Self.perCharacter + option.endOfSilence * 1000 }
            case .hangUp: return outcome(.callEnded, "hangup")
            case nil: return outcome(.completed, now >= end ? "duration" : "silence")
            }
        }
    }
}
