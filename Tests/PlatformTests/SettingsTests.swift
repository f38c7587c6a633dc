import Contracts
import Testing

@testable import ServiceKit

@Suite("ServiceKit: settings")
struct SettingsTests {
    private static let declared = [
        Setting("TANDEM_PLACE", as: .ipAddress, default: "127.0.0.1", "where"), Setting("TANDEM_KEY", .secret, as: .hexKey, "what seals"),
        Setting("TANDEM_COUNT", .integer(1...9), default: "3", "how many"), Setting("TANDEM_MUST", .text, "what nobody can guess"),
    ]
    static let key = String(repeating: "5a", count: 32)

    private func given(_ environment: [String: String], files: [String: String] = [:]) -> GivenSettings {
        GivenSettings(Self.declared, environment: environment) { files[$0] }
    }

    static let forms: [(Setting.Format, String, String)] = [
        (.ipAddress, "::1", "localhost"), (.socketAddress, "[::1]:9100", "127.0.0.1"), (.logLevel, "warning", "WARN"),
        (.amqpURL, "amqp://a:b@host:5672/vhost", "rabbit:5672"), (.redisURL, "redis://:p@host:6379/3", "redis://host/x"),
        (.hexKey, key, String(key.dropLast())), (.webURL, "https://host/x", "ftp://host"), (.choice(["all", "calls"]), "calls", "call"),
        (.ipAddress.orEmpty, "", "nowhere"), (.ipAddress.list, "10.0.0.1, ::1", "10.0.0.1,x"), (.ipAddress.list, "", ",x"),
    ]

    @Test("What does not have its form is a mistake that says what to give", arguments: forms)
    func formats(format: Setting.Format, right: String, wrong: String) {
        let setting = Setting("TANDEM_THING", as: format, default: "", "a thing")
        #expect(setting.mistake(in: right) == nil)
        #expect(setting.mistake(in: wrong) == "TANDEM_THING is '\(wrong)': give \(format.expected)")
    }

    @Test("A secret that is wrong is not repeated, and what is empty is called so")
    func secrets() {
        let secret = Setting("TANDEM_THING", .secret, as: .hexKey, default: "", "a thing")
        #expect(secret.mistake(in: "hunter2")?.contains("hunter2") == false)
        #expect(secret.mistake(in: "")?.hasPrefix("TANDEM_THING is empty: give 64") == true)
    }

    @Test("All mistakes are reported in one go: unknown names, unreadable files, wrong values, and what is missing")
    func mistakes() {
        let given = given(["TANDEM_PLASE": "1", "TANDEM_PLACE": "here", "TANDEM_COUNT": "10", "TANDEM_KEY_FILE": "/nowhere"])
        #expect(given.mistakes.map { $0.prefix { $0 != " " } } == ["TANDEM_PLASE", "TANDEM_PLACE", "TANDEM_KEY_FILE", "TANDEM_COUNT"])
        #expect(given.missing.map(\.name) == ["TANDEM_MUST"])
        let error = #expect(throws: Settings.Mistakes.self) { try Settings(given) }
        #expect(error?.lines.count == 5 && error?.lines.last == "TANDEM_MUST is not set: what nobody can guess")
    }

    @Test("With nothing set every setting is printed all the same, and those that must be given say so")
    func printedBare() {
        let given = given([:])
        #expect(given.mistakes.isEmpty)
        #expect(
            given.printed == """
                # where
                TANDEM_PLACE=127.0.0.1
                # what seals (must be given)
                TANDEM_KEY=
                # how many
                TANDEM_COUNT=3
                # what nobody can guess (must be given)
                TANDEM_MUST=
                """)
    }

    @Test("What is wrong is printed as it is; a secret never is, whether it is right or not", arguments: [key, "hunter2"])
    func printedWrong(_ secret: String) {
        let given = given(["TANDEM_PLACE": "here", "TANDEM_KEY_FILE": "/key", "TANDEM_MUST": "x"], files: ["/key": secret + "\n"])
        #expect(given.printed.contains("TANDEM_PLACE=here\n") && given.printed.contains("TANDEM_KEY=(hidden)\n"))
        #expect(!given.printed.contains(secret) && !given.printed.contains("must be given"))
    }

    @Test("Who does not stand alone needs the cluster's key, and hears of it beside what its own check finds")
    func together() throws {
        struct Wrong: Error, CustomStringConvertible { var description: String { "these two do not fit" } }
        let declaration = ServiceProgram.Declaration(
            .edgeProxy, needs: [.bus, .cacheAside], standsAlone: { _ in false }, check: { _ in throw Wrong() })
        let declared = CommonSettings.declared(for: .edgeProxy, needs: declaration.needs, mayStandAlone: true)
        let settings = try Settings(declared, environment: [:]) { _ in nil }
        let mistakes = ServiceProgram.mistakes(declaration, settings, isAlone: false)
        #expect(mistakes.count == 2 && mistakes.last == "these two do not fit")
        #expect(mistakes.first?.hasPrefix("TANDEM_CLUSTER_KEY is not set") == true)
        #expect(ServiceProgram.mistakes(declaration, settings, isAlone: true) == ["these two do not fit"])
    }

    @Test("A level of logging that there is not is a mistake, as is a URL of a server that is none")
    func common() {
        let declared = CommonSettings.declared(for: .callServer, needs: [.bus, .database, .cache], mayStandAlone: false)
        let given = GivenSettings(
            declared,
            environment: [
                "TANDEM_LOG_LEVEL": "verbose", "TANDEM_ADMIN_LISTEN": "9100", "TANDEM_INSIDE_ADDRESS": "eth0", "TANDEM_CLUSTER_KEY": "abc",
                "TANDEM_AMQP_URL": "http://x", "TANDEM_REDIS_URL": "x",
            ]) { _ in nil }
        #expect(given.mistakes.count == 6 && given.missing.isEmpty)
        #expect(GivenSettings(declared, environment: [:]) { _ in nil }.missing.map(\.name) == ["TANDEM_CLUSTER_KEY"])
    }
}
