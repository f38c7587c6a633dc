import Addresses
import AsyncHTTPClient
import NIOCore

/// Fetches a sound over http(s) for a customer: bounded in size, time and redirects, and never from a private address.
///
/// A host is resolved once, all its addresses are checked, and the connection goes to the checked one, so a name server that
/// changes its mind in between gains nothing. A redirect is a new fetch with the same checks.
struct SoundFetcher: Sendable {
    static let largestBody = 16 << 20
    /// For the whole answer; the client's own ends with its head.
    static let timeout = Duration.seconds(10)
    static let redirectLimit = 3

    let policy: FetchPolicy
    let threads: BlockingThreads

    /// With what is known of a copy the server is asked whether that is still good.
    func fetch(_ url: String, _ known: Validators = Validators()) async throws(SoundProblem) -> WebAnswer {
        var target = try WebAddress.parse(url)
        for _ in 0...Self.redirectLimit {
            switch try await fetchOnce(target, known) {
            case .final(let answer): return answer
            case .redirect(let location): target = try target.following(location)
            }
        }
        throw SoundProblem("\(target.host) redirects more than \(Self.redirectLimit) times")
    }

    private enum Answer { case final(WebAnswer), redirect(String) }

    private func fetchOnce(_ target: WebAddress, _ known: Validators) async throws(SoundProblem) -> Answer {
        let host = target.host
        let addresses = try await threads.run { () throws(SoundProblem) in try HostNames.addresses(of: host) }
        guard policy.permits(host: host, port: target.effectivePort, addresses: addresses), let address = addresses.first else {
            throw SoundProblem("\(host) is no public web server, and the operator does not allow it")
        }
        let result = await HTTPClient.pinned(host, to: address, read: .seconds(5)) { client in
            await Self.bounded { await Self.answer(client, target, known) }
                ?? .failure(SoundProblem("\(host) takes longer than \(Self.timeout.components.seconds) s"))
        }
        return try result.get()
    }

    /// Nil when it takes too long: a server that trickles its answer would hold a place for ever.
    static func bounded<Value: Sendable>(
        by limit: Duration = timeout, _ body: @escaping @Sendable () async -> Value
    ) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await body() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private static func answer(
        _ client: HTTPClient, _ target: WebAddress, _ known: Validators
    ) async -> Result<Answer, SoundProblem> {
        var request = HTTPClientRequest(url: target.text)
        request.headers.add(name: "accept", value: "audio/*")
        request.headers.add(name: "user-agent", value: "Tandem")
        if let etag = known.etag { request.headers.add(name: "if-none-match", value: etag) }
        if let lastModified = known.lastModified { request.headers.add(name: "if-modified-since", value: lastModified) }
        do {
            let response = try await client.execute(request, timeout: .seconds(timeout.components.seconds))
            var headers = WebHeaders()
            for (name, value) in response.headers { headers.add(name, value) }
            switch response.status.code {
            case 200:
                let body = try await response.body.collect(upTo: largestBody)
                return .success(.final(.body(Array(body.readableBytesView), headers)))
            case 304 where !known.isEmpty:
                return .success(.final(.unchanged(headers)))
            case 301, 302, 303, 307, 308:
                guard let location = response.headers.first(name: "location") else {
                    return .failure(SoundProblem("\(target.host) redirects to nowhere"))
                }
                return .success(.redirect(location))
            default:
                return .failure(SoundProblem("\(target.host) answers \(response.status.code)"))
            }
        } catch is NIOTooManyBytesError {
            return .failure(SoundProblem("what \(target.host) sends is larger than \(largestBody >> 20) MiB"))
        } catch {
            return .failure(SoundProblem("\(target.host) cannot be fetched from: \(error)"))
        }
    }
}
