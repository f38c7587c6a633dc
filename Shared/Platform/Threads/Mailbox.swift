internal import CLinux
internal import Glibc
internal import Synchronization

/// Letters from any thread to one reader, which polls `descriptor`. However many arrive, the reader is woken once.
///
/// A hundred letters between two looks into the box cost one system call, not a hundred.
struct Mailbox<Letter: Sendable>: ~Copyable, Sendable {
    private struct Contents: Sendable {
        var letters: [Letter] = []
        var isReaderAwake = false
        var isClosed = false
    }

    let descriptor: Int32
    private let capacity: Int
    private let contents = Mutex(Contents())

    init(capacity: Int = .max) {
        descriptor = tandem_eventfd()
        precondition(descriptor >= 0, "no descriptor left for a thread's mailbox: raise the limit of open files (ulimit -n)")
        self.capacity = capacity
    }

    deinit { Glibc.close(descriptor) }

    var count: Int { contents.withLock { $0.letters.count } }
    var isEmpty: Bool { contents.withLock { $0.letters.isEmpty } }

    /// False when the box is full or closed: the letter was not taken.
    @discardableResult
    func put(_ letter: Letter) -> Bool {
        let (isTaken, mustWake) = contents.withLock { contents in
            guard !contents.isClosed, contents.letters.count < capacity else { return (false, false) }
            contents.letters.append(letter)
            defer { contents.isReaderAwake = true }
            return (true, !contents.isReaderAwake)
        }
        if mustWake { tandem_eventfd_add(descriptor) }
        return isTaken
    }

    /// Wakes the reader without a letter.
    func wake() { tandem_eventfd_add(descriptor) }

    /// No letter is taken from now on; those inside can still be read.
    func close() {
        contents.withLock { $0.isClosed = true }
        wake()
    }

    /// Reader only: exchanges the letters for an emptied array, whose memory is used again.
    func take(into letters: inout [Letter]) {
        letters.removeAll(keepingCapacity: true)
        contents.withLock { swap(&$0.letters, &letters) }
    }

    /// Reader only, before it sleeps: true when nothing is inside, and the next letter will wake it.
    func prepareToSleep() -> Bool {
        contents.withLock { contents in
            guard contents.letters.isEmpty else { return false }
            contents.isReaderAwake = false
            return true
        }
    }

    /// Reader only, after `descriptor` became readable.
    func clearWake() { tandem_eventfd_clear(descriptor) }
}
