import SIP

/// One trunk as the file of trunks has it, a JSON array of these.
struct TrunkEntry: Sendable, Decodable {
    let name: String
    let customer: String
    /// The customer's domain; this edge's own unless it says otherwise.
    let domain: String?
    /// Addresses or blocks like `192.0.2.0/24` that need no password.
    let addresses: [String]?
    /// Over which of `udp`, `tcp` and `tls` they need none: a datagram's sender can be forged. All when not said.
    let transports: [String]?
    /// Names in verified client certificates.
    let tlsNames: [String]?
    /// Digest credentials, with the domain as their realm.
    let username: String?
    /// H(A1) in hexadecimal: at least one of them when there is a username.
    let ha1MD5: String?
    let ha1SHA256: String?
    /// Whether what it asserts about its callers is kept; no when not said.
    let assertsIdentity: Bool?
    /// Whether it is told of the identities that we assert; no when not said.
    let getsIdentity: Bool?

    enum CodingKeys: String, CodingKey {
        case name, customer, domain, addresses, transports, username
        case tlsNames = "tls_names"
        case ha1MD5 = "ha1_md5"
        case ha1SHA256 = "ha1_sha256"
        case assertsIdentity = "asserts_identity"
        case getsIdentity = "gets_identity"
    }

    func mistake(_ what: String) -> TrunkMistake { TrunkMistake(description: "trunk \(name): \(what)") }

    func trunk(domain ours: String) throws(TrunkMistake) -> Trunk {
        let domain = (domain ?? ours).lowercased()
        // All become header values inside.
        for (what, text) in [("name", name), ("customer", customer), ("domain", domain)] {
            guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw mistake("its \(what) must be printable ASCII without spaces")
            }
        }
        let account = try account(domain: domain)
        guard account != nil || addresses?.isEmpty == false || tlsNames?.isEmpty == false else {
            throw mistake("it has neither addresses nor tls_names nor a username: nobody could be it")
        }
        return Trunk(
            name: name, customer: customer, domain: domain, transports: try readTransports(),
            isTrustedForIdentity: assertsIdentity ?? false, getsIdentity: getsIdentity ?? false, account: account)
    }

    private func account(domain: String) throws(TrunkMistake) -> Account? {
        guard let username else { return nil }
        let (md5, sha256) = (ha1MD5?.lowercased(), ha1SHA256?.lowercased())
        guard md5 != nil || sha256 != nil, Self.isHash(md5, digits: 32), Self.isHash(sha256, digits: 64) else {
            throw mistake("a username wants ha1_md5 (32 hexadecimal digits), ha1_sha256 (64) or both")
        }
        // Nothing is authentic by an empty hash, see `Account.ha1`.
        return Account(customer: customer, user: username, domain: domain, md5: md5 ?? "", sha256: sha256 ?? "")
    }

    private func readTransports() throws(TrunkMistake) -> Set<Transport> {
        guard let transports else { return [.udp, .tcp, .tls] }
        var result: Set<Transport> = []
        for text in transports {
            guard let transport = [Transport.udp, .tcp, .tls].first(where: { $0.name.lowercased() == text.lowercased() }) else {
                throw mistake("\(text) is none of the transports udp, tcp and tls")
            }
            result.insert(transport)
        }
        guard !result.isEmpty else { throw mistake("without a transport its addresses are good for nothing") }
        return result
    }

    private static func isHash(_ text: String?, digits: Int) -> Bool {
        text.map { $0.utf8.count == digits && $0.allSatisfy { $0.isASCII && $0.isHexDigit } } ?? true
    }
}

/// What is wrong with the file of trunks, for whoever wrote it.
struct TrunkMistake: Error, Equatable, CustomStringConvertible {
    let description: String
}
