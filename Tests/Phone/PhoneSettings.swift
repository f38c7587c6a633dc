public import Addresses
public import Deadlines
public import SDP
public import SIP

/// What a phone does when it is called.
public enum IncomingPolicy: Hashable, Sendable {
    /// Rings, and answers after that time.
    case answer(after: Interval)
    /// Rings until the caller gives up, or the test says `answer()`.
    case ring
    /// Refuses at once with this status.
    case refuse(status: Int)
    /// Never answers anything: a phone that lost its network.
    case ignore

    public static let busy = IncomingPolicy.refuse(status: 486)
    public static let decline = IncomingPolicy.refuse(status: 603)
}

/// Who a phone is, where it registers, and how it behaves.
public struct PhoneSettings: Sendable {
    /// The extension: the user part of its address.
    public var number: String
    public var domain: String
    public var password: String
    /// Where all requests outside a dialog go.
    public var proxy: SocketAddress
    /// Another edge of the same network, for when the proxy is silent or its connection is lost.
    public var standby: SocketAddress?
    public var transport = Transport.udp
    /// The PEM file with the certificates that a phone over TLS or WSS trusts.
    public var trusted = ""
    /// The address of this machine to send from.
    public var local = IPAddress.loopbackIPv4
    /// The address its sound comes from, when that is another.
    public var media: IPAddress?
    /// A socket of somebody else's that sends and hears the sound of all its calls; without one each call has its own.
    public var soundElsewhere: SocketAddress?
    public var expires = 300
    public var incoming = IncomingPolicy.answer(after: .zero)
    /// In order of preference, without telephone events, which are always offered.
    public var codecs: [Codec] = [.pcmu, .pcma]
    /// Whether it sends and takes telephone events (RFC 4733); one that does not presses its keys as tones.
    public var hasEvents = true
    /// Whether it has RTP and RTCP on one port (RFC 5761) and reports twice a second of what it hears.
    public var reports = false
    /// Every so many packets, one it sends and one it receives gets lost.
    public var losesEach: Int?
    /// Bytes that its descriptions, and in part its Contact, are longer by than they need to be.
    public var padding = 0
    /// The tone it sends, in whole hertz; nil sends silence.
    public var tone: Int? = 440
    /// How much of what it heard last can be looked at again.
    public var memory = Interval.seconds(10)
    /// The only hash it answers challenges for; nil takes the strongest offered.
    public var digest: DigestHash?
    /// Whether its credentials protect the body and hide its name.
    public var digestChoice = DigestChallenge.Choice()
    /// Its URN, for `+sip.instance` (RFC 5626 §4.1): with one it asks for GRUUs.
    public var instance: String?
    /// Which of its flows it registers; with one, and an instance, it asks for outbound (RFC 5626 §4.2).
    public var regID: Int?
    /// Whether a TCP phone that lost its connection connects and registers again by itself.
    public var reconnects = true

    public init(number: String, domain: String, password: String, proxy: SocketAddress) {
        (self.number, self.domain, self.password, self.proxy) = (number, domain, password, proxy)
    }
}
