import ChildProcesses
import Foundation

/// A certificate and its key, made by the `openssl` program, in a folder that goes with it.
public final class TestIdentity: Sendable {
    public enum Trouble: Error { case openssl(String) }

    private let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)").path
    public var certificate: String { folder + "/certificate.pem" }
    public var key: String { folder + "/key.pem" }

    /// `names` as OpenSSL writes alternative names; signed by itself unless another identity is given.
    public init(
        _ commonName: String = "localhost", names: String? = "DNS:localhost,IP:127.0.0.1", signedBy authority: TestIdentity? = nil
    ) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try make(commonName, names, authority)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Another certificate, with another key, in the same files, as a renewal leaves it.
    public func renew(_ commonName: String = "localhost", names: String? = "DNS:localhost,IP:127.0.0.1") throws {
        let next = try TestIdentity(commonName, names: names)
        try withExtendedLifetime(next) {
            for (old, new) in [(certificate, next.certificate), (key, next.key)] {
                guard rename(new, old) == 0 else { throw Trouble.openssl("\(old) cannot be replaced") }
            }
        }
    }

    private func make(_ commonName: String, _ names: String?, _ authority: TestIdentity?) throws {
        var arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            "/CN=\(commonName)", "-keyout", key, "-out", certificate,
        ]
        if let names { arguments += ["-addext", "subjectAltName=\(names)"] }
        if let authority { arguments += ["-CA", authority.certificate, "-CAkey", authority.key] }
        let openssl = ChildProcess("/usr/bin/openssl", arguments)
        try openssl.run()
        openssl.waitUntilExit()
        guard openssl.terminationStatus == 0 else { throw Trouble.openssl(commonName) }
    }
}
