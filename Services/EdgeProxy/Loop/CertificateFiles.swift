import Glibc
import Logging
import TLS

/// Where the certificate and its key lie, and when they change: they are renewed while calls go on.
struct CertificateFiles: Sendable {
    let certificate: String
    let key: String

    /// What tells one version of the two files from the next.
    struct Stamp: Equatable, Sendable {
        fileprivate let numbers: [Int]
    }

    func load() throws(TLSError) -> TLSContext { try TLSContext.server(certificate: certificate, key: key) }

    var stamp: Stamp {
        Stamp(
            numbers: [certificate, key].flatMap { path -> [Int] in
                var status = stat()
                guard unsafe fstatat(AT_FDCWD, path, &status, 0) == 0 else { return [] }
                return [Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
            })
    }

    /// Looks at the files until the task is cancelled. Two that do not fit, because only one has been replaced so far, change
    /// nothing.
    func watch(since first: Stamp, logger: Logger, use: @Sendable (TLSContext) -> Void) async {
        var seen = first
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            let current = stamp
            guard current != seen else { continue }
            seen = current
            do throws(TLSError) {
                use(try load())
                logger.info("the certificate was renewed", metadata: ["file": "\(certificate)"])
            } catch {
                logger.warning("the old certificate stays in use", metadata: ["error": "\(error)"])
            }
        }
    }
}
