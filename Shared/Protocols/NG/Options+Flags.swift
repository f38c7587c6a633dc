internal import Addresses
internal import SDP

// Keys with values, and the same things as words of the list of flags.
extension Options {
    /// False for a key that means nothing here.
    mutating func take(_ key: String, _ value: Value) -> Bool {
        switch key {
        case "flags": for flag in value.texts where !take(flag: flag) { unknown += 1 }
        case "replace": for word in value.texts where !take(flag: "replace-" + word) { unknown += 1 }
        case "rtcp-mux": for word in value.texts { multiplex(word) }
        case "supports": understandsLoadLimit = value.texts.contains { Request.key($0) == "load-limit" }
        case "ice": return ICE(rawValue: value.text?.lowercased() ?? "").map { ice = $0 } != nil
        case "transport-protocol": return take(transport: value.text ?? "")
        case "dtls": return Self.role(value).map { dtls = $0 } != nil
        case "dtls-reverse": return Self.role(value).map { dtlsReverse = $0 } != nil
        case "sdes": for word in value.texts where !take(sdes: word) { unknown += 1 }
        case "osrtp": for word in value.texts where !take(osrtp: word) { unknown += 1 }
        case "codec": return codecs.take(value)
        case "ptime": return value.integer.map { packetTime = Int(clamping: $0) } != nil
        case "ptime-reverse": return value.integer.map { packetTimeReverse = Int(clamping: $0) } != nil
        case "media-address": return value.text.flatMap { IPAddress($0) }.map { mediaAddress = $0 } != nil
        case "address-family": return Self.isIPv4(value.text).map { isFamilyIPv4 = $0 } != nil
        case "received-from": return value.texts.last.flatMap { IPAddress($0) }.map { receivedFrom = $0 } != nil
        case "direction": directions = value.texts
        case "tos": return value.integer.map { typeOfService = $0 < 0 ? .kept : UInt8(exactly: $0).map { .octet($0) } ?? .usual } != nil
        case "label", "from-label": label = value.text
        case "set-label": setLabel = value.text
        case "delete-delay": return value.integer.map { deleteDelay = Int(clamping: $0) } != nil
        case "all": isForAll = value.text?.lowercased() == "all"
        case "ice-lite": return take(lite: value.text?.lowercased())
        case "drop-traffic": return Self.order(value).map { dropsTraffic = $0 } != nil
        // Lengths of packets: what `ptime` does; the module's own documentation says that RTPEngine ignores it.
        case "repacketize": break
        default:
            guard key.hasPrefix("codec-") else { return recording.take(key, value) ?? false }
            return !value.texts.isEmpty && value.texts.allSatisfy { codecs.take(flag: "\(key.dropFirst(6))-\($0)") }
        }
        return true
    }

    private mutating func take(lite text: String?) -> Bool {
        switch text {
        case "forward": isLiteForward = true
        case "backward": isLiteBackward = true
        case "both": (isLiteForward, isLiteBackward) = (true, true)
        case "off": (isLiteForward, isLiteBackward) = (false, false)
        default: return false
        }
        return true
    }

    private mutating func take(flag text: String) -> Bool {
        let sides = text.split(separator: "=", maxSplits: 1)
        if sides.count == 2 { return take(Request.key(String(sides[0])), .text(String(sides[1]))) }
        let flag = Request.key(text)
        switch flag {
        case "replace-origin": replacesOrigin = true
        // What is done here anyway, or is about something that is not here: a kernel module, a database, another proxy's marks.
        case "replace-session-connection", "trust-address", "symmetric", "port-latching", "no-port-latching", "original-sendrecv",
            "unidirectional", "no-redis-update", "force", "inject-dtmf", "no-codec-renegotiation", "allow-transcoding":
            break
        case "loop-protect": protectsLoops = true
        case "reset": startsAnew = true
        case "fragment": isFragment = true
        case "trickle-ice": trickles = true
        case "single-codec": namesOneCodec = true
        case "replace-session-name": replacesSessionName = true
        case "replace-username": replacesUsername = true
        case "replace-sdp-version", "replace-force-increment-sdp-ver": replacesVersion = true
        case "replace-zero-address": replacesZeroAddress = true
        case "sip-source-address": usesSourceAddress = true
        case "asymmetric": isAsymmetric = true
        case "strict-source": isStrict = true
        case "nat-wait": waitsForNAT = true
        case "reject-ice": rejectsICE = true
        case "generate-mid": generatesMid = true
        case "strip-extmap": stripsExtensions = true
        case "full-rtcp-attribute": controlAttribute = .full
        case "no-rtcp-attribute": controlAttribute = .none
        case "record-call": recording.isWanted = true
        // Older names of keys for descriptions with keys.
        case "pad-crypto": break
        case "fatal": isFatal = true
        case "all": isForAll = true
        case "always-transcode": codecs.accept.append("all")
        case "internal", "external": directions.append(flag)
        default: return take(prefixed: text, flag) || take(transport: text)
        }
        return true
    }

    private mutating func take(prefixed text: String, _ flag: String) -> Bool {
        func rest(_ prefix: String) -> String? { flag.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil }
        if let word = rest("rtcp-mux-") { return multiplex(word) }
        if let word = rest("sdes-") { return take(sdes: word) }
        if let word = rest("osrtp-") { return take(osrtp: word) }
        if let word = rest("dtls-reverse-") { return Self.role(.text(word)).map { dtlsReverse = $0 } != nil }
        if let word = rest("dtls-") { return Self.role(.text(word)).map { dtls = $0 } != nil }
        if let word = rest("ice-") { return ICE(rawValue: word.lowercased()).map { ice = $0 } != nil }
        if let word = rest("direction-") { return directions.append(word) == () }
        if let word = rest("transcode-") { return codecs.transcode.append(word) == () }
        if let word = rest("codec-") { return codecs.take(flag: word) }
        return false
    }

    @discardableResult
    private mutating func multiplex(_ word: String) -> Bool {
        guard let choice = Multiplexing(rawValue: word.lowercased()) else { return false }
        return multiplexing.insert(choice).inserted || true
    }

    private mutating func take(transport text: String) -> Bool {
        // "accept" means the answerer's, which our answers never take over: the offerer hears what it asked for.
        if text.lowercased() == "accept" { return true }
        guard let profile = Profile(rawValue: text.uppercased()) else { return false }
        transport = profile
        return true
    }

    private mutating func take(sdes word: String) -> Bool {
        switch Request.key(word) {
        case "off", "no", "disable": sdes.isOff = true
        case "nonew": sdes.addsNone = true
        // Of RFC 4568 §6.3: we offer neither of these, so what forbids them is met and what asks for them is not.
        case "encrypted-srtp", "encrypted-srtcp", "authenticated-srtp", "unencrypted-srtp", "unencrypted-srtcp", "unauthenticated-srtp": break
        case "pad", "lifetime", "static": break
        default:
            if word.hasPrefix("no-") { sdes.without.insert(word.dropFirst(3).uppercased()) }
            else if word.hasPrefix("only-") { sdes.only.insert(word.dropFirst(5).uppercased()) }
            else { return false }
        }
        return true
    }

    private mutating func take(osrtp word: String) -> Bool {
        switch Request.key(word) {
        case "offer", "offer-rfc": offersOpportunistic = true
        // What comes as an answer is accepted as it is.
        case "accept", "accept-rfc": break
        default: return false
        }
        return true
    }

    private static func role(_ value: Value) -> DTLS? {
        switch value.text?.lowercased() {
        case "off", "no", "disable": .off
        case "passive": .passive
        case "active": .active
        default: nil
        }
    }

    private static func order(_ value: Value) -> Bool? {
        switch value.text?.lowercased() {
        case "start": true
        case "stop": false
        default: nil
        }
    }

    static func truth(_ value: Value) -> Bool? {
        switch value.text?.lowercased() {
        case "yes", "on": true
        case "no", "off": false
        default: value.integer.map { $0 != 0 }
        }
    }

    private static func isIPv4(_ text: String?) -> Bool? {
        switch text?.uppercased() {
        case "IP4", "INET": true
        case "IP6", "INET6": false
        default: nil
        }
    }
}
