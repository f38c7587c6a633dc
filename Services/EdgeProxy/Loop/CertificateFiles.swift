import Logging
import ServiceKit
import TLS

/// Where the certificates and their keys lie, and whom clients are vouched for by: read again when a file changes, and when
/// the process is told to, while calls go on.
struct CertificateFiles: Sendable {
    let identities: [TLSContext.Identity]
    var clients = TLSContext.ClientCertificates.notAsked

    func load() throws(TLSError) -> TLSContext { try TLSContext.server(identities, clients: clients) }

    var stamp: WatchedFiles.Stamp { WatchedFiles(paths).stamp }

    private var paths: [String] {
        let authorities: [String] =
            switch clients {
            case .notAsked: []
            case .optional(let file), .required(let file): [file]
            }
        return identities.flatMap { [$0.certificate, $0.key] } + authorities
    }

    /// Looks at the files until the task is cancelled.
    func watch(since first: WatchedFiles.Stamp, logger: Logger, use: @Sendable (TLSContext) -> Void) async {
        await WatchedFiles(paths).watch(since: first) { renew(logger: logger, use: use) }
    }

    /// Two that do not fit, because only one has been replaced so far, change nothing.
    private func renew(logger: Logger, use: (TLSContext) -> Void) {
        do throws(TLSError) {
            use(try load())
            logger.info("the certificates were renewed", metadata: ["files": "\(paths.joined(separator: " "))"])
        } catch {
            logger.warning("the old certificates stay in use", metadata: ["error": "\(error)"])
        }
    }
}
