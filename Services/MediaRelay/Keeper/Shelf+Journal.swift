import Addresses
import Datagrams
import Processes

// What a media thread has in its hands between one system call and the next: read, and not sent yet. Whoever comes after it sends it.
extension Shelf {
    /// A batch of datagrams.
    enum Book: Int, CaseIterable {
        /// Read from rooms, for phones.
        case fromRooms
        /// Of phones, for rooms, waiting for the end of the turn.
        case toRooms
    }

    /// Of the datagrams of a book, which are still in hand.
    struct Marks: BitwiseCopyable {
        var first: UInt32 = 0
        var end: UInt32 = 0
    }

    private struct Head: BitwiseCopyable {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var port: UInt16 = 0
        var isIPv4 = false
        /// Of what follows.
        var length: UInt16 = 0

        init() {}

        init(_ address: SocketAddress, length: Int) {
            (high, low, port, isIPv4) = (address.address.high, address.address.low, address.port, address.address.isIPv4)
            self.length = UInt16(clamping: length)
        }

        var address: SocketAddress {
            SocketAddress(isIPv4 ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : IPAddress(v6High: high, v6Low: low), port: port)
        }
    }

    /// A packet of sound of 20 ms takes 172 bytes; what is longer than a place is not kept.
    private static let place = 512
    private static let headRoom = (MemoryLayout<Head>.size + 7) / 8 * 8
    private static let places = 64
    private static let marksRoom = SharedMemory.room(MemoryLayout<Marks>.size)
    private static let bookRoom = marksRoom + places * place
    static let journalRoom = bookRoom * Book.allCases.count

    private func offset(_ book: Book) -> Int { slots * Self.room + book.rawValue * Self.bookRoom }
    private func offset(_ book: Book, _ index: Int) -> Int { offset(book) + Self.marksRoom + index * Self.place }

    /// Those from `first` to before `end` are in hand.
    func mark(_ book: Book, _ first: Int, _ end: Int) {
        let marks = Marks(first: UInt32(clamping: first), end: UInt32(clamping: end))
        unsafe withUnsafeBytes(of: marks) { unsafe memory.write($0, at: offset(book)) }
    }

    func write(_ datagram: Span<UInt8>, _ address: SocketAddress, _ book: Book, at index: Int) {
        guard index >= 0, index < Self.places else { return }
        let isKept = datagram.count <= Self.place - Self.headRoom
        let (head, start) = (Head(address, length: isKept ? datagram.count : 0), offset(book, index))
        unsafe withUnsafeBytes(of: head) { unsafe memory.store($0, at: start) }
        guard isKept else { return }
        unsafe datagram.withUnsafeBytes { unsafe memory.store($0, at: start + Self.headRoom) }
    }

    /// All that was just read.
    func write(_ batch: borrowing ReceiveBatch) {
        for index in 0..<batch.count { write(batch[index].bytes, batch[index].source, .fromRooms, at: index) }
        mark(.fromRooms, 0, batch.count)
    }

    /// What a predecessor had in hand. From now on nothing is.
    func takeOver(_ book: Book) -> [(bytes: [UInt8], address: SocketAddress)] {
        var marks = Marks()
        guard unsafe withUnsafeMutableBytes(of: &marks, { unsafe memory.read(into: $0, at: offset(book)) }) else { return [] }
        defer { mark(book, 0, 0) }
        let (first, end) = (Int(marks.first), min(Int(marks.end), Self.places))
        guard first < end else { return [] }
        return (first..<end).compactMap { index in
            var head = Head()
            unsafe withUnsafeMutableBytes(of: &head) { unsafe memory.load(into: $0, at: offset(book, index)) }
            let length = Int(head.length)
            guard length > 0, length <= Self.place - Self.headRoom else { return nil }
            var bytes = [UInt8](repeating: 0, count: length)
            unsafe bytes.withUnsafeMutableBytes { unsafe memory.load(into: $0, at: offset(book, index) + Self.headRoom) }
            return (bytes, head.address)
        }
    }
}
