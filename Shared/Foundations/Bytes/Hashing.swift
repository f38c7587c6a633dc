/// 64-bit hashes that give the same value in every process and on every machine (Swift's own are seeded per process).
public enum StableHash {
    /// FNV-1a with a final avalanche: for tables keyed by received bytes and for placing work.
    public static func hash(_ bytes: some Sequence<UInt8>, seed: UInt64 = 0) -> UInt64 {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325 ^ seed
        for byte in bytes {
            state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return avalanche(state)
    }

    public static func hash(_ bytes: Span<UInt8>, seed: UInt64 = 0) -> UInt64 {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325 ^ seed
        for index in bytes.indices {
            state = (state ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3
        }
        return avalanche(state)
    }

    /// Spreads every input bit over every output bit.
    public static func avalanche(_ value: UInt64) -> UInt64 {
        var state = value
        state = (state ^ state >> 33) &* 0xff51_afd7_ed55_8ccd
        state = (state ^ state >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return state ^ state >> 33
    }
}

/// Rendezvous hashing: of several candidates every caller picks the same one for a key, and losing one candidate moves
/// only the keys it had.
public enum Rendezvous {
    /// The index of the candidate with the highest weight for `key`; nil when there is none.
    ///
    /// An array and no other collection: one that is generic allocates its iterator wherever it is not specialised.
    public static func pick(key: UInt64, among candidates: [UInt64]) -> Int? {
        var best: (index: Int, weight: UInt64)?
        for index in candidates.indices {
            let weight = StableHash.avalanche(key ^ candidates[index] &* 0x9e37_79b9_7f4a_7c15)
            if let current = best, current.weight >= weight { continue }
            best = (index, weight)
        }
        return best?.index
    }
}
