import Addresses
import Recognition

/// A recogniser on the web: the operator's, wherever it is, or a customer's, on a public address only.
struct WebAddressee: Sendable, Equatable {
    enum Manner: Sendable, Equatable {
        /// `http` and `https`: an utterance a request.
        case requests
        /// `ws` and `wss`: sound as it comes.
        case stream
    }

    let manner: Manner
    /// With `http` or `https` in place of `ws` and `wss`.
    let address: WebAddress
    let isCustomers: Bool

    init(customers url: String) throws(RecognitionFailure) { try self.init(url, isCustomers: true) }

    init(operators url: String) throws(RecognitionFailure) { try self.init(url, isCustomers: false) }

    private init(_ url: String, isCustomers: Bool) throws(RecognitionFailure) {
        let isStream = url.lowercased().hasPrefix("ws")
        manner = isStream ? .stream : .requests
        do throws(SoundProblem) {
            address = try WebAddress.parse(isStream ? "http" + url.dropFirst(2) : url)
        } catch {
            throw RecognitionFailure("refused", "'\(url.prefix(80))' is no http, https, ws or wss address")
        }
        self.isCustomers = isCustomers
    }

    /// Where to connect to: looked up once and checked, and the connection goes to what was checked.
    func resolve(_ policy: FetchPolicy, _ threads: BlockingThreads) async throws(RecognitionFailure) -> IPAddress {
        let host = address.host
        let found: [IPAddress]
        do throws(SoundProblem) {
            found = try await threads.run { () throws(SoundProblem) in try HostNames.addresses(of: host) }
        } catch {
            throw RecognitionFailure("unreachable", "\(error)")
        }
        guard let first = found.first else { throw RecognitionFailure("unreachable", "\(host) has no address") }
        guard !isCustomers || policy.permits(host: host, port: address.effectivePort, addresses: found) else {
            throw RecognitionFailure("refused", "\(host) is no public server, and the operator does not allow it")
        }
        return first
    }
}
