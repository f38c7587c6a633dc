import Bytes
import Contracts
import Deadlines
import Flow

/// Media streams of a leg: they sit with it, and follow it from room to room.
extension Leg {
    /// The stream that an `external_media_start` begins, named after its step, so that performing it twice makes one.
    func stream(_ option: ExternalMediaStart, step: Int) -> StreamSettings {
        let id = "part_" + record.id.dropFirst(5).prefix(10) + StableID.text(record.id, salt: "stream/\(step)", length: 16)
        var settings = StreamSettings(id: id, url: option.address)
        if let encapsulation = option.encapsulation { settings.encapsulation = StreamSettings.Encapsulation(rawValue: encapsulation.rawValue) ?? .json }
        settings.format = option.format?.rawValue ?? settings.format
        settings.listen = option.directionListen.flatMap { StreamSettings.Direction(rawValue: $0.rawValue) } ?? settings.listen
        settings.speak = option.directionSpeak.flatMap { StreamSettings.Direction(rawValue: $0.rawValue) } ?? settings.speak
        (settings.authorization, settings.secret) = (option.authorization, option.secret)
        if let data = option.data { settings.parameters = ["data": data] }
        return settings
    }

    mutating func streamStarted(_ settings: StreamSettings, at moment: Moment, into effects: inout [LegEffect]) {
        streams = (streams ?? []).filter { $0.id != settings.id } + [settings]
        streamSeat = streamSeat ?? seat.number
        finishStreamStart(settings.id, .completed, at: moment, into: &effects)
    }

    mutating func streamRefused(_ id: String, _ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) {
        forgetStream(id)
        let code = error.problems.first?.pointer == "/url" ? "address_refused" : error.code.rawValue
        finishStreamStart(id, .failed(code), at: moment, into: &effects)
    }

    /// It has ended by itself.
    mutating func forgetStream(_ id: String) {
        streams = streams?.filter { $0.id != id }
        if streams?.isEmpty != false { (streams, streamSeat) = (nil, nil) }
    }

    mutating func stopStreams(_ wanted: String? = nil, into effects: inout [LegEffect]) {
        for stream in streams ?? [] where wanted == nil || stream.id == wanted {
            effects.append(.stopStream(id: stream.id))
            forgetStream(stream.id)
        }
    }

    /// The leg sits somewhere else: its streams begin anew there.
    mutating func moveStreams(into effects: inout [LegEffect]) {
        guard let streams, streamSeat != seat.number else { return }
        streamSeat = seat.number
        for stream in streams { effects.append(.startStream(stream)) }
    }

    private mutating func finishStreamStart(
        _ id: String, _ outcome: Outcome, at moment: Moment, into effects: inout [LegEffect]
    ) {
        guard let performing, performing.isStarted, case .externalMediaStart(let option) = performing.action.kind,
            stream(option, step: performing.step).id == id
        else { return }
        finish(outcome, at: moment, into: &effects)
    }
}
