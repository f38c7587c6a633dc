import FoundationEssentials

/// Signs the opening request of a media stream, so that its server knows who connects, and that nobody repeats what was seen once.
///
/// `X-Tandem-Stream` names the stream, and `X-Tandem-Signature: t=SECONDS,v1=HEX` is HMAC-SHA256 with the customer's secret over
/// `SECONDS.STREAM`, as requests to speech services have it over their bodies. Each connection is signed anew.
struct StreamSigning: Sendable {
    let secret: String
    let stream: String
    /// Seconds since 1970.
    var now: @Sendable () -> Int = { Int(Date.now.timeIntervalSince1970) }

    var fields: [(name: String, value: String)] {
        [
            (name: "X-Tandem-Stream", value: stream),
            (name: "X-Tandem-Signature", value: HTTPSpeech.signature(of: Array(stream.utf8), secret: secret, at: now())),
        ]
    }
}
