import Bytes
import Contracts
import MediaStream

/// What a stream may look like; every mistake is named.
enum StreamRules {
    static let mostParameters = 20
    private static let longestParameter = 1024

    struct Checked { let address: StreamAddress; let format: Format }

    static func check(_ settings: StreamSettings) throws(RPCError) -> Checked {
        var problems: [Problem] = []
        let format = Format(named: settings.format)
        if format == nil {
            let names = Format.all.map(\.name).joined(separator: ", ")
            problems.append(Problem(pointer: "/format", code: "invalid_value", detail: "a format is one of \(names)"))
        }
        var address: StreamAddress?
        do throws(SoundProblem) { address = try StreamAddress.parse(settings.url) } catch {
            problems.append(Problem(pointer: "/url", code: "invalid_value", detail: error.description))
        }
        if let address, address.host.utf8.count > 253 || address.host.contains("_") {
            problems.append(Problem(pointer: "/url", code: "invalid_value", detail: "the host's name is no host name"))
        }
        // It becomes a field of a request: no line ends, nothing that is not visible.
        if let authorization = settings.authorization,
            !(1...4096).contains(authorization.utf8.count) || !authorization.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        {
            problems.append(Problem(pointer: "/authorization", code: "invalid_value", detail: "visible ASCII, at most 4096 characters"))
        }
        if let secret = settings.secret, !(16...256).contains(secret.utf8.count) || !secret.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) {
            problems.append(Problem(pointer: "/secret", code: "invalid_value", detail: "16 to 256 visible ASCII characters"))
        }
        let tooLong = settings.parameters.contains { $0.key.utf8.count > 64 || $0.value.utf8.count > longestParameter }
        if settings.parameters.count > mostParameters || tooLong {
            problems.append(
                Problem(
                    pointer: "/parameters", code: "out_of_range",
                    detail: "at most \(mostParameters) with names of 64 and values of \(longestParameter) bytes"))
        }
        guard problems.isEmpty, let address, let format else { throw RPCError(.invalid, "the stream has mistakes", problems: problems) }
        return Checked(address: address, format: format)
    }

    static func refusal(_ pointer: String, _ code: String, _ detail: String) -> RPCError {
        RPCError(.invalid, "the stream cannot be begun", problems: [Problem(pointer: pointer, code: code, detail: detail)])
    }
}
