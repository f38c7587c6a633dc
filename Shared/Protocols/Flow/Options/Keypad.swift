/// The keys of a telephone, A to D included.
enum Keypad {
    static func has(_ key: Character) -> Bool {
        switch key {
        case "0"..."9", "A"..."D", "*", "#": key.utf8.count == 1
        default: false
        }
    }
}
