import Addresses
import Deadlines
import FastPath
import Foundation
import MediaSession
import NG
import RTP
import SDP
import Testing

@testable import MediaRelay

private enum Kernel {
    static let allowsFastPaths = (try? FastPath(ports: NGRelay.ports, streams: 1)) != nil
}

/// What a call has of it that the kernel forwards its packets: nothing but speed.
@Suite(
    "MediaRelay: calls whose packets go by the fast path",
    .enabled(if: Kernel.allowsFastPaths, "CAP_BPF, CAP_NET_ADMIN and Linux 6.6 are needed"))
struct FastPathCallTests {
    private let relay: NGRelay
    private let caller: Ear
    private let callee: Ear
    /// Where each sends to.
    private let callerSide: UInt16
    private let calleeSide: UInt16

    init() async throws {
        relay = try NGRelay(isRecording: true, fastPath: FastPath(ports: NGRelay.ports, streams: 100))
        (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe("offer", Self.sdp(caller.port))
        let answer = try await relay.describe("answer", Self.sdp(callee.port), ["to-tag": .text("b")])
        (callerSide, calleeSide) = (answer.media[0].port, offer.media[0].port)
    }

    private static func sdp(_ port: UInt16) -> String {
        ["v=0", "o=bob 7 3 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(port) RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000"]
            .map { $0 + "\r\n" }.joined()
    }

    private func packet(_ sequence: UInt16, payloadType: UInt8 = 0, ssrc: UInt32 = 5, count: Int = 160) -> [UInt8] {
        var bytes: [UInt8] = []
        Header(
            payloadType: PayloadType(payloadType), sequence: SequenceNumber(sequence), timestamp: Timestamp(UInt32(sequence) * 160), ssrc: SSRC(ssrc)
        ).append(to: &bytes)
        return bytes + (0..<count).map { UInt8(truncatingIfNeeded: Int(sequence) &* 3 &+ $0) }
    }

    /// These packets of the caller are heard by the callee, one after the other, as they are.
    private func passes(_ sequences: ClosedRange<UInt16>, payloadType: UInt8 = 0, count: Int = 160) async throws {
        for sequence in sequences {
            let sent = packet(sequence, payloadType: payloadType, count: count)
            caller.send(sent, to: callerSide)
            #expect(try await callee.hears() == sent, "\(sequence)")
        }
    }

    private func answers(_ sequences: ClosedRange<UInt16>) async throws {
        for sequence in sequences {
            callee.send(packet(sequence, ssrc: 9), to: calleeSide)
            #expect(try await caller.hears() == packet(sequence, ssrc: 9), "\(sequence)")
        }
    }

    private func total(_ reply: [String: Value], _ what: String) -> Value? { reply["totals"]?["RTP"]?[what] }

    @Test("RFC 3550: packets pass unchanged both ways, and every one of them is counted, with how they came")
    func counts() async throws {
        try await passes(100...110)
        try await answers(900...930)
        try await passes(111...130)
        #expect(await relay.loop.fastStreams == 2)
        let reply = try await relay.ask("query")
        #expect(total(reply, "packets") == .integer(62) && total(reply, "bytes") == .integer(62 * 172))
        try await passes(131...160)
        #expect(await relay.loop.fastStreams == 1)
        let deleted = try await relay.ask("delete", ["to-tag": .text("b")])
        #expect(total(deleted, "packets") == .integer(92))
        caller.send(packet(161), to: callerSide)
        #expect(try await callee.hearsNothing())
    }

    @Test("RFC 3550 A.3: a packet that is missing is counted as lost, whoever forwards those around it; what goes round goes on")
    func losses() async throws {
        try await passes(65_450...65_520)
        try await passes(65_522...65_535)
        try await passes(0...40)
        #expect(await relay.loop.fastStreams == 1)
        let statistics = await relay.loop.received(ssrc: 5)
        // The first packet of a source is on probation (A.1).
        #expect(statistics?.packets == 126 && statistics?.lost == 1)
    }

    @Test("RFC 4733: keys, reports and what is longer pass in their place between the packets of sound")
    func inOrder() async throws {
        try await passes(1...30)
        try await passes(31...33, payloadType: 101, count: 4)
        try await passes(34...60)
        try await passes(61...62, count: 320)
        try await passes(63...140)
        #expect(await relay.loop.fastStreams == 1)
        #expect(total(try await relay.ask("query"), "packets") == .integer(140))
    }

    @Test("RELIABILITY V1: a stranger's packets are not forwarded; another SSRC of the phone's is the phone, and known as such")
    func strangers() async throws {
        try await passes(1...60)
        let stranger = try Ear()
        for number in 61...70 { stranger.send(packet(UInt16(number)), to: callerSide) }
        #expect(try await callee.hearsNothing())
        for number in UInt16(1)...20 {
            caller.send(packet(number, ssrc: 77), to: callerSide)
            #expect(try await callee.hears() == packet(number, ssrc: 77))
        }
        #expect(await relay.loop.received(ssrc: 77)?.lost == 0)
    }

    @Test("What is blocked is blocked from the next packet on, and what is let through goes on")
    func gates() async throws {
        try await passes(1...40)
        #expect(try await relay.ask("block media")["result"] == .text("ok"))
        for number in 41...60 { caller.send(packet(UInt16(number)), to: callerSide) }
        #expect(try await callee.hearsNothing())
        #expect(await relay.loop.fastStreams == 0)
        #expect(try await relay.ask("unblock media")["result"] == .text("ok"))
        try await passes(61...90)
        #expect(await relay.loop.fastStreams == 1)
    }

    @Test("While a call is recorded, every packet of it comes to the relay")
    func recording() async throws {
        try await passes(1...40)
        #expect(try await relay.ask("start recording", ["record-call": .text("on")])["result"] == .text("ok"))
        try await passes(41...90)
        #expect(await relay.loop.fastStreams == 0)
        #expect(try await relay.ask("stop recording")["result"] == .text("ok"))
        try await passes(91...120)
        #expect(await relay.loop.fastStreams == 1)
    }

    @Test("RFC 3264: after an offer the phone is met where it says from now on")
    func moves() async throws {
        try await passes(1...40)
        let moved = try Ear()
        _ = try await relay.describe("offer", Self.sdp(caller.port), ["to-tag": .text("b")])
        _ = try await relay.describe("answer", Self.sdp(moved.port), ["to-tag": .text("b")])
        for sequence in UInt16(41)...UInt16(80) {
            caller.send(packet(sequence), to: callerSide)
            #expect(try await moved.hears() == packet(sequence), "\(sequence)")
        }
        #expect(await relay.loop.fastStreams == 1)
    }
}

extension MediaLoop {
    /// How many streams the kernel forwards.
    fileprivate var fastStreams: Int { (0..<legs.end).count { legs[place: $0]?.fast.passage != nil } }

    /// What was heard of a source, after all is known of it.
    fileprivate func received(ssrc: UInt32) -> StreamQuality? {
        for index in 0..<legs.end {
            guard let leg = legs[place: index], leg.session.latch.locked?.ssrc.value == ssrc else { continue }
            leaveFastPath(leg)
            return leg.session.statistics.received
        }
        return nil
    }
}
