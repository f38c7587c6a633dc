import Glibc
import Logging
import TLS

/// Where the certificates and their keys lie, and whom clients are vouched for by: read again when a file changes, and when
/// the process is told to, while calls go on.
struct CertificateFiles: Sendable {
    let identities: [TLSContext.Identity]
    var clients = TLSContext.ClientCertificates.notAsked

    /// What tells one version of the files from the next.
    struct Stamp: Equatable, Sendable {
        fileprivate let numbers: [Int]
    }

    func load() throws(TLSError) -> TLSContext { try TLSContext.server(identities, clients: clients) }

    var stamp: Stamp {
        Stamp(
            numbers: paths.flatMap { path -> [Int] in
                var status = stat()
                guard unsafe fstatat(AT_FDCWD, path, &status, 0) == 0 else { return [] }
                return [Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
            })
    }

    private var paths: [String] {
        let authorities: [String] =
            switch clients {
            case .notAsked: []
            case .optional(let file), .required(let file): [file]
            }
        return identities.flatMap { [$0.certificate, $0.key] } + authorities
    }

    /// Looks at the files until the task is cancelled.
    func watch(since first: Stamp, logger: Logger, use: @Sendable (TLSContext) -> Void) async {
        var seen = first
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            let current = stamp
            guard current != seen else { continue }
            seen = current
            renew(logger: logger, use: use)
        }
    }

    /// Two that do not fit, because only one has been replaced so far, change nothing.
    func renew(logger: Logger, use: (TLSContext) -> Void) {
        do throws(TLSError) {
            use(try load())
            logger.info("the certificates were renewed", metadata: ["files": "\(paths.joined(separator: " "))"])
        } catch {
            logger.warning("the old certificates stay in use", metadata: ["error": "\(error)"])
        }
    }
}
