import Addresses
import Glibc
import Phone

/// Where the running suite is, from the environment: `make bench` sets what `.run/demo.env` has.
struct Settings {
    struct Missing: Error {
        let text: String
    }

    let proxy: SocketAddress
    let domain: String

    init() throws(Missing) {
        let text = Self.variable("TANDEM_SIP_PROXY") ?? "127.0.0.1:5060"
        guard let proxy = SocketAddress(text) else { throw Missing(text: "TANDEM_SIP_PROXY=\(text) is not ADDRESS:PORT") }
        self.proxy = proxy
        domain = Self.variable("TANDEM_SIP_DOMAIN") ?? "demo.localhost"
    }

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    func phone(_ number: String, tone: Int) throws(Missing) -> PhoneSettings {
        let name = "TANDEM_EXT_\(number)_PASSWORD"
        guard let password = Self.variable(name) else { throw Missing(text: "set \(name), for example with `source .run/demo.env`") }
        var settings = PhoneSettings(number: number, domain: domain, password: password, proxy: proxy)
        settings.tone = tone
        settings.memory = .milliseconds(400)
        settings.expires = 600
        return settings
    }
}
