/// A line this module gives no meaning to (`i= u= e= p= b= t= r= z= k=` and letters of the future), kept as it came.
public struct Line: Hashable, Sendable {
    /// The letter before the equals sign.
    public var type: Character
    public var value: String

    public init(_ type: Character, _ value: String) { (self.type, self.value) = (type, value) }
}
