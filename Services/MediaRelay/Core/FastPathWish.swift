import FastPath
import Logging
import ServiceKit

/// Whether plain RTP is forwarded within the kernel.
enum FastPathWish: String, Sendable, CaseIterable {
    /// Where that is allowed.
    case auto
    case on
    case off

    static let setting = Setting(
        "TANDEM_MEDIA_FAST_PATH", as: .choice(FastPathWish.allCases.map(\.rawValue)), default: "auto",
        "plain RTP that goes from phone to phone as it is is forwarded by the kernel (eBPF; Linux 6.6, CAP_BPF, CAP_NET_ADMIN): auto, on, off")

    init(_ settings: Settings) throws(RelaySettings.Mistake) {
        guard let wish = FastPathWish(rawValue: settings.text("TANDEM_MEDIA_FAST_PATH")) else {
            throw RelaySettings.Mistake(description: "TANDEM_MEDIA_FAST_PATH must be auto, on or off")
        }
        self = wish
    }

    /// Nil: every packet goes by its socket. A process that `inherits` sessions never refuses to go on with them.
    func open(_ settings: RelaySettings, inherits: Bool, _ logger: Logger) throws(RelaySettings.Mistake) -> FastPath? {
        guard self != .off else { return nil }
        do throws(FastPath.Unavailable) {
            // One for each direction.
            let path = try FastPath(ports: settings.ports, streams: settings.sessionLimit)
            logger.info("plain RTP from phone to phone is forwarded by the kernel")
            return path
        } catch {
            if self == .on, !inherits { throw RelaySettings.Mistake(description: "TANDEM_MEDIA_FAST_PATH=on: \(error)") }
            logger.log(level: self == .on ? .error : .info, "no fast path for plain RTP: every packet goes by its socket", metadata: ["reason": "\(error)"])
            return nil
        }
    }
}
