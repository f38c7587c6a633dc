import Flow
import Testing

@Suite("Expressions of flows (docs/flow-expressions.md)")
struct ExpressionTests {
    static let variables: Variables = {
        var run = Run(actions: [])
        let set = #"""
            [{"type": "variable_set", "option": {"key": "order", "value": {"items": [{"name": "tea", "price": 2.5}], "paid": true, "a b": 1}}},
             {"type": "variable_set", "option": {"key": "count", "value": 3}},
             {"type": "variable_set", "option": {"key": "text", "value": "Hello"}},
             {"type": "variable_set", "option": {"key": "big", "value": 9223372036854775807}},
             {"type": "variable_set", "option": {"key": "json", "value": "{\"a\": [1, 2]}"}}]
            """#
        let actions = (try? Script.actions(set)) ?? []
        run = Run(actions: actions, variables: Variables(["voipbin.call.digits": "12#", "voipbin.call.header.x-id": "7"]))
        _ = Interpreter().start(&run, at: 0)
        return run.variables
    }()

    static let values: [(String, JSONValue)] = [
        ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("7 / 2", 3.5), ("6 / 2", 3), ("7 % 4", 3), ("-7 % 4", -3), ("1 - -1", 2), ("--2", 2),
        ("1 / 0", nil), ("1 % 0", nil), ("big + 1", 9.223372036854775807e18), ("0.1 + 0.2 < 0.31", true),
        ("'a' + 'b'", "ab"), ("'n=' + count", "n=3"), ("'2' + 1", 3), ("'2' * '3'", 6), ("'a' * 2", nil), ("null + null", nil),
        ("count == 3", true), ("count == '3'", true), ("count != 4", true), ("count >= 3 && count < 4", true), ("count > 3 || false", false),
        ("'10' < '9'", true), ("'10' < 9", false), ("10 < '9'", false), ("'a' < 1", false), ("'a' == 1", false), ("'a' != 1", true),
        ("'0x10' == 16", false), ("'nan' == 'nan'", true), ("null == null", true), ("none == null", true), ("none == ''", false),
        ("true == 'true'", true), ("true == '1'", false), ("'1' == 1", true), ("'1e3' == 1000", true),
        ("not false", true), ("!true", false), ("not 1 == 2", true), ("true and not false", true), ("false or true", true),
        ("true ? 1 : 2", 1), ("false ? 1 : 2", 2), ("false ? 1 : true ? 2 : 3", 2),
        ("order.items[0].name", "tea"), ("order.items.0.name", "tea"), ("order['items'][0][\"name\"]", "tea"), ("order['a b']", 1),
        ("order.items[1].name", nil), ("order.items[0].price * 2", 5), ("order.paid", true), ("${order.items[0].name}", "tea"),
        ("json.a[1]", 2), ("digits", "12#"), ("call.digits", "12#"), ("call.header.x-id", "7"), ("count - 1", 2),
        ("'1' in digits", true), ("2 in json.a", true), ("'2' in json.a", true), ("3 in [1, 2]", false), ("'paid' in order", true), ("1 in null", false),
        ("length(digits)", 3), ("length(json.a)", 2), ("length(order)", 3), ("lower(text)", "hello"), ("upper(text)", "HELLO"),
        ("trim('  a ')", "a"), ("number('12.0')", 12), ("number('x')", nil), ("text(12)", "12"), ("text(null)", ""),
        ("contains(text, 'ell')", true), ("starts_with(text, 'He')", true), ("ends_with(text, 'lo')", true),
        ("like(text, 'H*o')", true), ("like(text, 'H?llo')", true), ("like(text, 'h*')", false), ("like('', '*')", true), ("like('ab', 'a*b*c')", false),
        ("round(2.5)", 3), ("floor(-2.5)", -3), ("ceiling(2.1)", 3), ("abs(-3)", 3), ("min(3, 1, 2)", 1), ("max(3, '7')", 7), ("min('x')", nil),
        ("exists(none)", false), ("exists(text)", true), ("default(none, 'x')", "x"), ("default('', 'x')", "x"), ("default(0, 'x')", 0),
        ("[1, 'a', [true]]", [1, "a", [true]]), ("'it\\'s'", "it's"), ("'a\\nb'", "a\nb"), ("\"ä😀\"", "ä😀"), ("android", nil), ("order.in", nil),
    ]

    @Test("What they give", arguments: values)
    func value(text: String, value: JSONValue) throws {
        #expect(try Expression(text).value(with: Self.variables) == value)
    }

    static let mistakes: [(String, Int)] = [
        ("", 0), ("1 +", 3), ("(1", 2), ("1)", 1), ("'a", 2), ("a b", 2), ("a.", 2), ("a[", 2), ("a[1", 3), ("1 2", 2), ("== 1", 0), ("a = 1", 2),
        ("f(1)", 0), ("lower()", 0), ("lower(1, 2)", 0), ("min()", 0), ("and", 0), ("a and", 5), ("1 < 2 < 3", 6), ("a ? 1", 5), ("'\\x'", 2),
        ("$a", 0), ("${a", 3), ("#", 0), ("1.", 0), ("99999999999999999999999999999999999999999999999999999999999999999", 0),
    ]

    @Test("What is none says where", arguments: mistakes)
    func mistake(text: String, offset: Int) {
        #expect(throws: Expression.Mistake.self) { try Expression(text) }
        do throws(Expression.Mistake) { _ = try Expression(text) } catch { #expect(error.offset == offset) }
    }

    @Test("Neither length nor depth is without end")
    func bounds() throws {
        #expect(throws: Expression.Mistake.self) { try Expression(String(repeating: "(", count: 500) + "1" + String(repeating: ")", count: 500)) }
        #expect(throws: Expression.Mistake.self) { try Expression(String(repeating: "-", count: 500) + "1") }
        #expect(throws: Expression.Mistake.self) { try Expression(String(repeating: "!", count: 500) + "1") }
        #expect(throws: Expression.Mistake.self) { try Expression(String(repeating: "1?", count: 500)) }
        #expect(throws: Expression.Mistake.self) { try Expression(String(repeating: " ", count: 2001)) }
        _ = try Expression(String(repeating: "(", count: 30) + "1" + String(repeating: ")", count: 30))
        let sum = try Expression("0" + String(repeating: "+1", count: 900))
        #expect(sum.value(with: Variables()) == 900)
    }

    @Test("What they make is bounded, and what they look for too", .timeLimit(.minutes(1)))
    func hostile() throws {
        let variables = Variables(["a": String(repeating: "a", count: 30_000), "b": String(repeating: "a", count: 1_000) + "b"])
        let doubled = try Expression("a + a + a + a").value(with: variables, bytes: 50_000)
        #expect(doubled.string?.utf8.count == 50_000)
        #expect(try Expression("contains(a, b)").value(with: variables) == false)
        #expect(try Expression("like(a, '" + String(repeating: "a*", count: 500) + "b')").value(with: variables) == false)
        #expect(try Expression("contains(a, a)").value(with: variables) == false, "more than 1 KiB is not looked for")
    }
}
