import Foundation
public import SIP

/// A phone that watches the dialogs of another (RFC 4235), through the edge: what a lamp beside a key needs.
public final class Lamp {
    public let agent: OutsideAgent
    private let watched: String
    private let domain: String
    private var tag: String?
    /// Of the documents that have come.
    public private(set) var versions: [Int] = []

    public init(_ suite: RunningSuite, _ account: RunningSuite.Account, watching number: String) throws {
        (agent, watched, domain) = (try OutsideAgent(suite, account), number, suite.domain)
    }

    /// Begins the subscription, renews it, or ends it with 0.
    @discardableResult
    public func subscribe(expires: Int = 600) async throws -> Message {
        let answer = try await agent.request(
            "SUBSCRIBE", "sip:\(watched)@\(domain)", tag: tag, callID: "lamp",
            ["Event: dialog", "Accept: application/dialog-info+xml", "Expires: \(expires)"])
        tag = tag ?? answer.to?.tag
        return answer
    }

    /// The first document that says so.
    public func shows(_ what: String, where isWanted: (String) -> Bool = { _ in true }) async throws -> String {
        try await agent.notified(what) { document, notify in
            if notify.contentType == "application/dialog-info+xml" { versions.append(Self.value("version", in: document, after: "dialog-info\" ").flatMap { Int($0) } ?? -1) }
            return isWanted(document)
        }.1
    }

    public func shows(state: String) async throws -> String { try await shows(state) { $0.contains(">\(state)</state>") } }

    /// An attribute of the first dialog, or of what else begins with `mark`.
    public static func value(_ attribute: String, in document: String, after mark: String = "<dialog ") -> String? {
        guard let start = document.range(of: mark)?.upperBound, let found = document[start...].range(of: "\(attribute)=\"")?.upperBound else { return nil }
        return String(document[found...].prefix { $0 != "\"" }).replacing("&amp;", with: "&")
    }
}
