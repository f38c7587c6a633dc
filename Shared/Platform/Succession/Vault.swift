/// What the keeper holds for whoever comes next, and what of it the standby has not been told.
struct Vault<Attachment: Sendable>: Sendable {
    struct Entry: Sendable {
        var kind: KeeperMessage.Kind
        var bytes: [UInt8]
        var attachments: [Attachment]
        /// In the order of the first deposits: threads come before what lives on them.
        let number: UInt64
    }

    /// A change for the standby.
    enum Change: Sendable {
        case put(String, Entry, withAttachments: Bool)
        case remove(String)
    }

    private var entries: [String: Entry] = [:]
    private var nextNumber: UInt64 = 0
    /// Keys that changed, each once, in the order of the first change; whether the attachments did.
    private var changed: [String] = []
    private var isChanged: [String: Bool] = [:]
    private(set) var works = 0

    var count: Int { entries.count }
    var hasChanges: Bool { !changed.isEmpty }

    /// Without attachments the ones that are there stay.
    mutating func put(_ kind: KeeperMessage.Kind, _ key: String, _ bytes: [UInt8], _ attachments: [Attachment]) {
        let before = entries[key]
        works += (kind == .work ? 1 : 0) - (before?.kind == .work ? 1 : 0)
        entries[key] = Entry(
            kind: kind, bytes: bytes, attachments: attachments.isEmpty ? before?.attachments ?? [] : attachments,
            number: before?.number ?? nextNumber)
        if before == nil { nextNumber += 1 }
        note(key, !attachments.isEmpty)
    }

    mutating func remove(_ key: String) {
        if entries.removeValue(forKey: key)?.kind == .work { works -= 1 }
        note(key, false)
    }

    /// Everything is new to whoever stands by from now on.
    mutating func changeAll() {
        changed = entries.sorted { $0.value.number < $1.value.number }.map(\.key)
        isChanged = entries.mapValues { _ in true }
    }

    /// Nobody stands by.
    mutating func forgetChanges() { (changed, isChanged) = ([], [:]) }

    /// Tells the changes in turn, until `tell` takes no more; what was not taken stays.
    mutating func drain(_ tell: (Change) -> Bool) {
        var told = 0
        for key in changed {
            let withAttachments = isChanged[key] ?? false
            let change = entries[key].map { Change.put(key, $0, withAttachments: withAttachments) } ?? .remove(key)
            guard tell(change) else { break }
            isChanged[key] = nil
            told += 1
        }
        changed.removeFirst(told)
    }

    private mutating func note(_ key: String, _ hasAttachments: Bool) {
        if let before = isChanged[key] {
            isChanged[key] = before || hasAttachments
        } else {
            isChanged[key] = hasAttachments
            changed.append(key)
        }
    }
}
