import MediaSession
import Processes

/// Where the sessions of one media thread stand, packet by packet, in memory that outlives the process.
final class Shelf: Sendable {
    /// Tells one form of what lies there from another: a successor of another version takes none of it for its own.
    static let layout = "5/\(MemoryLayout<SessionPosition>.size)/\(MemoryLayout<SessionTally>.size)/\(MemoryLayout<MediaTransport.KeyPosition>.size)"

    private static let positionRoom = SharedMemory.room(MemoryLayout<SessionPosition>.size)
    private static let tallyRoom = SharedMemory.room(MemoryLayout<SessionTally>.size)
    private static let keyRoom = SharedMemory.room(MemoryLayout<MediaTransport.KeyPosition>.size)
    static let room = positionRoom + tallyRoom + 2 * keyRoom

    private static func offset(_ port: Security.Port) -> Int { positionRoom + tallyRoom + (port == .rtp ? 0 : keyRoom) }

    let memory: SharedMemory
    let slots: Int

    /// For so many sessions; nil when the system has no memory.
    init?(slots: Int) {
        guard let memory = SharedMemory(name: "tandem-sessions", size: slots * Self.room + Self.journalRoom) else { return nil }
        (self.memory, self.slots) = (memory, slots)
    }

    init?(adopting descriptor: Descriptor, slots: Int) {
        guard let memory = SharedMemory(adopting: descriptor, size: slots * Self.room + Self.journalRoom) else { return nil }
        (self.memory, self.slots) = (memory, slots)
    }

    /// The place of a session by its name in the slot table.
    private func place(_ name: UInt32) -> Int? {
        let index = Int(name & 0xffff)
        return index < slots ? index * Self.room : nil
    }

    func write(_ position: SessionPosition, of name: UInt32) {
        guard let place = place(name) else { return }
        unsafe withUnsafeBytes(of: position) { unsafe memory.write($0, at: place) }
    }

    func write(_ tally: SessionTally, of name: UInt32) {
        guard let place = place(name) else { return }
        unsafe withUnsafeBytes(of: tally) { unsafe memory.write($0, at: place + Self.positionRoom) }
    }

    func write(_ position: MediaTransport.KeyPosition, _ port: Security.Port, of name: UInt32) {
        guard let place = place(name) else { return }
        unsafe withUnsafeBytes(of: position) { unsafe memory.write($0, at: place + Self.offset(port)) }
    }

    func clear(_ name: UInt32) {
        guard let place = place(name) else { return }
        memory.clear(at: place)
        memory.clear(at: place + Self.positionRoom)
        memory.clear(at: place + Self.offset(.rtp))
        memory.clear(at: place + Self.offset(.rtcp))
    }

    /// Where a session stood; nil when it has never been written. `blank`: any.
    func position(of name: UInt32, over blank: SessionPosition) -> SessionPosition? {
        guard let place = place(name) else { return nil }
        var position = blank
        return unsafe withUnsafeMutableBytes(of: &position) { unsafe memory.read(into: $0, at: place) } ? position : nil
    }

    func tally(of name: UInt32, over blank: SessionTally) -> SessionTally? {
        guard let place = place(name) else { return nil }
        var tally = blank
        return unsafe withUnsafeMutableBytes(of: &tally) { unsafe memory.read(into: $0, at: place + Self.positionRoom) } ? tally : nil
    }

    func keyPosition(_ port: Security.Port, of name: UInt32) -> MediaTransport.KeyPosition? {
        guard let place = place(name) else { return nil }
        var position = MediaTransport.KeyPosition()
        return unsafe withUnsafeMutableBytes(of: &position) { unsafe memory.read(into: $0, at: place + Self.offset(port)) } ? position : nil
    }
}
