import ServiceKit
import Testing

@testable import MediaRelay

@Suite("MediaRelay: settings")
struct RelaySettingsTests {
    private func settings(_ values: [String: String] = [:]) throws -> RelaySettings {
        let inside = Setting("TANDEM_INSIDE_ADDRESS", as: .ipAddress, default: "127.0.0.1", "inside")
        return try RelaySettings(try Settings(RelaySettings.declared + [inside], environment: values) { _ in nil })
    }

    @Test("What is usual has the form it must have, and what each setting tells of is accepted")
    func usual() throws {
        #expect(try settings().ports == 30_000...39_999)
        let other = try settings([
            "TANDEM_CODECS": "opus,PCMU", "TANDEM_COMFORT_NOISE": "both", "TANDEM_SRTP_SUITES": "AEAD_AES_128_GCM", "TANDEM_ICE": "full",
            "TANDEM_MEDIA_FAST_PATH": "off", "TANDEM_NG_LISTEN": "127.0.0.1:2223", "TANDEM_NG_PEERS": "192.0.2.1 ::1",
            "TANDEM_NG_RECORDING": "pcap", "TANDEM_MEDIA_ADDRESS6": "2001:db8::1",
        ])
        #expect(other.fastPath == .off && other.ng.peers.count == 2 && other.place6 != nil)
    }

    @Test("What has not the form of its setting is named with all the others")
    func forms() {
        let values = [
            "TANDEM_CODECS": "opus,MP3", "TANDEM_COMFORT_NOISE": "loud", "TANDEM_SRTP_SUITES": "ROT13", "TANDEM_ICE": "half",
            "TANDEM_MEDIA_FAST_PATH": "maybe", "TANDEM_NG_LISTEN": "2223", "TANDEM_NG_PEERS": "192.0.2", "TANDEM_NG_RECORDING": "mp3",
            "TANDEM_MEDIA_ADDRESS": "phone.example.com", "TANDEM_MEDIA_LISTEN6": "x", "TANDEM_RTP_PORTS": "39999-30000",
        ]
        let error = #expect(throws: Settings.Mistakes.self) { _ = try settings(values) }
        #expect(error?.lines.count == values.count)
    }

    @Test("What does not fit together is found by the same look", arguments: [
        ["TANDEM_MEDIA_LISTEN": "::1"], ["TANDEM_MEDIA_ADDRESS6": "192.0.2.1"], ["TANDEM_SRTP_SUITES": ""],
    ])
    func together(_ values: [String: String]) {
        #expect(throws: RelaySettings.Mistake.self) { _ = try settings(values) }
    }
}
