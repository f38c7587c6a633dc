internal import Bytes
internal import Cryptography

/// How the processes of one instance find each other: what a keeper leaves to its workers in their environment.
enum Meeting {
    /// The descriptor of the worker's connection to its keeper.
    static let descriptor: Int32 = 3
    /// Not settings of the service, hence without their prefix.
    static let linkVariable = "KEEPER_LINK"
    static let nameVariable = "KEEPER_MEETING"

    /// Under which name a worker waits for a new keeper should its own die: nobody guesses it who does not know the settings, among
    /// them the cluster's key, and two copies of the suite on one machine have two.
    static func name(_ service: KeptService, _ environment: [String: String]) -> String {
        let settings = environment.filter { $0.key.hasPrefix("TANDEM_") && $0.key != "TANDEM_LOG_LEVEL" }.sorted { $0.key < $1.key }
        let text = settings.map { "\($0.key)=\($0.value)\n" }.joined()
        return "tandem-\(service.name)-" + Hexadecimal.encode(Array(DigestAlgorithm.sha256.hash(text).prefix(16)))
    }
}
