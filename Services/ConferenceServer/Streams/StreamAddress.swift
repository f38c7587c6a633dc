import Addresses

/// Where a stream connects to: `ws://` or `wss://`, read as strictly as the addresses of sounds are.
struct StreamAddress: Sendable, Equatable {
    let isSecure: Bool
    /// Lower case; IPv6 without its brackets.
    let host: String
    let port: Int
    /// Path and query.
    let target: String
    /// As the `Host` field has it.
    let authority: String

    static func parse(_ text: String) throws(SoundProblem) -> StreamAddress {
        let schemes = ["ws://": "http://", "wss://": "https://"]
        guard let scheme = schemes.keys.first(where: { text.lowercased().hasPrefix($0) }), let web = schemes[scheme] else {
            throw SoundProblem("'\(text.prefix(80))' is no ws or wss address")
        }
        let address: WebAddress
        do throws(SoundProblem) { address = try WebAddress.parse(web + text.dropFirst(scheme.count)) } catch {
            throw SoundProblem("'\(text.prefix(80))' is no ws or wss address")
        }
        return StreamAddress(address)
    }

    /// `wss` in place of `https`, `ws` in place of `http`.
    init(_ address: WebAddress) {
        (isSecure, host, port, target) = (address.scheme == "https", address.host, address.effectivePort, address.path)
        let name = host.contains(":") ? "[\(host)]" : host
        authority = name + (address.port.map { ":\($0)" } ?? "")
    }
}
