public import Addresses
public import SDP

/// How a description is to be changed, and what is to be believed of it.
public struct Options: Hashable, Sendable {
    public enum ICE: String, Hashable, Sendable {
        /// Ours where the other side's description has any.
        case asOffered = "default"
        case remove, force, optional
        case forceRelay = "force-relay"
    }

    public enum Multiplexing: String, Hashable, Sendable {
        case offer, require, demux, accept, reject
    }

    /// Who sends the ClientHello, where we may choose.
    public enum DTLS: Hashable, Sendable {
        case either, off, passive, active
    }

    public enum ControlAttribute: Hashable, Sendable {
        case short, full, none
    }

    /// The octet of RFC 791 §3.1 that packets of the call carry.
    public enum TypeOfService: Hashable, Sendable {
        /// The relay's own.
        case usual
        /// As it was.
        case kept
        case octet(UInt8)
    }

    public var ice = ICE.asOffered
    /// The offerer's own is refused.
    public var rejectsICE = false
    public var transport: Profile?
    public var multiplexing: Set<Multiplexing> = []
    public var dtls = DTLS.either
    /// Towards whoever sent this description.
    public var dtlsReverse = DTLS.either
    public var sdes = SDESOptions()
    /// Keys beside a plain profile (RFC 8643).
    public var offersOpportunistic = false
    public var codecs = CodecChanges()
    public var packetTime: Int?
    public var packetTimeReverse: Int?

    // What of the description is ours.
    public var replacesOrigin = false
    public var replacesSessionName = false
    public var replacesUsername = false
    public var replacesVersion = false
    public var replacesZeroAddress = false
    public var controlAttribute = ControlAttribute.short
    public var generatesMid = false
    public var stripsExtensions = false
    public var mediaAddress: IPAddress?
    public var isFamilyIPv4: Bool?
    /// Names of interfaces, which only say the family here.
    public var directions: [String] = []
    public var typeOfService = TypeOfService.usual
    /// Whether we say that we are lite (RFC 8445 §2.5) to the answerer, and to the offerer; nil: as we usually do.
    public var isLiteForward: Bool?
    public var isLiteBackward: Bool?
    /// A description that this relay has rewritten already stays as it is.
    public var protectsLoops = false
    /// What the answerer was told before does not count: it may be somebody else.
    public var startsAnew = false
    /// Of the sounds that an answer takes, only the first is told.
    public var namesOneCodec = false
    /// Part of a description, with candidates that were found later (RFC 8840).
    public var isFragment = false
    /// Whoever gets the description is told that its candidates may come later (RFC 8838 §3).
    public var trickles = false

    // What is believed.
    public var usesSourceAddress = false
    public var receivedFrom: IPAddress?
    public var isAsymmetric = false
    public var isStrict = false
    public var waitsForNAT = false

    // The call.
    public var label: String?
    public var setLabel: String?
    public var recording = RecordingOptions()
    /// Nothing of the call goes through, or everything again.
    public var dropsTraffic: Bool?
    public var isForAll = false
    public var isFatal = false
    public var deleteDelay: Int?
    public var understandsLoadLimit = false
    /// What was asked for and is not known here.
    public var unknown = 0

    public init(_ document: [String: Value] = [:]) {
        for (name, value) in document {
            let key = Request.key(name)
            guard !Self.others.contains(key), !take(key, value) else { continue }
            unknown += 1
        }
    }

    /// Keys that are no options, or belong to one command alone.
    private static let others: Set<String> = [
        "command", "call-id", "from-tag", "to-tag", "via-branch", "sdp", "limit", "file", "blob", "db-id", "repeat-times", "start-pos",
        "code", "digit", "duration", "volume", "pause", "address", "to-label", "from-tags",
    ]
}

/// Which suites are offered (RFC 4568).
public struct SDESOptions: Hashable, Sendable {
    public var isOff = false
    /// Names of suites, as they stand in a description.
    public var without: Set<String> = []
    /// Not empty: no others.
    public var only: Set<String> = []
    /// Only those the other side offered.
    public var addsNone = false

    public func allows(_ suite: String) -> Bool { only.isEmpty ? !without.contains(suite) : only.contains(suite) }
}
