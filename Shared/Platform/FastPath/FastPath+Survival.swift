internal import CLinux
internal import Glibc

// The kernel forwards as long as some process has the descriptors: another one may hold them while this one dies.
extension FastPath {
    /// Tells one form of what lies in the table from another.
    public static let layout = "1/\(MemoryLayout<tandem_flow_key>.size)/\(MemoryLayout<tandem_flow>.size)"

    /// What has to stay open: the table, and then what is attached to each interface. This object goes on owning them.
    public var descriptors: [Int32] { [table] + links }

    /// The streams of a predecessor, as they go on.
    public final class Legacy: Sendable {
        private let table: Int32

        /// Of another's `descriptors` the first; it is this object's from here on.
        public init(owning table: Int32) { self.table = table }

        deinit { close(table) }

        /// From the next packet on everything goes to the socket.
        public func end(_ way: Way) -> Progress? { FastPath.end(way, table) }
    }

    static func end(_ way: Way, _ table: Int32) -> Progress? {
        guard var key = way.key else { return nil }
        var flow = tandem_flow()
        return unsafe tandem_map_take(table, &key, &flow) == 0 ? Progress(flow) : nil
    }
}
