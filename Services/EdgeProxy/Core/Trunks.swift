import Addresses
import SIP

/// All trunks, to be found by where a request comes from; nothing is allocated for a look.
///
/// For each length of prefix that occurs, longest first, the prefixes stand sorted: the first that matches is the closest.
/// A class, though it never changes: handing it on costs one count, whatever it holds.
final class Trunks: Sendable, Equatable {
    private struct Prefixes {
        let mask: UInt128
        let prefixes: [UInt128]
        let trunks: [Int]
    }

    private let trunks: [Trunk]
    private let byLength: [Prefixes]
    private let byTLSName: [String: Int]
    private let byAccount: [AccountCache.Key: Int]
    private let realms: Set<String>

    /// No trunks.
    init() { (trunks, byLength, byTLSName, byAccount, realms) = ([], [], [:], [:], []) }

    static let none = Trunks()

    var isEmpty: Bool { trunks.isEmpty }
    var count: Int { trunks.count }

    static func == (left: Trunks, right: Trunks) -> Bool { left === right || left.trunks == right.trunks }

    /// Who is known without being asked: the certificate says more than the address.
    func trunk(from arrival: Arrival) -> Trunk? {
        for name in arrival.certificateNames {
            if let trunk = trunk(tlsName: name) { return trunk }
        }
        return trunk(at: arrival.source.address, over: arrival.transport)
    }

    /// Whose address that is, if an address over that transport proves it.
    func trunk(at address: IPAddress, over transport: Transport) -> Trunk? {
        let address = address.bits
        for prefixes in byLength {
            guard let index = prefixes.prefixes.indexInSorted(of: address & prefixes.mask) else { continue }
            let trunk = trunks[prefixes.trunks[index]]
            return trunk.transports.contains(transport) ? trunk : nil
        }
        return nil
    }

    /// `name` is one that the client certificate was verified for; names are compared without case (RFC 5922 §7.2).
    func trunk(tlsName name: String) -> Trunk? { byTLSName[name.lowercased()].map { trunks[$0] } }

    /// Whose digest credentials these are, when a trunk's; a hashed name is found like a plain one.
    func trunk(account key: AccountCache.Key) -> Trunk? { byAccount[key].map { trunks[$0] } }

    /// Whether there are trunks that prove themselves by digest in that realm.
    func hasAccounts(in domain: String) -> Bool { realms.contains(domain) }

    /// Throws where two trunks claim the same: which of them a call came from must never depend on their order.
    init(_ entries: [TrunkEntry], domain: String) throws(TrunkMistake) {
        var trunks: [Trunk] = []
        var byLength: [Int: [UInt128: Int]] = [:]
        var byTLSName: [String: Int] = [:]
        var byAccount: [AccountCache.Key: Int] = [:]
        for (index, entry) in entries.enumerated() {
            let trunk = try entry.trunk(domain: domain)
            if trunks.contains(where: { $0.name == trunk.name }) { throw entry.mistake("there is another of that name") }
            for text in entry.addresses ?? [] {
                guard let prefix = Prefix(text) else {
                    throw entry.mistake("\(text) is no ADDRESS or ADDRESS/LENGTH of at least \(Prefix.shortest.text)")
                }
                if let other = byLength[prefix.length, default: [:]].updateValue(index, forKey: prefix.bits), other != index {
                    throw entry.mistake("\(text) belongs to \(trunks[other].name) too")
                }
            }
            for name in entry.tlsNames ?? [] {
                if let other = byTLSName.updateValue(index, forKey: name.lowercased()), other != index {
                    throw entry.mistake("\(name) belongs to \(trunks[other].name) too")
                }
            }
            if let account = trunk.account {
                let hashes = [DigestHash.md5, .sha256].map { Digest.userHash(user: account.user, realm: account.domain, $0) }
                for name in [account.user] + hashes {
                    if let other = byAccount.updateValue(index, forKey: AccountCache.Key(user: name, domain: account.domain)) {
                        throw entry.mistake("the user \(account.user) belongs to \(trunks[other].name) too")
                    }
                }
            }
            trunks.append(trunk)
        }
        (self.trunks, self.byTLSName, self.byAccount, realms) = (trunks, byTLSName, byAccount, Set(byAccount.keys.map(\.domain)))
        self.byLength = byLength.sorted { $0.key > $1.key }.map { length, prefixes in
            let sorted = prefixes.sorted { $0.key < $1.key }
            return Prefixes(mask: Prefix.mask(length), prefixes: sorted.map(\.key), trunks: sorted.map(\.value))
        }
    }
}

/// A block of addresses (RFC 4632, RFC 4291 §2.3); IPv4 in its mapped form, so there is one kind of 128 bits.
private struct Prefix {
    /// A shorter one is a slip of the hand that would let half the world in.
    static let shortest = (v4: 8, v6: 16, text: "/8 (IPv6: /16)")

    let bits: UInt128
    let length: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        let (offset, least) = address.isIPv4 ? (96, Self.shortest.v4) : (0, Self.shortest.v6)
        if parts.count == 2 {
            guard let given = Int(parts[1]), given >= least, offset + given <= 128 else { return nil }
            length = offset + given
        } else {
            length = 128
        }
        bits = address.bits & Self.mask(length)
    }

    static func mask(_ length: Int) -> UInt128 { length == 0 ? 0 : UInt128.max << UInt128(128 - length) }
}

extension IPAddress {
    fileprivate var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }
}

extension [UInt128] {
    fileprivate func indexInSorted(of value: UInt128) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value ? low : nil
    }
}
