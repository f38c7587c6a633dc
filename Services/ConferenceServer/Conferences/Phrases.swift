/// The sentences of a conference in one language.
struct Phrases: Sendable {
    /// Of its voice: what was asked for if it is known here, with its region, else `en`.
    let language: String
    private let words: Words

    private struct Words: Sendable {
        var pin: String
        var wrongPIN: String
        var waiting: String
        /// Follow a name.
        var joined: String
        var left: String
        /// Has no name.
        var somebody: String
    }

    init(_ tag: String) {
        let primary = String(tag.prefix { $0 != "-" }).lowercased()
        (language, words) = Self.known[primary].map { (tag, $0) } ?? ("en", Self.english)
    }

    func sentence(_ saying: Saying, name: String?) -> String {
        switch saying {
        case .pin: words.pin
        case .wrongPIN: words.wrongPIN
        case .waiting: words.waiting
        case .joined: (name ?? words.somebody) + " " + words.joined
        case .left: (name ?? words.somebody) + " " + words.left
        }
    }

    private static let english = Words(
        pin: "Please enter the PIN.", wrongPIN: "This PIN is wrong. Please try again.",
        waiting: "You will be let in when the moderator comes.", joined: "has joined.", left: "has left.", somebody: "Somebody")

    private static let known = [
        "en": english,
        "de": Words(
            pin: "Bitte geben Sie die PIN ein.", wrongPIN: "Diese PIN ist falsch. Bitte versuchen Sie es noch einmal.",
            waiting: "Sie werden eingelassen, sobald der Moderator kommt.", joined: "ist beigetreten.",
            left: "hat die Konferenz verlassen.", somebody: "Jemand"),
        "fr": Words(
            pin: "Veuillez saisir le code.", wrongPIN: "Ce code est faux. Veuillez réessayer.",
            waiting: "Vous serez admis dès l'arrivée du modérateur.", joined: "a rejoint la conférence.",
            left: "a quitté la conférence.", somebody: "Quelqu'un"),
        "es": Words(
            pin: "Introduzca el código.", wrongPIN: "El código no es correcto. Inténtelo de nuevo.",
            waiting: "Podrá entrar cuando llegue el moderador.", joined: "se ha unido.", left: "ha salido.", somebody: "Alguien"),
    ]
}
