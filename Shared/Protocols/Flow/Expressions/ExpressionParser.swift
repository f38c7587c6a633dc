/// Reads an expression by recursive descent, one function per line of the grammar:
///
///     expression = choice
///     choice     = either [ "?" expression ":" expression ]
///     either     = both *( ( "||" / "or" ) both )
///     both       = not *( ( "&&" / "and" ) not )
///     not        = [ "!" / "not" ] comparison
///     comparison = sum [ ( "==" / "!=" / "<=" / "<" / ">=" / ">" / "in" ) sum ]
///     sum        = product *( ( "+" / "-" ) product )
///     product    = sign *( ( "*" / "/" / "%" ) sign )
///     sign       = [ "-" ] primary
///     primary    = number / string / "true" / "false" / "null" / function "(" [ arguments ] ")" / variable / list / "(" expression ")"
///     list       = "[" [ arguments ] "]"
///     arguments  = expression *( "," expression )
///     variable   = path / "${" path "}"
///     path       = name *( "." name / "[" number "]" / "[" string "]" )
struct ExpressionParser {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func whole() throws(Expression.Mistake) -> Expression.Node {
        let node = try expression()
        skipSpaces()
        guard position == bytes.count else { throw mistake("this cannot stand here") }
        return node
    }

    private func mistake(_ reason: String) -> Expression.Mistake { Expression.Mistake(reason: reason, offset: position) }

    private mutating func expression() throws(Expression.Mistake) -> Expression.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Expression.deepest else { throw mistake("this is nested too deeply") }
        let condition = try either()
        guard take("?") else { return condition }
        let yes = try expression()
        guard take(":") else { throw mistake("':' is expected here") }
        return .choice(condition, yes, try expression())
    }

    private mutating func either() throws(Expression.Mistake) -> Expression.Node {
        var node = try both()
        while take("||") || takeWord("or") { node = .either(node, try both()) }
        return node
    }

    private mutating func both() throws(Expression.Mistake) -> Expression.Node {
        var node = try not()
        while take("&&") || takeWord("and") { node = .both(node, try not()) }
        return node
    }

    private mutating func not() throws(Expression.Mistake) -> Expression.Node {
        if isNext("!"), !isNext("!="), take("!") { return .not(try deeper { parser throws(Expression.Mistake) in try parser.not() }) }
        if takeWord("not") { return .not(try deeper { parser throws(Expression.Mistake) in try parser.not() }) }
        return try comparison()
    }

    private mutating func comparison() throws(Expression.Mistake) -> Expression.Node {
        let left = try sum()
        for comparison in [Comparison.equal, .notEqual, .lessOrEqual, .greaterOrEqual, .less, .greater] where take(comparison.rawValue) {
            return .compare(comparison, left, try sum())
        }
        if takeWord("in") { return .contained(left, in: try sum()) }
        return left
    }

    private mutating func sum() throws(Expression.Mistake) -> Expression.Node {
        var node = try product()
        while true {
            if take("+") {
                node = .arithmetic(.add, node, try product())
            } else if take("-") {
                node = .arithmetic(.subtract, node, try product())
            } else {
                return node
            }
        }
    }

    private mutating func product() throws(Expression.Mistake) -> Expression.Node {
        var node = try sign()
        while true {
            if take("*") {
                node = .arithmetic(.multiply, node, try sign())
            } else if take("/") {
                node = .arithmetic(.divide, node, try sign())
            } else if take("%") {
                node = .arithmetic(.remainder, node, try sign())
            } else {
                return node
            }
        }
    }

    private mutating func sign() throws(Expression.Mistake) -> Expression.Node {
        guard take("-") else { return try primary() }
        return .negative(try deeper { parser throws(Expression.Mistake) in try parser.sign() })
    }

    private mutating func deeper(
        _ body: (inout ExpressionParser) throws(Expression.Mistake) -> Expression.Node
    ) throws(Expression.Mistake) -> Expression.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Expression.deepest else { throw mistake("this is nested too deeply") }
        return try body(&self)
    }

    private mutating func primary() throws(Expression.Mistake) -> Expression.Node {
        skipSpaces()
        guard position < bytes.count else { throw mistake("a value is expected here") }
        switch bytes[position] {
        case UInt8(ascii: "("):
            position += 1
            let node = try expression()
            guard take(")") else { throw mistake("')' is expected here") }
            return node
        case UInt8(ascii: "["):
            position += 1
            return .list(try arguments(until: "]"))
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .value(.string(try string()))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return .value(try number())
        case UInt8(ascii: "$"):
            guard take("${") else { throw mistake("'${' is expected here") }
            let path = try path()
            guard take("}") else { throw mistake("'}' is expected here") }
            return .variable(path)
        default: return try named()
        }
    }

    /// A word, a call or a variable.
    private mutating func named() throws(Expression.Mistake) -> Expression.Node {
        let start = position
        let path = try path()
        if path.count == 1 {
            switch path[0] {
            case "true": return .value(.bool(true))
            case "false": return .value(.bool(false))
            case "null": return .value(.null)
            case "and", "or", "not", "in":
                position = start
                throw mistake("a value is expected here")
            default: break
            }
            if isNext("(") {
                guard let function = Expression.Function(rawValue: path[0]) else {
                    position = start
                    throw mistake("there is no function \"\(path[0].prefix(32))\"")
                }
                _ = take("(")
                let arguments = try arguments(until: ")")
                guard function.arguments.contains(arguments.count) else {
                    position = start
                    throw mistake("\(function.rawValue) takes \(function.arguments.lowerBound) argument(s), not \(arguments.count)")
                }
                return .call(function, arguments)
            }
        }
        return .variable(path)
    }

    private mutating func arguments(until end: String) throws(Expression.Mistake) -> [Expression.Node] {
        var nodes: [Expression.Node] = []
        if take(end) { return nodes }
        while true {
            nodes.append(try expression())
            if take(end) { return nodes }
            guard take(",") else { throw mistake("',' or '\(end)' is expected here") }
        }
    }

    // MARK: Words and values

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }

    private mutating func path() throws(Expression.Mistake) -> [String] {
        var path = [try name()]
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: ".") {
                position += 1
                path.append(try name())
            } else if bytes[position] == UInt8(ascii: "[") {
                position += 1
                skipSpaces()
                let isText = position < bytes.count && (bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'"))
                path.append(isText ? try string() : try name())
                guard take("]") else { throw mistake("']' is expected here") }
            } else {
                break
            }
        }
        return path
    }

    private mutating func name() throws(Expression.Mistake) -> String {
        skipSpaces()
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        // A dash belongs to the names of headers, and never to the beginning of one.
        while position > start, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "-"), Self.isLetter(bytes[position + 1]) {
            position += 1
            while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        }
        guard position > start else { throw mistake("a value is expected here") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { isNameByte(byte) && !(48...57).contains(byte) }

    private mutating func string() throws(Expression.Mistake) -> String {
        let quote = bytes[position]
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == quote { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard position < bytes.count else { break }
            switch bytes[position] {
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): text.append(bytes[position])
            default: throw mistake("only \\\\, \\\", \\', \\n and \\t may follow a backslash")
            }
            position += 1
        }
        throw mistake("the text has no end")
    }

    private mutating func number() throws(Expression.Mistake) -> JSONValue {
        let start = position
        var isWhole = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "."), isWhole {
                isWhole = false
            } else if !(48...57).contains(byte) {
                break
            }
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .integer(value) }
        guard text.utf8.count <= 64, text.utf8.last != UInt8(ascii: "."), let value = Double(text), value.isFinite else {
            position = start
            throw mistake("this number cannot be represented")
        }
        return .number(value)
    }

    private mutating func skipSpaces() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func isNext(_ sign: String) -> Bool {
        skipSpaces()
        return bytes[position...].starts(with: sign.utf8)
    }

    private mutating func take(_ sign: String) -> Bool {
        guard isNext(sign) else { return false }
        position += sign.utf8.count
        return true
    }

    private mutating func takeWord(_ word: String) -> Bool {
        guard isNext(word) else { return false }
        let end = position + word.utf8.count
        if end < bytes.count, Self.isNameByte(bytes[end]) { return false }
        position = end
        return true
    }
}
