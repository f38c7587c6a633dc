import Contracts
import SIP

/// The push parameters of a Contact URI (RFC 8599 §4): kept with the binding in the URI itself, read when somebody wants to know.
enum PushParameters {
    private static let longestProvider = 64
    private static let longestIdentifier = 1_024
    private static let longestParameter = 256

    /// Nil when the URI has none; throws for what no push service gives out.
    static func read(_ uri: URI) throws(Refusal) -> ReachableBinding.Push? {
        let parameters = uri.parameters
        guard ["pn-provider", "pn-prid", "pn-param"].contains(where: parameters.contains) else { return nil }
        let push = ReachableBinding.Push(
            provider: URI.unescaping(parameters["pn-provider"] ?? ""), prid: parameters["pn-prid"].map(URI.unescaping),
            parameter: parameters["pn-param"].map(URI.unescaping))
        guard push.provider.utf8.count <= longestProvider, (push.prid?.utf8.count ?? 0) <= longestIdentifier,
            (push.parameter?.utf8.count ?? 0) <= longestParameter
        else { throw Refusal(400, "Bad Push Parameters") }
        // §4.1.1: without a value the phone only asks which providers are known.
        return push.provider.isEmpty ? nil : push
    }
}

extension URI {
    /// A parameter's value with its escapes resolved, which a user part has by the same rule (RFC 3261 §19.1.2).
    static func unescaping(_ text: String) -> String { URI(user: text, host: "").decodedUser ?? text }
}
