/// Whether an option field may be left out; without it the field keeps the value it has.
enum Presence { case required, optional }

/// How long a string may be; `Limits` has the numbers.
enum Length { case identifier, short, url, text, value }

/// Walks over the option fields of an action. Each option struct lists its fields once, and this one list is enough to
/// read it from JSON with every mistake named (`OptionReader`), to write it (`OptionWriter`) and to put variables into it
/// (`OptionSubstitution`).
protocol OptionVisitor {
    mutating func string(_ name: String, _ value: inout String, _ presence: Presence, _ length: Length)
    mutating func string(_ name: String, _ value: inout String?, _ length: Length)
    mutating func strings(_ name: String, _ value: inout [String], _ presence: Presence, _ length: Length)
    /// A list of some of these words; not an empty one.
    mutating func words(_ name: String, _ value: inout [String], _ words: [String])
    mutating func integer(_ name: String, _ value: inout Int, _ presence: Presence, in range: ClosedRange<Int>)
    mutating func integer(_ name: String, _ value: inout Int?, in range: ClosedRange<Int>)
    mutating func integers(_ name: String, _ value: inout [Int], in range: ClosedRange<Int>)
    mutating func number(_ name: String, _ value: inout Double?)
    mutating func flag(_ name: String, _ value: inout Bool)
    mutating func choice<Choice: OptionChoice>(_ name: String, _ value: inout Choice, _ presence: Presence)
    mutating func choice<Choice: OptionChoice>(_ name: String, _ value: inout Choice?)
    /// Digits of a telephone keypad.
    mutating func digits(_ name: String, _ value: inout String, _ presence: Presence)
    mutating func timezone(_ name: String, _ value: inout String?)
    /// The id of an action in the same list.
    mutating func target(_ name: String, _ value: inout String, _ presence: Presence)
    mutating func target(_ name: String, _ value: inout String?)
    mutating func targets(_ name: String, _ value: inout [String: String])
    mutating func address(_ name: String, _ value: inout Address?)
    mutating func addresses(_ name: String, _ value: inout [Address], _ presence: Presence)
    /// Any JSON; `${...}` in its texts is replaced.
    mutating func document(_ name: String, _ value: inout JSONValue?, _ presence: Presence)
    mutating func expression(_ name: String, _ value: inout Expression?)
    /// An object whose members are texts.
    mutating func texts(_ name: String, _ value: inout [String: String], _ length: Length)
    /// A list of objects with these fields.
    mutating func objects<Fields: OptionFields>(_ name: String, _ value: inout [Fields], _ presence: Presence)
    /// A list of actions of its own: their ids are looked for in that list alone.
    /// `owner` makes the ids that the author leaves out.
    mutating func actions(_ name: String, _ value: inout [Action], of owner: String)
}

/// A closed set of words.
protocol OptionChoice: RawRepresentable, CaseIterable where RawValue == String {
    /// As flows write it.
    init?(written word: String)
}

extension OptionChoice {
    init?(written word: String) { self.init(rawValue: word) }
}

/// The options of one action type.
protocol OptionFields: Hashable, Sendable {
    init()
    mutating func visit(_ visitor: inout some OptionVisitor)
}
