import SIP

/// A provider or another exchange whose requests need no phone's account: known by its address, by the name in its TLS
/// certificate, or by digest credentials of its own. It may assert whatever numbers it likes; who it is, is for us to say.
struct Trunk: Sendable, Hashable {
    let name: String
    let customer: String
    /// The digest account of trunks whose address changes; nil when address or certificate must do.
    let account: Account?
}
