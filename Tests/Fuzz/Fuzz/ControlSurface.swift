import Addresses
import NG
import SDP

enum ControlSurface {
    /// A datagram of whoever controls a relay: what is read is written so that it is read the same, and a description that is passed on
    /// names no port but ours.
    static func message(_ bytes: [UInt8]) {
        guard let message = try? Message(parsing: bytes) else { return }
        precondition((try? Message(parsing: message.bytes)) == canonical(message), "what was written is read as something else")
        guard let request = try? Request(message.document), let description = try? SessionDescription.parse(request.sdp) else { return }
        let address = SocketAddress(.loopbackIPv4, port: 30_000)
        let streams = description.media.indices.map { index -> LocalStream? in
            guard let theirs = try? StreamDescription(description, index, request.options) else { return nil }
            var local = LocalStream(address: address, transport: request.options.transport?.rawValue ?? theirs.transport)
            local.formats = request.options.codecs.isEmpty ? nil : request.options.codecs.apply(to: theirs.formats, known: [.pcmu, .g722, .opus])
            return local.formats?.isEmpty == true ? nil : local
        }
        let passed = description.rewritten(streams, request.options)
        precondition(passed.media.count == description.media.count, "a media line has gone")
        for (media, stream) in zip(passed.media, streams) {
            precondition(media.port == (stream == nil ? 0 : 30_000), "a port of somebody else")
            precondition(!media.attributes.contains { $0.name == "candidate" || $0.name == "crypto" }, "a path or key of somebody else")
        }
        precondition((try? SessionDescription.parse(passed.bytes)) != nil, "what is passed on cannot be read:\n\(passed)")
    }

    /// JSON has no bytes that are no text: they are replaced as it is written.
    private static func canonical(_ message: Message) -> Message? {
        guard message.encoding == .json else { return message }
        guard case .dictionary(let document)? = try? Value(json: Value.dictionary(message.document).json) else { return nil }
        return Message(cookie: message.cookie, encoding: .json, document: document)
    }
}
