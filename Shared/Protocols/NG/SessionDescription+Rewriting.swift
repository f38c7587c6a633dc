internal import Addresses
internal import Bytes
public import SDP

extension SessionDescription {
    /// The description for the other side: with our addresses, transport, keys and checks in place of theirs, and all else as it came. A
    /// stream without a local one is refused.
    public func rewritten(_ streams: [LocalStream?], _ options: Options) -> SessionDescription {
        var description = self
        let isLite = streams.contains { $0?.ice?.isLite == true }
        description.attributes = attributes.filter { !Self.isOurs($0) }
        if isLite { description.attributes.append(Attribute("ice-lite")) }
        for index in description.media.indices {
            var local = streams.indices.contains(index) ? streams[index] : nil
            // Nothing that both could speak was left of it.
            if local?.formats?.isEmpty == true { local = nil }
            description.media[index] = local.map { media[index].rewritten($0, index, options, sessionMedia: self) } ?? media[index].refused
        }
        guard let address = streams.compactMap({ $0?.address.address }).first else { return description }
        if let connection, options.replacesZeroAddress || !connection.isUnspecified { description.connection = Connection(address) }
        if options.replacesOrigin {
            description.origin.address = address.description
            description.origin.addressType = address.isIPv4 ? "IP4" : "IP6"
        }
        if options.replacesSessionName { description.name = "-" }
        if options.replacesUsername { description.origin.username = "-" }
        return description
    }

    /// What describes a path, keys or the bundle: each side has its own.
    static func isOurs(_ attribute: Attribute) -> Bool {
        switch attribute.name {
        case "rtcp", "rtcp-mux", "rtcp-mux-only", "candidate", "end-of-candidates", "remote-candidates", "ice-ufrag", "ice-pwd",
            "ice-options", "ice-lite", "ice-mismatch", "ice-pacing", "crypto", "fingerprint", "setup", "tls-id", "connection",
            "bundle-only":
            true
        // RFC 9143: streams that have ports of their own share none.
        case "group": attribute.value?.hasPrefix("BUNDLE") ?? false
        default: false
        }
    }
}

extension MediaDescription {
    /// RFC 3264 §6: port zero, the transport and formats of the offer.
    var refused: MediaDescription {
        MediaDescription(
            kind: kind, port: 0, transport: transport, formats: formats, attributes: mid.map { [Attribute("mid", $0)] } ?? [])
    }

    func rewritten(_ local: LocalStream, _ index: Int, _ options: Options, sessionMedia: SessionDescription) -> MediaDescription {
        var media = self
        media.port = local.address.port
        media.portCount = 1
        media.transport = local.transport
        let isHeld = sessionMedia.connection(ofMedia: index)?.isUnspecified ?? false
        if connection != nil || sessionMedia.connection == nil {
            media.connection = isHeld && !options.replacesZeroAddress ? connection : Connection(local.address.address)
        }
        let hasFeedback = Profile(rawValue: local.transport)?.hasFeedback ?? true
        media.attributes = attributes.filter { attribute in
            switch attribute.name {
            case "rtcp-fb": hasFeedback
            case "extmap", "extmap-allow-mixed": !options.stripsExtensions
            case "ssrc", "ssrc-group", "msid": local.keepsSources
            case "ptime": local.packetTime == nil
            default: !SessionDescription.isOurs(attribute)
            }
        }
        if let formats = local.formats { media.put(formats) }
        if let packetTime = local.packetTime { media.attributes.append(Attribute("ptime", "\(packetTime)")) }
        if profile != .handshake, profile != .handshakeFeedback, local.transport.hasPrefix("UDP/TLS") {
            media.spellOut(sessionMedia.direction(ofMedia: index))
        }
        if options.generatesMid, mid == nil { media.attributes.append(Attribute("mid", "\(index)")) }
        media.attributes += local.attributes(options)
        return media
    }

    /// Says what goes without saying: browsers want every format and the direction named (RFC 8829 §5.2.1).
    private mutating func spellOut(_ whole: Direction) {
        let named = Set(attributes.filter { $0.name == "rtpmap" }.compactMap { $0.value.map { String($0.prefix { $0 != " " }) } })
        for format in payloadFormats where !named.contains("\(format.payloadType)") {
            attributes.append(Attribute("rtpmap", "\(format.payloadType) \(format.codec.encoding)"))
        }
        if direction == nil { attributes.append(Attribute(whole.rawValue)) }
    }

    /// These formats instead: what was said of those that stay is kept.
    private mutating func put(_ formats: [Format]) {
        let before = Dictionary(payloadFormats.map { ($0.payloadType, $0.codec) }) { first, _ in first }
        let (numbers, old) = (Set(formats.map { "\($0.payloadType)" }), Set(self.formats))
        attributes.removeAll { attribute in
            guard ["rtpmap", "fmtp", "rtcp-fb"].contains(attribute.name), let value = attribute.value else { return false }
            let number = String(value.prefix { $0 != " " })
            return old.contains(number) && !numbers.contains(number)
        }
        for format in formats where before[format.payloadType] == nil {
            attributes.append(Attribute("rtpmap", "\(format.payloadType) \(format.codec.encoding)"))
            if let parameters = format.codec.parameters {
                attributes.append(Attribute("fmtp", "\(format.payloadType) \(parameters)"))
            }
        }
        self.formats = formats.map { "\($0.payloadType)" }
    }
}

extension LocalStream {
    fileprivate func attributes(_ options: Options) -> [Attribute] {
        var lines: [Attribute] = []
        if !requiresMultiplexing, options.controlAttribute != .none, address.port < .max {
            let port = multiplexes && ice != nil ? address.port : address.port + 1
            let full = options.controlAttribute == .full ? " IN \(address.address.isIPv4 ? "IP4" : "IP6") \(address.address)" : ""
            lines.append(Attribute("rtcp", "\(port)\(full)"))
        }
        if multiplexes { lines.append(Attribute("rtcp-mux")) }
        lines += crypto.map { Attribute("crypto", $0) }
        lines += fingerprints.map { Attribute("fingerprint", $0.description) }
        if let setup { lines.append(Attribute("setup", setup.rawValue)) }
        if let tlsID { lines.append(Attribute("tls-id", tlsID)) }
        return lines + (ice?.attributes ?? [])
    }
}
