import Deadlines
import FoundationEssentials
import Recognition
import ServiceKit
import Threads

extension RecognitionProviders {
    /// Made of the settings; a wrong one is a mistake of the operator's.
    init(_ settings: Settings, _ policy: FetchPolicy) throws {
        let threads = BlockingThreads(count: 2)
        let secret = settings.text("TANDEM_RECOGNITION_SECRET")
        let timeout = Duration.seconds(settings.integer("TANDEM_RECOGNITION_SECONDS"))
        let now: @Sendable () -> Int = { Int(Date.now.timeIntervalSince1970) }
        let trust = MediaStreams.trust(settings)
        let loop = EventLoop(name: "recognition")
        loop.start()
        let make: @Sendable (WebAddressee) -> any RecognitionProvider = { addressee in
            switch addressee.manner {
            case .requests:
                HTTPRecogniser(
                    addressee: addressee, secret: secret, timeout: timeout, policy: policy, threads: threads, now: now)
            case .stream:
                WebSocketRecogniser(
                    addressee: addressee, secret: secret, timeout: .seconds(Int(timeout.components.seconds)), policy: policy,
                    threads: threads, trust: trust, loop: loop, now: now)
            }
        }
        var own: [any RecognitionProvider] = []
        for (setting, manner) in [("TANDEM_RECOGNITION_STREAM_URL", WebAddressee.Manner.stream), ("TANDEM_RECOGNITION_URL", .requests)] {
            let url = settings.text(setting)
            guard !url.isEmpty else { continue }
            guard let addressee = try? WebAddressee(operators: url), addressee.manner == manner else {
                throw ConfigurationError("\(setting) is '\(url)': give \(manner == .stream ? "a ws or wss" : "an http or https") address")
            }
            own.append(make(addressee))
        }
        let count = settings.integer("TANDEM_RECOGNISERS")
        if count > 0 {
            let folder = settings.text("TANDEM_SPHINX_MODEL")
            own.append(SphinxRecogniser(count: count, folder: folder.isEmpty ? nil : folder))
        }
        self.init(own: own, customers: make)
    }
}
