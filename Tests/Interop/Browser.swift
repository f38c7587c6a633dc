import Audio
import Foundation
import SIP
import Suite

/// Headless Chromium with one of the phones of Tests/Fixtures/browser open, registering over WSS (RFC 7118).
struct Browser {
    private let program: Program
    private let page: BrowserPage

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// `speaking`: the tone of its microphone, in Hz; `query`: what else the page is given.
    init(
        as account: RunningSuite.Account, in suite: RunningSuite, page name: String = "phone.html", speaking tone: Int = 1_010,
        query: [String: String] = [:]
    ) async throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/browser")
        page = try BrowserPage(
            html: Array(Data(contentsOf: folder.appending(path: name))), script: Array(Data(contentsOf: folder.appending(path: "sip.js"))))
        var address = URLComponents()
        (address.scheme, address.host, address.port, address.path) = ("http", "127.0.0.1", page.port, "/")
        address.queryItems = [
            URLQueryItem(name: "server", value: "wss://\(try suite.proxy(over: .wss))"),
            URLQueryItem(name: "user", value: account.number), URLQueryItem(name: "password", value: account.password),
            URLQueryItem(name: "domain", value: suite.domain),
        ] + query.map { URLQueryItem(name: $0.key, value: $0.value) }
        guard let url = address.string else { throw Failed(description: "the page has no address") }
        program = try Program(
            "chromium",
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=profile",
                "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--use-file-for-fake-audio-capture=microphone.wav",
                "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required",
                // Only this one key is believed without an authority behind it.
                "--ignore-certificate-errors-spki-list=\(try await Self.keyHash(of: suite.certificate))", url,
            ],
            prepare: { folder in
                var sine = Tone(frequencies: [Double(tone)])
                try Data(WAVWriter.encode(Samples(sine.next(10 * Samples.rate)))).write(to: folder.appending(path: "microphone.wav"))
            })
    }

    /// The hash of a certificate's key as Chromium wants it, which is that of RFC 7469 §2.4.
    private static func keyHash(of certificate: String) async throws -> String {
        let command =
            "openssl x509 -in \"$1\" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64"
        let openssl = try Program("sh", ["-c", command, "sh", certificate])
        let status = try await openssl.end(within: .seconds(10))
        let hash = openssl.output.trimmingCharacters(in: .whitespacesAndNewlines)
        guard status == 0, hash.utf8.count == 44 else { throw Failed(description: "no hash of \(certificate): \(openssl.output)") }
        return hash
    }

    /// Whether the page has come so far by now.
    func hasReported(_ step: String) -> Bool { page.reports.contains(step) }

    /// Waits until the page has come so far, so many times; what it says went wrong ends the wait.
    func reports(_ step: String, times: Int = 1, within limit: Duration = .seconds(30)) async throws {
        do {
            try await program.until(limit, "report “\(step)”") {
                if let failure = page.reports.first(where: { $0.hasPrefix("failed") }) { throw Failed(description: failure) }
                return page.reports.count { $0 == step } >= times
            }
        } catch { throw Failed(description: "\(error)\nThe page had reported: \(page.reports)") }
    }
}
