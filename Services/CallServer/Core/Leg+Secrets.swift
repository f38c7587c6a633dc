/// What is pressed in answer to a secret question (`keys: hidden`) is in no recording: the room is told when such a question begins, before
/// anybody hears it, and when it is over.
extension Leg {
    /// After every event, and before an action begins.
    mutating func tellOfSecret(into effects: inout [LegEffect]) {
        let hides = phase != .ended && performing?.action.kind.hidesKeys == true
        guard hides != (hidesKeys == true) else { return }
        hidesKeys = hides ? true : nil
        if isSeated { effects.append(.hideKeys(hides)) }
    }
}
