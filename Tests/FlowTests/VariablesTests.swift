import Flow
import Testing

@Suite("${...} in the options of actions")
struct VariablesTests {
    let variables = Variables([
        "name": "Ada", "voipbin.call.digits": "12#", "voipbin.call.source.target": "+4930", "voipbin.activeflow.id": "run_1",
        "order": #"{"id": 7, "items": [{"name": "tea", "tags": []}], "paid": true, "note": null}"#, "dotted.name": "d", "empty": "",
        "dollar": "$", "open": "${", "greeting": "${name}",
    ])

    static let templates: [(String, String)] = [
        ("", ""), ("plain", "plain"), ("Hello ${name}!", "Hello Ada!"), ("${name}${name}", "AdaAda"), ("${ name }", "Ada"),
        ("${unknown}", ""), ("a${empty}b", "ab"), ("${}", ""),
        ("$", "$"), ("$$", "$$"), ("$name", "$name"), ("${", "${"), ("${name", "${name"),
        ("$${name}", "$Ada"), ("${dollar}{name}", "${name}"), ("${greeting}", "${name}"),
        ("${open}name}", "${name}"), ("}${name}{", "}Ada{"),
        ("${dotted.name}", "d"), ("${a${name}}", "}"), ("ä${name}😀", "äAda😀"), ("\u{301}${name}\u{301}", "\u{301}Ada\u{301}"),
    ]

    @Test("Substitution", arguments: templates)
    func substitution(template: String, text: String) {
        #expect(variables.substituted(in: template) == text)
    }

    static let nameTable: [(String, String)] = [
        ("voipbin.call.digits", "12#"), ("call.digits", "12#"), ("digits", "12#"), ("call.from", "+4930"), ("call.source.target", "+4930"),
        ("voipbin.activeflow.id", "run_1"), ("activeflow.id", "run_1"), ("call.to", ""),
    ]

    @Test("System variables by their long names, without the prefix and by aliases", arguments: nameTable)
    func names(name: String, value: String) {
        #expect(variables[name] == value)
    }

    static let memberTable: [(String, String)] = [
        ("order.id", "7"), ("order.items.0.name", "tea"), ("order.items.1.name", ""),
        ("order.items.-1", ""), ("order.items.x", ""), ("order.paid", "true"),
        ("order.note", ""), ("order.items.0", #"{"name":"tea","tags":[]}"#), ("order.items.0.name.x", ""),
        ("name.first", ""), ("order.", ""), (".order", ""),
        ("order..id", ""), (".", ""),
    ]

    @Test("Members of a variable that holds JSON", arguments: memberTable)
    func members(name: String, value: String) {
        #expect(variables[name] == value)
    }

    @Test("What is put together stays within its bound and ends at a whole character")
    func bound() {
        let variables = Variables(["a": String(repeating: "é", count: 1000)])
        let text = variables.substituted(in: String(repeating: "${a}", count: 1000), bytes: 4001)
        #expect(text == String(repeating: "é", count: 2000))
    }

    @Test("Hostile templates cost time in proportion to their length", .timeLimit(.minutes(1)))
    func hostile() {
        let variables = Variables(["a": #"{"b":""# + String(repeating: "x", count: 30_000) + #""}"#])
        _ = variables.substituted(in: String(repeating: "${", count: 16_000))
        _ = variables.substituted(in: String(repeating: "${a.c}", count: 5_000))
        _ = variables.substituted(in: "${" + String(repeating: "a.", count: 16_000) + "}")
        _ = variables.substituted(in: "${a" + String(repeating: ".a", count: 100) + "}")
    }
}
