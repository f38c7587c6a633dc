import Addresses
import AsyncHTTPClient
import Contracts
import Fetching
import Flow
import NIOCore
import ServiceKit
import Telemetry

/// Makes the requests of flows: to public servers or those the operator allows, signed, bounded in time and size, following no
/// redirect. The name is looked up for every attempt, and the connection goes to the address that was checked.
struct RequestSender: Sendable {
    static let sent = Counter("tandem_flow_requests_total", "Requests of flows to web servers, attempts counted one by one.")
    static let failed = Counter("tandem_flow_requests_failed_total", "Requests of flows that no attempt brought an answer of 2xx to.")

    let policy: FetchPolicy
    let names: NameLookups
    let signer: RequestSigner
    let now: @Sendable () -> Timestamp

    /// The answer, or why there is none after the last attempt. `id` names the request for the server.
    func send(_ request: FlowRequest, id: String, customerID: String) async -> FlowAnswer {
        let begin = ContinuousClock.now
        var answer = FlowAnswer(failure: "unreachable")
        for attempt in 0...request.retries {
            if attempt > 0 {
                do { try await Task.sleep(for: .milliseconds(FlowRequest.pause(before: attempt))) } catch { break }
            }
            Self.sent.add()
            answer = await self.attempt(request, id: id, customerID: customerID)
            answer.attempts = attempt + 1
            if !answer.mayBeRepeated { break }
        }
        let (seconds, attoseconds) = begin.duration(to: .now).components
        answer.milliseconds = Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
        if !answer.isSuccess { Self.failed.add() }
        return answer
    }

    private func attempt(_ request: FlowRequest, id: String, customerID: String) async -> FlowAnswer {
        let target: WebAddress
        do throws(FetchProblem) { target = try WebAddress.parse(request.url) } catch { return FlowAnswer(failure: "invalid_request") }
        let body = request.body.map { Array($0.utf8) }
        let signature = signer.headers(id: id, seconds: now().milliseconds / 1000, body: body ?? [], customerID: customerID)
        let limit = Duration.milliseconds(request.timeout)
        let answer = await Self.bounded(by: limit) { await self.ask(target, request, body, signature) }
        return answer ?? FlowAnswer(failure: "timeout")
    }

    private func ask(
        _ target: WebAddress, _ request: FlowRequest, _ body: [UInt8]?, _ signature: [(name: String, value: String)]
    ) async -> FlowAnswer {
        let addresses: [IPAddress]
        do throws(FetchProblem) { addresses = try await names.addresses(of: target.host) } catch { return FlowAnswer(failure: "unreachable") }
        guard policy.permits(host: target.host, port: target.effectivePort, addresses: addresses), let address = addresses.first else {
            return FlowAnswer(failure: "address_refused")
        }
        return await HTTPClient.pinned(target.host, to: address) { client in
            var message = HTTPClientRequest(url: target.text)
            message.method = .init(rawValue: request.method.rawValue)
            for (name, value) in request.headers.sorted(by: { $0.key < $1.key }) { message.headers.add(name: name, value: value) }
            message.headers.replaceOrAdd(name: "user-agent", value: "Tandem")
            if let type = request.contentType, !message.headers.contains(name: "content-type") {
                message.headers.add(name: "content-type", value: type)
            }
            for (name, value) in signature { message.headers.add(name: name, value: value) }
            if let body { message.body = .bytes(ByteBuffer(bytes: body)) }
            do {
                let response = try await client.execute(message, timeout: .milliseconds(Int64(request.timeout)))
                let buffer = try await response.body.collect(upTo: FlowAnswer.largestBody)
                return FlowAnswer(
                    status: Int(response.status.code), contentType: response.headers.first(name: "content-type").map { String($0.prefix(128)) },
                    body: Self.text(Array(buffer.readableBytesView)))
            } catch is NIOTooManyBytesError {
                return FlowAnswer(failure: "too_large")
            } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout || error == .connectTimeout {
                return FlowAnswer(failure: "timeout")
            } catch {
                return FlowAnswer(failure: "unreachable")
            }
        }
    }

    /// Variables are text, and PostgreSQL keeps no U+0000.
    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).filter { $0 != "\0" } }

    /// Nil when it takes too long, the look-up and a server that trickles its answer included.
    private static func bounded(by limit: Duration, _ body: @escaping @Sendable () async -> FlowAnswer) async -> FlowAnswer? {
        await withTaskGroup(of: FlowAnswer?.self) { group in
            group.addTask { await body() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
