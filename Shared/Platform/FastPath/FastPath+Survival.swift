internal import CLinux
internal import Glibc

// The kernel forwards as long as some process has the descriptors: another one may hold them while this one dies.
extension FastPath {
    /// Tells one form of what lies in the table from another.
    public static let layout = "2/\(MemoryLayout<tandem_flow_key>.size)/\(MemoryLayout<tandem_flow>.size)"

    /// What has to stay open: two tables, and then what is attached to each interface. This object goes on owning them.
    public var descriptors: [Int32] { [tables.ways, tables.streams] + links }

    /// The streams of a predecessor, as they go on.
    public final class Legacy: Sendable {
        private let tables: Tables

        /// Of another's `descriptors` the first two; they are this object's from here on.
        public init(owning ways: Int32, _ streams: Int32) { tables = Tables(ways: ways, streams: streams) }

        deinit { for descriptor in [tables.ways, tables.streams] { close(descriptor) } }

        /// From the next packet on everything goes to the socket.
        public func end(_ way: Way) -> Progress? { tables.remove(way).flatMap { tables.progress($0) } }
    }
}
