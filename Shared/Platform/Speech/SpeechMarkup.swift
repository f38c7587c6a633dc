/// The part of SSML 1.1 that is obeyed: `<speak> <p> <s> <break> <prosody> <say-as> <sub>`. Read here, and written anew with
/// nothing else in it, so that no provider ever sees what a customer wrote.
///
/// Elements that are not known are left out and their text is spoken, as §3.1 wants; what is not well-formed, or declares
/// something of its own, is refused.
public struct SpeechMarkup: Sendable, Equatable {
    /// `<speak>...</speak>` in the known elements alone.
    public let text: String

    static let deepest = 32
    static let mostElements = 1000

    public init(parsing text: String) throws(SpeechError) {
        var reader = XMLReader(text)
        var writer = Writer()
        while let token = try reader.next() { try writer.take(token) }
        self.text = try writer.finish()
    }

    /// What is done with the text inside an element.
    private enum Mode { case spoken, spelled, skipped }

    private struct Open {
        let name: String
        let closing: String
        let mode: Mode
    }

    private struct Writer {
        private var output = ""
        private var open: [Open] = []
        private var elements = 0
        private var isClosed = false

        mutating func take(_ token: XMLReader.Token) throws(SpeechError) {
            switch token {
            case .text(let text):
                guard let mode = open.last?.mode else {
                    guard text.allSatisfy(\.isWhitespace) else { throw .invalid("text outside of <speak>") }
                    return
                }
                switch mode {
                case .skipped: break
                case .spoken, .spelled: output += Self.escaped(text)
                }
            case .start(let name, let attributes, let isEmpty):
                try start(name, attributes)
                if isEmpty { try end(name) }
            case .end(let name):
                try end(name)
            }
        }

        func finish() throws(SpeechError) -> String {
            guard open.isEmpty, isClosed else { throw .invalid("<speak> does not end") }
            return output
        }

        private mutating func start(_ name: String, _ attributes: [String: String]) throws(SpeechError) {
            elements += 1
            guard elements <= SpeechMarkup.mostElements, open.count < SpeechMarkup.deepest else {
                throw .invalid("more than \(SpeechMarkup.mostElements) elements, or more than \(SpeechMarkup.deepest) deep")
            }
            guard !open.isEmpty || (name == "speak" && !isClosed) else { throw .invalid("<\(name)> outside of <speak>") }
            let mode = open.last?.mode ?? .spoken
            guard mode == .spoken else { return open.append(Open(name: name, closing: "", mode: mode)) }
            switch name {
            case "speak", "p", "s":
                guard open.isEmpty == (name == "speak") else { throw .invalid("<speak> inside of <speak>") }
                output += "<\(name)>"
                open.append(Open(name: name, closing: "</\(name)>", mode: .spoken))
            case "break":
                output += "<break\(Self.pause(attributes))/>"
                open.append(Open(name: name, closing: "", mode: .skipped))
            case "prosody":
                output += "<prosody\(Prosody.attributes(attributes))>"
                open.append(Open(name: name, closing: "</prosody>", mode: .spoken))
            case "say-as":
                let isSpelled = ["characters", "digits"].contains(attributes["interpret-as"])
                if isSpelled { output += "<say-as interpret-as=\"characters\">" }
                open.append(
                    Open(name: name, closing: isSpelled ? "</say-as>" : "", mode: isSpelled ? .spelled : .spoken))
            case "sub":
                output += Self.escaped(attributes["alias"] ?? "")
                open.append(Open(name: name, closing: "", mode: attributes["alias"] == nil ? .spoken : .skipped))
            case "desc", "metadata", "meta", "lexicon", "lookup":
                open.append(Open(name: name, closing: "", mode: .skipped))
            default:
                open.append(Open(name: name, closing: "", mode: .spoken))
            }
        }

        private mutating func end(_ name: String) throws(SpeechError) {
            guard let last = open.popLast(), last.name == name else { throw .invalid("</\(name)> ends nothing") }
            output += last.closing
            if open.isEmpty { isClosed = true }
        }

        private static let strengths: Set<String> = ["none", "x-weak", "weak", "medium", "strong", "x-strong"]

        /// A pause of at most ten seconds.
        private static func pause(_ attributes: [String: String]) -> String {
            if let time = attributes["time"] {
                let (number, unit) = time.hasSuffix("ms") ? (time.dropLast(2), 1.0) : (time.dropLast(1), 1000.0)
                if time.hasSuffix("s"), let value = Prosody.number(number) {
                    return " time=\"\(Int(min(max(value * unit, 0), 10_000)))ms\""
                }
            }
            if let strength = attributes["strength"], strengths.contains(strength) { return " strength=\"\(strength)\"" }
            return ""
        }

        private static func escaped(_ text: String) -> String {
            var escaped = ""
            for character in text.unicodeScalars {
                switch character {
                case "<": escaped += "&lt;"
                case ">": escaped += "&gt;"
                case "&": escaped += "&amp;"
                case let other where other.value < 32 || other.value == 127: escaped += " "
                default: escaped.unicodeScalars.append(character)
                }
            }
            return escaped
        }
    }
}
