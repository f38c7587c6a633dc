internal import Bytes

/// The header fields this suite reads or writes by name; all others are `other` and pass through untouched.
public enum HeaderName: UInt8, CaseIterable, Sendable {
    case accept, alertInfo, allow, allowEvents, authorization, callID, contact, contentDisposition, contentEncoding
    case contentLength, contentType, cseq, date, diversion, event, expires, from, historyInfo, identity, maxForwards
    case minExpires, minSE, pAssertedIdentity, pPreferredIdentity, path, privacy, proxyAuthenticate, proxyAuthorization
    case proxyRequire, rack, reason, recordRoute, referTo, referredBy, remotePartyID, replaces, require, retryAfter, route
    case rseq, server, serviceRoute, sessionExpires, subject, subscriptionState, supported, timestamp, to, unsupported
    case userAgent, via, warning, wwwAuthenticate
    case other

    /// The name as we write it.
    public var text: String {
        switch self {
        case .accept: "Accept"
        case .alertInfo: "Alert-Info"
        case .allow: "Allow"
        case .allowEvents: "Allow-Events"
        case .authorization: "Authorization"
        case .callID: "Call-ID"
        case .contact: "Contact"
        case .contentDisposition: "Content-Disposition"
        case .contentEncoding: "Content-Encoding"
        case .contentLength: "Content-Length"
        case .contentType: "Content-Type"
        case .cseq: "CSeq"
        case .date: "Date"
        case .diversion: "Diversion"
        case .event: "Event"
        case .expires: "Expires"
        case .from: "From"
        case .historyInfo: "History-Info"
        case .identity: "Identity"
        case .maxForwards: "Max-Forwards"
        case .minExpires: "Min-Expires"
        case .minSE: "Min-SE"
        case .pAssertedIdentity: "P-Asserted-Identity"
        case .pPreferredIdentity: "P-Preferred-Identity"
        case .path: "Path"
        case .privacy: "Privacy"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .proxyAuthorization: "Proxy-Authorization"
        case .proxyRequire: "Proxy-Require"
        case .rack: "RAck"
        case .reason: "Reason"
        case .recordRoute: "Record-Route"
        case .referTo: "Refer-To"
        case .referredBy: "Referred-By"
        case .remotePartyID: "Remote-Party-ID"
        case .replaces: "Replaces"
        case .require: "Require"
        case .retryAfter: "Retry-After"
        case .route: "Route"
        case .rseq: "RSeq"
        case .server: "Server"
        case .serviceRoute: "Service-Route"
        case .sessionExpires: "Session-Expires"
        case .subject: "Subject"
        case .subscriptionState: "Subscription-State"
        case .supported: "Supported"
        case .timestamp: "Timestamp"
        case .to: "To"
        case .unsupported: "Unsupported"
        case .userAgent: "User-Agent"
        case .via: "Via"
        case .warning: "Warning"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .other: ""
        }
    }

    /// Recognises a name in any case, or its compact form (RFC 3261 §7.3.3 and the IANA registry).
    static func recognise(_ bytes: [UInt8], _ range: Range<Int>) -> HeaderName {
        if range.count == 1 { return compact(ASCII.lowercased(bytes[range.lowerBound])) }
        guard range.count < byLength.count else { return .other }
        candidates: for candidate in byLength[range.count] {
            for offset in 0..<range.count
            where ASCII.lowercased(bytes[range.lowerBound + offset]) != candidate.text[offset] {
                continue candidates
            }
            return candidate.name
        }
        return .other
    }

    private static func compact(_ letter: UInt8) -> HeaderName {
        switch letter {
        case UInt8(ascii: "b"): .referredBy
        case UInt8(ascii: "c"): .contentType
        case UInt8(ascii: "e"): .contentEncoding
        case UInt8(ascii: "f"): .from
        case UInt8(ascii: "i"): .callID
        case UInt8(ascii: "k"): .supported
        case UInt8(ascii: "l"): .contentLength
        case UInt8(ascii: "m"): .contact
        case UInt8(ascii: "o"): .event
        case UInt8(ascii: "r"): .referTo
        case UInt8(ascii: "s"): .subject
        case UInt8(ascii: "t"): .to
        case UInt8(ascii: "u"): .allowEvents
        case UInt8(ascii: "v"): .via
        case UInt8(ascii: "x"): .sessionExpires
        case UInt8(ascii: "y"): .identity
        default: .other
        }
    }

    /// Lower-case names sorted by length: no length has more than seven, so finding one is a handful of first-byte comparisons.
    private static let byLength: [[(text: [UInt8], name: HeaderName)]] = {
        var table = [[(text: [UInt8], name: HeaderName)]](repeating: [], count: 24)
        for name in HeaderName.allCases where name != .other {
            table[name.text.utf8.count].append((name.text.utf8.map(ASCII.lowercased), name))
        }
        return table
    }()
}
