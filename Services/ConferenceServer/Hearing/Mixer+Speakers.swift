import Audio
import Hearing

// Who dominates a conference, where its policy wants that told.
extension Mixer {
    /// How much this tick's frame says for its seat.
    mutating func weigh(_ slot: Int) {
        guard seats[slot].isSpeaking else { return seats[slot].attendance.dominance.hear(amplitude: 0) }
        let offset = slot * Samples.frame
        Sound.decode(codes, at: offset, into: &linear)
        var sum = 0
        for index in offset..<(offset + Samples.frame) { sum += abs(Int(linear[index])) }
        seats[slot].attendance.dominance.hear(amplitude: sum / Samples.frame)
    }

    /// Every 100 ms.
    mutating func lookAtSpeakers(of room: Int, _ meeting: Meeting) {
        rooms[room].weighsSpeakers = meeting.rules.policy.speakerEvents
        guard meeting.rules.policy.speakerEvents else { return }
        var speaker = meeting.speaker
        let seats = seats
        let scores = rooms[room].seats.lazy.filter { seats[$0].isInside }.map { (id: $0, score: seats[$0].attendance.dominance.score) }
        let changed = speaker.look(scores)
        rooms[room].meeting?.speaker = speaker
        if changed, let slot = speaker.current { report(.speaker, slot: slot) }
    }
}
