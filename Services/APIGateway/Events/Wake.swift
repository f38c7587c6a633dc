import Bus
import Contracts
import Flow
import ServiceKit

/// The call to read the event log: from whichever instance stored something, to all of them. Calls that come while one is being
/// followed are one call.
final class Wake: Sendable {
    static let type = "apigateway.events_stored"

    let calls: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let bus: Bus
    private let runtime: Runtime

    init(bus: Bus, runtime: Runtime) {
        (self.bus, self.runtime) = (bus, runtime)
        (calls, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func send() {
        receive()
        // Nobody else is there most of the time.
        guard runtime.fleet.living(.apiGateway).contains(where: { $0.instance != runtime.instance }) else { return }
        bus.signal(Event(
            id: runtime.newID("evt"), type: Self.type, timestamp: runtime.timestamp(), customerID: "", resourceID: runtime.instance,
            sequence: 0, data: [:]))
    }

    func receive(_ event: Event) { if event.resourceID != runtime.instance { receive() } }

    func receive() { continuation.yield() }
}
