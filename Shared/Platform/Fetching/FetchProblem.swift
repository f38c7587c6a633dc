/// Why nothing was fetched, for whoever asked for it.
public struct FetchProblem: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
