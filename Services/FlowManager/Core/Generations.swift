import Synchronization

/// A bounded cache that forgets what was not used for a while: a young generation is filled, then becomes the old one,
/// and what is used meanwhile moves over. No clock, no list, at most twice `capacity` values.
final class Generations<Value: Sendable>: Sendable {
    private struct State: Sendable {
        var young: [String: Value] = [:]
        var old: [String: Value] = [:]
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = max(1, capacity) }

    subscript(key: String) -> Value? {
        get {
            state.withLock { state in
                if let value = state.young[key] { return value }
                guard let value = state.old.removeValue(forKey: key) else { return nil }
                insert(value, for: key, &state)
                return value
            }
        }
        set {
            state.withLock { state in
                state.old[key] = nil
                state.young[key] = nil
                if let newValue { insert(newValue, for: key, &state) }
            }
        }
    }

    private func insert(_ value: Value, for key: String, _ state: inout State) {
        if state.young.count >= capacity { (state.old, state.young) = (state.young, [:]) }
        state.young[key] = value
    }
}
