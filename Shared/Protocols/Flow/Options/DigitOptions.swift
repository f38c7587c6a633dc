/// `digits_receive`: waits for digits; they land in `voipbin.call.digits`, the ending key included.
public struct DigitsReceive: Sendable, Hashable, OptionFields {
    /// Milliseconds after which the flow goes on with what was pressed.
    public var duration = 10_000
    /// Any of these characters ends the input.
    public var key = ""
    /// This many digits end the input; 0 is "as many as come". Without it: 1, or 0 when `key` is given.
    public var length: Int?
    public var keys: KeyVisibility?

    public init() {}

    /// The number of digits that ends the input; nil when only a key or the time does.
    public var maximum: Int? {
        guard let length else { return key.isEmpty ? 1 : nil }
        return length > 0 ? length : nil
    }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.integer("duration", &duration, .optional, in: 0...3_600_000)
        visitor.digits("key", &key, .optional)
        visitor.integer("length", &length, in: 0...100)
        visitor.choice("keys", &keys)
    }
}

/// `digits_send`: sends telephone events to the far end.
public struct DigitsSend: Sendable, Hashable, OptionFields {
    public var digits = ""
    /// Milliseconds per digit.
    public var duration = 250
    /// Milliseconds between two digits.
    public var interval = 100

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.digits("digits", &digits, .required)
        visitor.integer("duration", &duration, .optional, in: 100...1000)
        visitor.integer("interval", &interval, .optional, in: 0...5000)
    }
}

extension DigitsReceive {
    /// The same, for so many digits; 0: as many as come.
    func with(length: Int) -> DigitsReceive {
        var option = self
        option.length = length
        return option
    }
}
