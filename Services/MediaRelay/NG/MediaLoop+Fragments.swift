import Deadlines
import NG
import SDP

/// Candidates that a side has found after its description (RFC 8840 §9), and by which tag its signalling names it.
struct Fragment: Hashable, Sendable {
    let tag: String
    let description: SessionDescription
}

/// Fragments that are here before their call: signalling may bring an INFO on a faster way than the INVITE.
struct StrayFragments {
    private struct Stray {
        let callID: String
        let fragment: Fragment
        let until: Instant
    }

    private static let most = 256
    private var strays: [Stray] = []

    mutating func keep(_ fragment: Fragment, of callID: String, until end: Instant, now: Instant) {
        strays.removeAll { $0.until <= now }
        if strays.count >= Self.most { strays.removeFirst() }
        strays.append(Stray(callID: callID, fragment: fragment, until: end))
    }

    /// Those of a call that there is now.
    mutating func take(_ callID: String, now: Instant) -> [Fragment] {
        guard !strays.isEmpty else { return [] }
        strays.removeAll { $0.until <= now }
        let found = strays.filter { $0.callID == callID }.map(\.fragment)
        if !found.isEmpty { strays.removeAll { $0.callID == callID } }
        return found
    }
}

extension MediaLoop {
    /// An `offer` or `answer` of a `fragment`: candidates of whoever sends it. What does not fit what is known by now waits for a description
    /// that it fits.
    func trickle(_ request: Request) throws(NGRefusal) -> Reply {
        // An answer names who has offered first.
        let sender = request.command == .answer ? request.toTag : request.fromTag
        let description: SessionDescription
        do throws(SDP.ParseError) {
            description = try SessionDescription.parse(trickled: request.sdp)
        } catch {
            throw NGRefusal("the fragment cannot be read: \(error)")
        }
        let fragment = Fragment(tag: sender ?? "", description: description)
        guard let call = attended(request.callID) else {
            strays.keep(fragment, of: request.callID, until: loop.now + settings.ng.fragmentsKept, now: loop.now)
            return .ok()
        }
        // Another branch of the call may want them, too.
        call.keep(fragment)
        take(fragment, of: call)
        return .ok()
    }

    /// After a description: candidates that were here before it.
    func takeFragments(of call: Call) {
        for fragment in strays.take(call.id, now: loop.now) { call.keep(fragment) }
        for fragment in call.fragments { take(fragment, of: call) }
    }

    private func take(_ fragment: Fragment, of call: Call) {
        for dialogue in call.dialogues {
            for side in 0...1 where dialogue.parties[side].has(fragment.tag) {
                for stream in dialogue.streams where stream.legs.count == 2 {
                    take(fragment.description, of: stream.sides[side], on: stream.legs[side])
                }
            }
        }
    }

    private func take(_ fragment: SessionDescription, of side: StreamSide, on leg: Leg) {
        guard let remote = side.remote, let local = side.local, let theirs = fragment.trickled(for: remote.mid),
            take(theirs, on: leg, at: local.address.address)
        else { return }
        tend(leg)
    }
}

extension Call {
    /// Of both sides, with those of forks that have not answered yet.
    private static let mostFragments = 32

    func keep(_ fragment: Fragment) {
        fragments.keep(fragment, most: Self.mostFragments, of: \.tag)
    }
}
