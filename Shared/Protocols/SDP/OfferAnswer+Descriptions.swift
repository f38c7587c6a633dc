// Our media lines and the session around them.
extension OfferAnswer {
    /// RFC 3264 §6: a refused stream repeats the offer's transport and formats with port zero; its tag stays its own.
    static func refused(_ media: MediaDescription) -> MediaDescription {
        MediaDescription(
            kind: media.kind, port: 0, transport: media.transport, formats: media.formats,
            attributes: media.mid.map { [Attribute("mid", $0)] } ?? [])
    }

    func describe(_ formats: [Format], direction: Direction) -> MediaDescription {
        var attributes: [Attribute] = []
        for format in formats {
            attributes.append(Attribute("rtpmap", "\(format.payloadType) \(format.codec.encoding)"))
            if let parameters = format.codec.parameters {
                attributes.append(Attribute("fmtp", "\(format.payloadType) \(parameters)"))
            }
        }
        attributes.append(Attribute("ptime", "\(local.packetTime)"))
        attributes.append(Attribute(direction.rawValue))
        return MediaDescription(
            port: local.address.port, formats: formats.map { "\($0.payloadType)" }, attributes: attributes)
    }

    /// A tag stays with its stream (RFC 5888 §9.1).
    var tagOfNextOffer: String? {
        guard let before = localDescription?.media, before.indices.contains(audioIndex) else { return local.mid }
        return before[audioIndex].mid
    }

    /// The transport agreed on, while the protection is of the same kind.
    func agreedTransport(of kind: SecurityKind) -> String? {
        guard let agreement, agreement.security.kind == kind, let before = localDescription?.media, before.indices.contains(audioIndex)
        else { return nil }
        return before[audioIndex].transport
    }

    /// The transport of a description that we go on with, where nothing is agreed on yet.
    func describedTransport(of kind: SecurityKind) -> String? {
        guard agreement == nil, let before = localStream, let profile = before.profile else { return nil }
        let described: SecurityKind = before.attributes.contains(named: "fingerprint") ? .dtls : before.crypto.isEmpty ? .none : .sdes
        return described == kind ? profile.rawValue : nil
    }

    /// RFC 3264 §8: the version counts descriptions that differ; the same one again keeps its number.
    mutating func publish(_ media: [MediaDescription], bundle: String?, isLite: Bool) -> SessionDescription {
        let connection = Connection(local.address.address)
        var attributes: [Attribute] = []
        if let bundle { attributes.append(Attribute("group", "BUNDLE \(bundle)")) }
        if isLite { attributes.append(Attribute("ice-lite")) }
        var description = SessionDescription(
            origin: Origin(
                sessionID: "\(sessionID)", version: version, addressType: connection.addressType, address: connection.address),
            connection: connection, attributes: attributes, media: media)
        if let previous = localDescription, previous != description {
            version += 1
            description.origin.version = version
        }
        localDescription = description
        return description
    }
}
