import Bytes
import Cryptography

/// Signs what flows send, by Standard Webhooks 1.0: whoever receives it can tell that it comes from here and is no repetition.
struct RequestSigner: Sendable {
    /// Makes the secret of a customer; the same in every instance, and no customer's tells another's.
    let key: @Sendable (_ purpose: String) -> [UInt8]

    /// As libraries for Standard Webhooks take it.
    func secret(of customerID: String) -> String { "whsec_" + Base64.encode(bytes(of: customerID)) }

    private func bytes(of customerID: String) -> [UInt8] { key("flow requests of \(customerID)") }

    /// The header fields of one attempt; `id` is the same in every attempt at the same request.
    func headers(id: String, seconds: Int64, body: [UInt8], customerID: String) -> [(name: String, value: String)] {
        let signed = Array("\(id).\(seconds).".utf8) + body
        let code = DigestAlgorithm.sha256.authenticate(signed, key: bytes(of: customerID))
        return [("webhook-id", id), ("webhook-timestamp", String(seconds)), ("webhook-signature", "v1," + Base64.encode(code))]
    }
}
