import Deadlines
import SIP
import Testing

/// Every arrow of RFC 3261 Figures 5 to 8, as RFC 6026 amends them, one row each: how to come to the state, what happens there,
/// what is to be done and where it leads. Times in milliseconds, over UDP unless said.
@Suite("RFC 3261 §17: transaction state machines")
struct TransactionFigureTests {
    enum Event: Sendable {
        case status(Int, at: Int), fire, transport
        case request, ack(at: Int), respond(Int, at: Int)
    }

    private static let reliable = Timers(isReliable: true)

    // MARK: Figure 5

    struct InviteClientRow: Sendable {
        let path: [Event]
        let event: Event
        let action: InviteClientTransaction.Action
        let state: InviteClientTransaction.State
        var timers = Timers()
    }

    static let figure5: [InviteClientRow] = [
        .init(path: [], event: .fire, action: .retransmit, state: .calling),
        .init(path: Array(repeating: .fire, count: 6), event: .fire, action: .timedOut, state: .terminated),
        .init(path: [], event: .fire, action: .timedOut, state: .terminated, timers: reliable),
        .init(path: [], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [], event: .status(180, at: 1), action: .deliver, state: .proceeding),
        .init(path: [], event: .status(200, at: 1), action: .deliver, state: .accepted),
        .init(path: [], event: .status(404, at: 1), action: .deliverAndAcknowledge, state: .completed),
        .init(path: [], event: .status(404, at: 1), action: .deliverAndAcknowledge, state: .terminated, timers: reliable),
        .init(path: [.status(100, at: 1)], event: .status(183, at: 2), action: .deliver, state: .proceeding),
        .init(path: [.status(100, at: 1)], event: .status(200, at: 2), action: .deliver, state: .accepted),
        .init(path: [.status(100, at: 1)], event: .status(600, at: 2), action: .deliverAndAcknowledge, state: .completed),
        .init(path: [.status(100, at: 1)], event: .fire, action: .none, state: .proceeding),
        .init(path: [.status(100, at: 1)], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [.status(486, at: 1)], event: .status(486, at: 2), action: .acknowledge, state: .completed),
        .init(path: [.status(486, at: 1)], event: .status(180, at: 2), action: .none, state: .completed),
        .init(path: [.status(486, at: 1)], event: .status(200, at: 2), action: .none, state: .completed),
        .init(path: [.status(486, at: 1)], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [.status(486, at: 1)], event: .fire, action: .none, state: .terminated),
        .init(path: [.status(200, at: 1)], event: .status(200, at: 2), action: .deliverAnotherSuccess, state: .accepted),
        .init(path: [.status(200, at: 1)], event: .status(180, at: 2), action: .none, state: .accepted),
        .init(path: [.status(200, at: 1)], event: .status(486, at: 2), action: .none, state: .accepted),
        .init(path: [.status(200, at: 1)], event: .transport, action: .none, state: .accepted),
        .init(path: [.status(200, at: 1)], event: .fire, action: .none, state: .terminated),
        .init(path: [.status(200, at: 1), .fire], event: .status(200, at: 40_000), action: .none, state: .terminated),
    ]

    @Test("Figure 5 and RFC 6026 §7.2: INVITE client", arguments: figure5.indices)
    func inviteClient(index: Int) {
        let row = Self.figure5[index]
        var machine = InviteClientTransaction(timers: row.timers, now: .ms(0))
        func apply(_ event: Event) -> InviteClientTransaction.Action {
            switch event {
            case .status(let status, let time): machine.receive(StatusClass(status), now: .ms(time))
            case .fire: machine.deadline.map { machine.expire(now: $0) } ?? .none
            case .transport: machine.transportFailed()
            case .request, .ack, .respond: .none
            }
        }
        for event in row.path { _ = apply(event) }
        #expect(apply(row.event) == row.action)
        #expect(machine.state == row.state)
    }

    @Test("§17.1.1.2: timer A doubles from T1, timer B ends it after 64*T1, timer D lasts 32 s, timer M 64*T1")
    func inviteClientTimes() {
        var machine = InviteClientTransaction(timers: Timers(), now: .ms(0))
        var sent: [Double] = []
        while let deadline = machine.deadline {
            sent.append((deadline - .ms(0)).milliseconds)
            _ = machine.expire(now: deadline)
        }
        #expect(sent == [500, 1_500, 3_500, 7_500, 15_500, 31_500, 32_000])
        machine = InviteClientTransaction(timers: Timers(), now: .ms(0))
        _ = machine.receive(.failure, now: .ms(100))
        #expect(machine.deadline == .ms(32_100))
        machine = InviteClientTransaction(timers: Timers(), now: .ms(0))
        _ = machine.receive(.success, now: .ms(100))
        #expect(machine.deadline == .ms(32_100))
    }

    @Test("§9.1: a cancelled INVITE without a final response ends after 64*T1")
    func cancelled() {
        var machine = InviteClientTransaction(timers: Timers(), now: .ms(0))
        _ = machine.receive(.provisional, now: .ms(10))
        machine.cancelled(now: .ms(1_000))
        #expect(machine.deadline == .ms(33_000))
        #expect(machine.expire(now: .ms(33_000)) == .timedOut)
        #expect(machine.state == .terminated)
    }

    // MARK: Figure 6

    struct ClientRow: Sendable {
        let path: [Event]
        let event: Event
        let action: NonInviteClientTransaction.Action
        let state: NonInviteClientTransaction.State
        var timers = Timers()
    }

    static let figure6: [ClientRow] = [
        .init(path: [], event: .fire, action: .retransmit, state: .trying),
        .init(path: Array(repeating: .fire, count: 10), event: .fire, action: .timedOut, state: .terminated),
        .init(path: [], event: .fire, action: .timedOut, state: .terminated, timers: reliable),
        .init(path: [], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [], event: .status(100, at: 1), action: .deliver, state: .proceeding),
        .init(path: [], event: .status(200, at: 1), action: .deliver, state: .completed),
        .init(path: [], event: .status(500, at: 1), action: .deliver, state: .completed),
        .init(path: [], event: .status(200, at: 1), action: .deliver, state: .terminated, timers: reliable),
        .init(path: [.status(100, at: 1)], event: .status(100, at: 2), action: .deliver, state: .proceeding),
        .init(path: [.status(100, at: 1)], event: .fire, action: .retransmit, state: .proceeding),
        .init(
            path: [.status(100, at: 1)] + Array(repeating: .fire, count: 8), event: .fire, action: .timedOut, state: .terminated),
        .init(path: [.status(100, at: 1)], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [.status(100, at: 1)], event: .status(404, at: 2), action: .deliver, state: .completed),
        .init(path: [.status(200, at: 1)], event: .status(200, at: 2), action: .none, state: .completed),
        .init(path: [.status(200, at: 1)], event: .transport, action: .none, state: .completed),
        .init(path: [.status(200, at: 1)], event: .fire, action: .none, state: .terminated),
    ]

    @Test("Figure 6: non-INVITE client", arguments: figure6.indices)
    func client(index: Int) {
        let row = Self.figure6[index]
        var machine = NonInviteClientTransaction(timers: row.timers, now: .ms(0))
        func apply(_ event: Event) -> NonInviteClientTransaction.Action {
            switch event {
            case .status(let status, let time): machine.receive(StatusClass(status), now: .ms(time))
            case .fire: machine.deadline.map { machine.expire(now: $0) } ?? .none
            case .transport: machine.transportFailed()
            case .request, .ack, .respond: .none
            }
        }
        for event in row.path { _ = apply(event) }
        #expect(apply(row.event) == row.action)
        #expect(machine.state == row.state)
    }

    @Test("§17.1.2.2: timer E doubles up to T2, timer F ends it after 64*T1, timer K lasts T4")
    func clientTimes() {
        var machine = NonInviteClientTransaction(timers: Timers(), now: .ms(0))
        var sent: [Double] = []
        while let deadline = machine.deadline {
            sent.append((deadline - .ms(0)).milliseconds)
            _ = machine.expire(now: deadline)
        }
        #expect(sent == [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000])
        machine = NonInviteClientTransaction(timers: Timers(), now: .ms(0))
        _ = machine.receive(.success, now: .ms(100))
        #expect(machine.deadline == .ms(5_100))
    }

    // MARK: Figure 7

    struct InviteServerRow: Sendable {
        let path: [Event]
        let event: Event
        let action: InviteServerTransaction.Action
        let state: InviteServerTransaction.State
        var timers = Timers()
    }

    static let figure7: [InviteServerRow] = [
        .init(path: [], event: .request, action: .retransmit, state: .proceeding),
        .init(path: [], event: .respond(180, at: 1), action: .send, state: .proceeding),
        .init(path: [], event: .respond(200, at: 1), action: .send, state: .accepted),
        .init(path: [], event: .respond(404, at: 1), action: .send, state: .completed),
        .init(path: [], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [], event: .ack(at: 1), action: .none, state: .proceeding),
        .init(path: [.respond(404, at: 1)], event: .request, action: .retransmit, state: .completed),
        .init(path: [.respond(404, at: 1)], event: .fire, action: .retransmit, state: .completed),
        .init(
            path: [.respond(404, at: 1)] + Array(repeating: .fire, count: 10), event: .fire, action: .timedOut, state: .terminated
        ),
        .init(path: [.respond(404, at: 1)], event: .fire, action: .timedOut, state: .terminated, timers: reliable),
        .init(path: [.respond(404, at: 1)], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [.respond(404, at: 1)], event: .respond(200, at: 2), action: .none, state: .completed),
        .init(path: [.respond(404, at: 1)], event: .ack(at: 2), action: .none, state: .confirmed),
        .init(path: [.respond(404, at: 1)], event: .ack(at: 2), action: .none, state: .terminated, timers: reliable),
        .init(path: [.respond(404, at: 1), .ack(at: 2)], event: .ack(at: 3), action: .none, state: .confirmed),
        .init(path: [.respond(404, at: 1), .ack(at: 2)], event: .request, action: .none, state: .confirmed),
        .init(path: [.respond(404, at: 1), .ack(at: 2)], event: .fire, action: .none, state: .terminated),
        .init(path: [.respond(200, at: 1)], event: .request, action: .none, state: .accepted),
        .init(path: [.respond(200, at: 1)], event: .respond(200, at: 2), action: .send, state: .accepted),
        .init(path: [.respond(200, at: 1)], event: .respond(486, at: 2), action: .none, state: .accepted),
        .init(path: [.respond(200, at: 1)], event: .ack(at: 2), action: .deliver, state: .accepted),
        .init(path: [.respond(200, at: 1)], event: .transport, action: .none, state: .accepted),
        .init(path: [.respond(200, at: 1)], event: .fire, action: .none, state: .terminated),
    ]

    @Test("Figure 7 and RFC 6026 §7.1: INVITE server", arguments: figure7.indices)
    func inviteServer(index: Int) {
        let row = Self.figure7[index]
        var machine = InviteServerTransaction(timers: row.timers)
        func apply(_ event: Event) -> InviteServerTransaction.Action {
            switch event {
            case .respond(let status, let time): machine.respond(StatusClass(status), now: .ms(time))
            case .request: machine.receiveRequest()
            case .ack(let time): machine.receiveAcknowledgement(now: .ms(time))
            case .fire: machine.deadline.map { machine.expire(now: $0) } ?? .none
            case .transport: machine.transportFailed()
            case .status: .none
            }
        }
        for event in row.path { _ = apply(event) }
        #expect(apply(row.event) == row.action)
        #expect(machine.state == row.state)
    }

    @Test("§17.2.1: timer G doubles up to T2 until timer H, timer I lasts T4")
    func inviteServerTimes() {
        var machine = InviteServerTransaction(timers: Timers())
        _ = machine.respond(.failure, now: .ms(0))
        var sent: [Double] = []
        while let deadline = machine.deadline {
            sent.append((deadline - .ms(0)).milliseconds)
            _ = machine.expire(now: deadline)
        }
        #expect(sent == [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000])
        machine = InviteServerTransaction(timers: Timers())
        _ = machine.respond(.failure, now: .ms(0))
        _ = machine.receiveAcknowledgement(now: .ms(50))
        #expect(machine.deadline == .ms(5_050))
    }

    // MARK: Figure 8

    struct ServerRow: Sendable {
        let path: [Event]
        let event: Event
        let action: NonInviteServerTransaction.Action
        let state: NonInviteServerTransaction.State
        var timers = Timers()
    }

    static let figure8: [ServerRow] = [
        .init(path: [], event: .request, action: .none, state: .trying),
        .init(path: [], event: .respond(100, at: 1), action: .send, state: .proceeding),
        .init(path: [], event: .respond(200, at: 1), action: .send, state: .completed),
        .init(path: [], event: .respond(200, at: 1), action: .send, state: .terminated, timers: reliable),
        .init(path: [.respond(100, at: 1)], event: .request, action: .retransmit, state: .proceeding),
        .init(path: [.respond(100, at: 1)], event: .respond(100, at: 2), action: .send, state: .proceeding),
        .init(path: [.respond(100, at: 1)], event: .respond(404, at: 2), action: .send, state: .completed),
        .init(path: [.respond(100, at: 1)], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [.respond(200, at: 1)], event: .request, action: .retransmit, state: .completed),
        .init(path: [.respond(200, at: 1)], event: .respond(500, at: 2), action: .none, state: .completed),
        .init(path: [.respond(200, at: 1)], event: .transport, action: .transportFailed, state: .terminated),
        .init(path: [.respond(200, at: 1)], event: .fire, action: .none, state: .terminated),
    ]

    @Test("Figure 8: non-INVITE server; timer J lasts 64*T1", arguments: figure8.indices)
    func server(index: Int) {
        let row = Self.figure8[index]
        var machine = NonInviteServerTransaction(timers: row.timers)
        func apply(_ event: Event) -> NonInviteServerTransaction.Action {
            switch event {
            case .respond(let status, let time): machine.respond(StatusClass(status), now: .ms(time))
            case .request: machine.receiveRequest()
            case .fire: machine.deadline.map { machine.expire(now: $0) } ?? .none
            case .transport: machine.transportFailed()
            case .status, .ack: .none
            }
        }
        for event in row.path { _ = apply(event) }
        #expect(apply(row.event) == row.action)
        #expect(machine.state == row.state)
        if machine.state == .completed { #expect(machine.deadline.map { $0 > .ms(32_000) } == true) }
    }
}
