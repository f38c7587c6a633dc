internal import Bytes

/// Header values decoded on demand. Nil means missing or malformed; a list is empty when the header is missing.
extension Message {
    public var callID: String? {
        guard let text = value(.callID), !text.isEmpty, !text.utf8.contains(where: { $0 <= 32 }) else { return nil }
        return text
    }

    /// A hash of the Call-ID that is the same in every process: the key for placing a call.
    public var callIDHash: UInt64? { first(.callID).map { StableHash.hash(bytes[$0.valueRange]) } }

    public var cseq: CSeq? { view.cseq }
    public var from: NameAddress? { first(.from).flatMap { address($0.valueRange) } }
    public var to: NameAddress? { first(.to).flatMap { address($0.valueRange) } }
    public var topmostVia: Via? { view.topmostVia.map { Via($0, in: bytes.span) } }

    public var vias: [Via]? {
        var values: [Via] = []
        for element in elements(of: .via) {
            guard let layout = view.via(element) else { return nil }
            values.append(Via(layout, in: bytes.span))
        }
        return values
    }
    public var routes: [NameAddress]? { addresses(.route) }
    public var recordRoutes: [NameAddress]? { addresses(.recordRoute) }
    public var paths: [NameAddress]? { addresses(.path) }
    public var topmostRoute: NameAddress? { firstElement(of: .route).flatMap { address($0.range) } }

    public func addresses(_ name: HeaderName) -> [NameAddress]? {
        var values: [NameAddress] = []
        for element in elements(of: name) {
            guard let value = address(element.range) else { return nil }
            values.append(value)
        }
        return values
    }

    private func address(_ range: Range<Int>) -> NameAddress? { view.address(range).map { NameAddress($0, in: bytes.span) } }

    /// Nil when malformed; an empty list when there is no Contact.
    public var contacts: Contacts? {
        if value(.contact) == "*" { return count(of: .contact) == 1 ? .star : nil }
        return addresses(.contact).map(Contacts.list)
    }

    /// The only Contact, as requests and responses that make dialogs must have (§12.1).
    public var contact: NameAddress? {
        guard case .list(let list) = contacts, list.count == 1 else { return nil }
        return list[0]
    }

    public var maxForwards: Int? { number(.maxForwards).flatMap { $0 <= 255 ? $0 : nil } }

    /// Seconds; a number beyond 32 bits is taken as the largest (§20.19).
    public var expires: Int? { number(.expires).map { min($0, Int(UInt32.max)) } }

    /// `type/subtype` in lower case, without parameters.
    public var contentType: String? {
        value(.contentType).map { text in
            (text.split(separator: ";", maxSplits: 1).first ?? "").filter { !$0.isWhitespace }.lowercased()
        }
    }

    /// Option tags in lower case.
    public var required: [String] { values(.require).filter { !$0.isEmpty }.map { $0.lowercased() } }
    public var supported: [String] { values(.supported).filter { !$0.isEmpty }.map { $0.lowercased() } }
    public var allowed: [Method] { values(.allow).filter { !$0.isEmpty }.map(Method.init) }

    /// The credentials for `realm` among those sent (§22.2, §22.3), whichever of the two headers carries them.
    public func credentials(_ name: HeaderName, realm: String) -> DigestCredentials? {
        for field in fields where field.name == name {
            if let credentials = DigestCredentials(value(of: field)), credentials.realm == realm { return credentials }
        }
        return nil
    }

    /// The digest challenges of a 401 or 407.
    public var challenges: [DigestChallenge] {
        fields.filter { $0.name == .wwwAuthenticate || $0.name == .proxyAuthenticate }
            .compactMap { DigestChallenge(value(of: $0)) }
    }

    private func number(_ name: HeaderName) -> Int? {
        first(name).flatMap { ASCII.decimal(bytes[$0.valueRange]) }.map { Int(clamping: $0) }
    }
}
