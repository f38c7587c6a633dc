import Speech

/// Who says what.
struct Saying: Sendable {
    let text: String
    let language: String
    let voice: String?
    var rate = 160

    init(_ text: String, _ language: String, _ voice: String? = nil) { (self.text, self.language, self.voice) = (text, language, voice) }

    func spoken(rate: Int = 160) async throws -> [Int16] {
        try await Synthesiser.shared.speak(Utterance(text: text, language: language, voice: voice, rate: rate))
    }

    static let sentences = [
        Saying("Good morning, this is the front desk, how may I help you?", "en-US"),
        Saying("Yes, I would like to change my booking.", "en-GB", "f3"), Saying("Hello?", "en", "f2"), Saying("No.", "en", "m3"),
        Saying("Guten Tag, Sie sind verbunden mit der Zentrale.", "de"), Saying("Bitte hinterlassen Sie eine Nachricht.", "de", "f4"),
        Saying("Bonjour, vous êtes bien chez Dupont.", "fr"), Saying("Buenos días, dígame.", "es", "f1"),
        Saying("Pronto, chi parla?", "it"), Saying("Goedemiddag, waarmee kan ik u helpen?", "nl", "f2"),
        Saying("Dzień dobry, słucham.", "pl"), Saying("Здравствуйте, оставьте сообщение.", "ru"),
        Saying("Bom dia, em que posso ajudar?", "pt-BR", "f3"),
    ]

    static let people = [
        Saying("Hello?", "en-US"), Saying("Hello?", "en", "f3"), Saying("Hello, Smith speaking.", "en", "m3"), Saying("Yes?", "en-US"),
        Saying("Hi, this is Anna.", "en", "f2"), Saying("Ja bitte?", "de"), Saying("Schmidt, guten Tag.", "de", "f4"), Saying("Müller.", "de"),
        Saying("Allô?", "fr"), Saying("Oui, bonjour?", "fr"), Saying("Dígame.", "es", "f1"), Saying("Pronto?", "it"),
        Saying("Met Jansen.", "nl", "f2"), Saying("Halo, słucham?", "pl"), Saying("Алло?", "ru"), Saying("Alô?", "pt-BR", "f3"),
    ]

    static let machines = [
        Saying(
            "Hello, you have reached the voicemail of John Smith. I am not available right now. Please leave a message after the tone.",
            "en-US"),
        Saying("Hi, this is Anna. I can't come to the phone right now, so please leave your name and number after the beep.", "en", "f3"),
        Saying("Your call has been forwarded to an automatic voice message system. At the tone, please record your message.", "en", "m3"),
        Saying("The person you are calling is not available. Please try again later.", "en", "f2"),
        Saying("Guten Tag, Sie sind verbunden mit dem Anschluss von Familie Müller. Bitte hinterlassen Sie eine Nachricht.", "de"),
        Saying("Der gewünschte Gesprächspartner ist zurzeit nicht erreichbar.", "de", "f4"),
        Saying("Bonjour, vous êtes bien chez Dupont. Laissez un message après le bip sonore.", "fr"),
        Saying("El teléfono al que llama está apagado o fuera de cobertura. Deje su mensaje después de la señal.", "es", "f1"),
        Saying("Questa è la segreteria telefonica. Lasciate un messaggio dopo il segnale acustico.", "it"),
        Saying("U bent verbonden met de voicemail van Jansen. Spreek een bericht in na de toon.", "nl", "f2"),
        Saying("Abonent jest chwilowo niedostępny. Proszę zostawić wiadomość po sygnale.", "pl"),
        Saying("Абонент временно недоступен. Оставьте сообщение после сигнала.", "ru"),
    ]
}

/// A line that is clean but for its own hiss, or with noise so many dB below the speech.
struct Surroundings: Sendable, CustomStringConvertible {
    let distance: Float?
    let noise: Line.Noise

    static let all = [
        Surroundings(distance: nil, noise: .white), Surroundings(distance: 20, noise: .white), Surroundings(distance: 20, noise: .pink),
        Surroundings(distance: 15, noise: .car), Surroundings(distance: 10, noise: .white), Surroundings(distance: 10, noise: .pink),
    ]

    var description: String { distance.map { "\(noise.rawValue) noise, SNR \(Int($0)) dB" } ?? "clean line" }

    func add(to line: inout Line, speech: Float, seed: Int) {
        line.add(noise, level: distance.map { speech - $0 } ?? -66, seed: UInt64(seed + 1))
    }
}
