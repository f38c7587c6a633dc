import Deadlines

/// What a room's server took for a while of it, whoever's server it is.
struct RoomMeasure {
    let name: String
    let participants: Int
    let talkers: Int
    /// Of processors.
    let time: Interval
    let passed: Interval

    var subject: String { "\(name) of \(participants), \(talkers) talking" }

    func cost(target: String) -> Figure {
        let frames = Double(passed.nanoseconds) / 20_000_000 * Double(participants)
        let each = Double(time.nanoseconds) / 1000 / frames
        let share = Int((Double(time.nanoseconds) / Double(passed.nanoseconds) * 100).rounded())
        return Figure(subject: "\(subject): CPU per participant and 20 ms", value: "\((each * 100).rounded() / 100) us, \(share) % of a processor", target: target)
    }

    func quality(_ heard: RoomRelay.Heard) -> Figure {
        let wanted = Int(passed.nanoseconds / 20_000_000) * participants
        let missing = Double(max(0, wanted - heard.packets)) / Double(wanted) * 100
        let sample = Sample(heard.gaps)
        return Figure(
            subject: "\(subject): frames heard",
            value: "\((missing * 100).rounded() / 100) % missing, gap p99 \(Sample.milliseconds(sample.percentile(0.99), 1)) ms, "
                + "\(heard.silent) heard nothing, generator \(heard.late) late",
            target: "< 1 %, < 40 ms")
    }
}
