public import Addresses
internal import Bytes

extension URI {
    /// The user part with its escapes resolved, for looking up an extension; nil when there is none.
    public var decodedUser: String? { user.map(Self.unescaped) }

    /// `lr`: the hop routes loosely (§16.4).
    public var isLooseRouter: Bool { parameters.contains("lr") }

    /// The address to send to when the host is one: `maddr` first, then host and port (5060, or 5061 for `sips`).
    /// Nil for a name: resolving is not the business of this module.
    public var socketAddress: SocketAddress? {
        guard opaque == nil, let address = IPAddress(parameters["maddr"] ?? host) else { return nil }
        return SocketAddress(address, port: port ?? (scheme == "sips" ? 5061 : 5060))
    }

    /// The rules of §19.1.4: escapes are equal to what they stand for, host and parameter names have no case, user has; of the
    /// parameters only `user`, `ttl`, `method`, `maddr` and `transport` must be in both or in neither.
    public func isEquivalent(to other: URI) -> Bool {
        guard scheme == other.scheme, opaque == other.opaque, port == other.port,
            user.map(Self.unescaped) == other.user.map(Self.unescaped),
            password.map(Self.unescaped) == other.password.map(Self.unescaped),
            ASCII.equalsIgnoringCase(host, other.host) || sameAddress(as: other),
            Self.headerSet(headers) == Self.headerSet(other.headers)
        else { return false }
        return parametersAllow(other) && other.parametersAllow(self)
    }

    private func sameAddress(as other: URI) -> Bool {
        guard let mine = IPAddress(host), let theirs = IPAddress(other.host) else { return false }
        return mine == theirs
    }

    private func parametersAllow(_ other: URI) -> Bool {
        parameters.list.allSatisfy { parameter in
            if let match = other.parameters.list.first(where: { ASCII.equalsIgnoringCase($0.name, parameter.name) }) {
                return ASCII.equalsIgnoringCase(Self.unescaped(match.value ?? ""), Self.unescaped(parameter.value ?? ""))
            }
            return !["user", "ttl", "method", "maddr", "transport"].contains(parameter.name.lowercased())
        }
    }

    private static func headerSet(_ headers: String?) -> Set<String> {
        Set((headers ?? "").split(separator: "&").map { unescaped(String($0)).lowercased() })
    }

    static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = Hexadecimal.decode(bytes[index + 1...index + 2])?.first
            {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Escapes whatever may not stand in a user part (§25.1 `user`), so that any text can be dialled.
    public static func escapedUser(_ text: some StringProtocol) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            if ASCII.isLetter(byte) || ASCII.isDigit(byte) || "-_.!~*'()&=+$,;?/".utf8.contains(byte) {
                result.append(byte)
            } else {
                result += Array("%\(Hexadecimal.encode([byte]).uppercased())".utf8)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
