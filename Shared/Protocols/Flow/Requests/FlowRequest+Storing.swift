/// A request as it is kept until somebody has taken it.
extension FlowRequest {
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "url": .string(url), "method": .string(method.rawValue), "headers": .object(headers.mapValues(JSONValue.string)),
            "timeout": .integer(Int64(timeout)), "retries": .integer(Int64(retries)), "number": .integer(Int64(number)),
        ]
        members["body"] = body.map(JSONValue.string)
        members["content_type"] = contentType.map(JSONValue.string)
        return .object(members)
    }

    public init?(json: JSONValue) {
        guard let url = json["url"]?.string, let method = json["method"]?.string.flatMap(RequestMethod.init(rawValue:)), let headers = json["headers"]?.object,
            let timeout = json["timeout"]?.integer, let retries = json["retries"]?.integer, let number = json["number"]?.integer
        else { return nil }
        self.init(
            url: url, method: method, headers: headers.compactMapValues(\.string), body: json["body"]?.string,
            contentType: json["content_type"]?.string, timeout: Int(clamping: timeout), retries: Int(clamping: retries), number: Int(clamping: number))
    }
}
