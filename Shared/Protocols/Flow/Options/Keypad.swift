/// The keys of a telephone, A to D included.
enum Keypad {
    /// As many as an option has, or an action is handed.
    static let most = 100

    static func has(_ key: Character) -> Bool {
        switch key {
        case "0"..."9", "A"..."D", "*", "#": key.utf8.count == 1
        default: false
        }
    }

    /// What of a text are keys; mostly all of it.
    static func keys(in text: String) -> String {
        let areKeys = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...68).contains(byte) || byte == UInt8(ascii: "*") || byte == UInt8(ascii: "#")
        }
        return areKeys ? text : String(text.filter(has))
    }
}
