/// The User-Agent names of programs that look for phones to break into (RFC 3261 §20.41).
struct ScannerSigns: Sendable {
    /// In lower case, one after the other.
    private let names: [[UInt8]]
    /// Which bytes a name begins with: nearly every place in a text is passed over by this alone.
    private let beginnings: [Bool]

    init(_ names: [String]) {
        self.names = names.map { Array($0.lowercased().utf8) }.filter { !$0.isEmpty }
        var beginnings = Array(repeating: false, count: 256)
        for name in self.names { beginnings[Int(name[0])] = true }
        self.beginnings = beginnings
    }

    /// Whether one of the names stands anywhere in it as a word of its own, in letters of either case.
    func matches(_ agent: Span<UInt8>) -> Bool {
        for index in agent.indices where beginnings[Int(Self.lowercased(agent[index]))] {
            for name in names.indices where stands(name, in: agent, at: index) { return true }
        }
        return false
    }

    private func stands(_ name: Int, in agent: Span<UInt8>, at start: Int) -> Bool {
        guard agent.count - start >= names[name].count else { return false }
        for offset in names[name].indices where Self.lowercased(agent[start + offset]) != names[name][offset] { return false }
        let end = start + names[name].count
        return (start == 0 || !Self.isWord(agent[start - 1])) && (end == agent.count || !Self.isWord(agent[end]))
    }

    private static func isWord(_ byte: UInt8) -> Bool { lowercased(byte) &- 97 < 26 || byte &- 48 < 10 }

    private static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 32 : byte }
}
