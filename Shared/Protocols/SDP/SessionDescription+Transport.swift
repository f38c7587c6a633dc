// What a stream is carried and protected by: its own lines, those of the bundle it travels in, and those of the session.
extension SessionDescription {
    /// The identification tags of each `a=group:BUNDLE` (RFC 9143 §5).
    public var bundles: [[String]] {
        attributes.filter { $0.name == "group" }.compactMap { attribute in
            let fields = (attribute.value ?? "").split(separator: " ").map(String.init)
            return fields.first == "BUNDLE" ? Array(fields.dropFirst()) : nil
        }
    }

    /// The bundle that has this media.
    func bundle(ofMedia index: Int) -> [String]? {
        guard media.indices.contains(index), let mid = media[index].mid else { return nil }
        return bundles.first { $0.contains(mid) }
    }

    /// No tag names two streams (RFC 5888 §4).
    var hasUniqueTags: Bool {
        let tags = media.compactMap(\.mid)
        return Set(tags).count == tags.count
    }

    /// The media whose transport this one uses: the first of its bundle when it has none of its own (RFC 9143 §7.2).
    private func carrier(ofMedia index: Int) -> MediaDescription? {
        guard media.indices.contains(index), media[index].isBundleOnly, let tag = bundle(ofMedia: index)?.first else { return nil }
        return media.first { $0.mid == tag }
    }

    /// The lines of that name at the nearest level that has any.
    func values(_ name: String, ofMedia index: Int) -> [String] {
        guard media.indices.contains(index) else { return [] }
        for attributes in [media[index].attributes, carrier(ofMedia: index)?.attributes ?? [], attributes] {
            let values = attributes.filter { $0.name == name }.map { $0.value ?? "" }
            if !values.isEmpty { return values }
        }
        return []
    }

    /// Those that can be read; one that cannot proves nothing and is passed over.
    public func fingerprints(ofMedia index: Int) -> [Fingerprint] { values("fingerprint", ofMedia: index).compactMap { Fingerprint($0) } }

    /// Nil when there is no such line, or one that is none of RFC 4145's.
    public func setup(ofMedia index: Int) -> Setup? { values("setup", ofMedia: index).first.flatMap(Setup.init(rawValue:)) }

    public func tlsID(ofMedia index: Int) -> String? { values("tls-id", ofMedia: index).first }

    public var isICELite: Bool { attributes.contains(named: "ice-lite") }

    /// Nil when that media is not for ICE, or its credentials are none.
    public func connectivity(ofMedia index: Int) -> Connectivity? {
        guard let fragment = values("ice-ufrag", ofMedia: index).first, let password = values("ice-pwd", ofMedia: index).first,
            Connectivity.areCredentials(fragment, password)
        else { return nil }
        return Connectivity(
            fragment: fragment, password: password, isLite: isICELite,
            options: values("ice-options", ofMedia: index).flatMap { $0.split(separator: " ").map(String.init) },
            candidates: values("candidate", ofMedia: index), isComplete: !values("end-of-candidates", ofMedia: index).isEmpty)
    }

    /// It names credentials, but none that RFC 8839 §5.4 allows.
    func hasBrokenConnectivity(ofMedia index: Int) -> Bool {
        let names = !values("ice-ufrag", ofMedia: index).isEmpty || !values("ice-pwd", ofMedia: index).isEmpty
        return names && connectivity(ofMedia: index) == nil
    }
}
