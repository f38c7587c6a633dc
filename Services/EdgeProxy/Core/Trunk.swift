import SIP

/// A provider or another exchange whose requests need no phone's account: known by its address, by the name in its TLS
/// certificate, or by digest credentials of its own. What numbers it calls from, it says itself; who it is, is for us to say.
struct Trunk: Sendable, Hashable {
    let name: String
    let customer: String
    /// Of the customer: where the numbers live that it calls.
    let domain: String
    /// The transports on which its address proves it; none does of a browser.
    let transports: Set<Transport>
    /// Whether its P-Asserted-Identity and its history of diversions are believed (RFC 3325 §5).
    let isTrustedForIdentity: Bool
    /// Whether it is told who answers its calls: it keeps to what `Privacy` asks for (RFC 3325 §7).
    let getsIdentity: Bool
    /// The digest account of trunks whose address changes; nil when address or certificate must do.
    let account: Account?
}
