/// Whether and how a call is recorded.
public struct RecordingOptions: Hashable, Sendable {
    /// What of the two sides goes into which file.
    public enum Form: String, Hashable, Sendable, CaseIterable {
        /// One file for a line, with a channel for each side.
        case stereo
        /// One file, the sum of both.
        case mixed
        /// A file for each side.
        case single
        /// The packets as they came, without their protection.
        case pcap
    }

    /// From this description on; nil: as before.
    public var isWanted: Bool?
    /// Nil: the relay's own.
    public var form: Form?
    /// What files are called in place of the call's name.
    public var name: String?

    public init() {}

    /// Nil for a key that is none of these; false when its value is none.
    mutating func take(_ key: String, _ value: Value) -> Bool? {
        switch key {
        case "record-call":
            guard let truth = Options.truth(value) else { return false }
            isWanted = truth
        case "recording-form":
            guard let wanted = value.text.flatMap({ Form(rawValue: Request.key($0)) }) else { return false }
            form = wanted
        case "output-destination", "recording-file": name = value.text
        // Files are found by their names and times; nothing else is kept of a call.
        case "metadata", "recording-metadata": break
        default: return nil
        }
        return true
    }
}
