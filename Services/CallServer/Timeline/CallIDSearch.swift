import Bytes

/// The Call-ID of a message that was written here, or nil.
enum CallIDSearch {
    private static let name = Array("call-id:".utf8)

    static func callID(in bytes: [UInt8]) -> String? {
        var start = 0
        while start < bytes.count {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\r")), end > start else { return nil }
            if end - start > name.count, ASCII.lowercased(bytes[start]) == name[0],
                zip(bytes[start..<(start + name.count)], name).allSatisfy({ ASCII.lowercased($0) == $1 })
            {
                var value = start + name.count
                while value < end, bytes[value] == UInt8(ascii: " ") { value += 1 }
                return String(decoding: bytes[value..<end], as: UTF8.self)
            }
            start = end + 2
        }
        return nil
    }
}
