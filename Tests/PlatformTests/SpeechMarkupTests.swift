import Speech
import Testing

@Suite("SSML as it is understood here")
struct SpeechMarkupTests {
    private func read(_ text: String) throws -> String { try SpeechMarkup(parsing: text).text }

    @Test(
        "SSML 1.1: the known elements are written anew, with nothing else in them",
        arguments: [
            ("<speak>hello</speak>", "<speak>hello</speak>"),
            ("<?xml version=\"1.0\"?>\n<!-- x --><speak version='1.1' xml:lang=\"de\"><p>a<s>b</s></p></speak>\n", "<speak><p>a<s>b</s></p></speak>"),
            ("<speak>a<break time=\"2s\"/>b<break time='1.5s'></break><break strength=\"weak\" x='y'/></speak>",
             "<speak>a<break time=\"2000ms\"/>b<break time=\"1500ms\"/><break strength=\"weak\"/></speak>"),
            ("<speak><break time=\"99999s\"/><break time=\"-1s\"/><break time=\"1e9ms\"/></speak>",
             "<speak><break time=\"10000ms\"/><break time=\"0ms\"/><break/></speak>"),
            ("<speak><prosody rate=\"150%\" pitch=\"+2st\" volume=\"-6dB\" range='x'>a</prosody></speak>",
             "<speak><prosody rate=\"150%\" pitch=\"+2st\" volume=\"-50%\">a</prosody></speak>"),
            ("<speak><prosody rate=\"9000%\" pitch=\"-900%\" volume=\"loud\">a</prosody><prosody rate='../x' pitch='1Hz'>b</prosody></speak>",
             "<speak><prosody rate=\"400%\" pitch=\"-100%\" volume=\"loud\">a</prosody><prosody>b</prosody></speak>"),
            ("<speak><prosody volume='+50%'>a</prosody><prosody volume='50%'>b</prosody></speak>",
             "<speak><prosody volume=\"+50%\">a</prosody><prosody>b</prosody></speak>"),
            ("<speak><prosody rate=\"-20%\">a</prosody></speak>", "<speak><prosody rate=\"80%\">a</prosody></speak>"),
            ("<speak><say-as interpret-as=\"digits\">12</say-as><say-as interpret-as='characters'>ab</say-as><say-as interpret-as='date'>c</say-as></speak>",
             "<speak><say-as interpret-as=\"characters\">12</say-as><say-as interpret-as=\"characters\">ab</say-as>c</speak>"),
            ("<speak><sub alias=\"World Wide &lt;Web&gt;\">WWW<b>x</b></sub><sub>W3C</sub></speak>", "<speak>World Wide &lt;Web&gt;W3C</speak>"),
            ("<speak>&lt;a&gt; &amp; &quot;&apos;&#65;&#x42;<![CDATA[<c>]]></speak>", "<speak>&lt;a&gt; &amp; \"'AB&lt;c&gt;</speak>"),
            ("<speak><audio src=\"/etc/passwd\">spoken<desc>not</desc></audio><voice name=\"x\">too</voice></speak>", "<speak>spokentoo</speak>"),
            ("<speak>a\u{1}b\u{7f}\nc</speak>", "<speak>a b  c</speak>"),
        ])
    func canonical(text: String, expected: String) throws {
        #expect(try read(text) == expected)
    }

    @Test(
        "What is not well-formed, or declares something of its own, is a typed error",
        arguments: [
            "", "hello", "<speak>", "<speak>a", "<speak>a</speak", "<speak>a</p></speak>", "<speak><p>a</speak></p>", "<p>a</p>",
            "<speak/>a", "a<speak/>", "<speak/><speak/>", "<speak><speak/></speak>", "<speak>&foo;</speak>", "<speak>a & b</speak>",
            "<speak>&#0;</speak>", "<speak>&#x110000;</speak>", "<speak>&#xD800;</speak>", "<!DOCTYPE speak [<!ENTITY a \"b\">]><speak>&a;</speak>",
            "<speak><break time=1s/></speak>", "<speak><break time=\"1s/></speak>", "<speak><break time=\"<\"/></speak>",
            "<speak><break a=\"1\" a=\"2\"/></speak>", "<speak><!-- a</speak>", "<speak><![CDATA[a</speak>", "<speak><></speak>", "<speak>< p></speak>",
            "<speak a>x</speak>", "<speak a=\"", "<speak a=", "<", "</", "<!", "<?", "&",
        ])
    func refused(text: String) {
        #expect(throws: SpeechError.self) { try read(text) }
    }

    @Test("Depth and number of elements are bounded")
    func bounded() throws {
        func nested(_ depth: Int) -> String {
            "<speak>" + String(repeating: "<prosody>", count: depth) + String(repeating: "</prosody>", count: depth) + "</speak>"
        }
        _ = try read(nested(31))
        #expect(throws: SpeechError.self) { try read(nested(32)) }
        #expect(throws: SpeechError.self) { try read("<speak>" + String(repeating: "<s/>", count: 1001) + "</speak>") }
        #expect(throws: SpeechError.self) { try read("<speak a=\"\"" + String(repeating: " b", count: 5000) + "/>") }
    }

    @Test("Cut or changed anywhere, it is read or refused, never a trap")
    func hostile() {
        let whole = Array(
            "<?xml version=\"1.0\"?><speak xml:lang='en'><p>a&amp;b<s><![CDATA[x]]></s></p><break time=\"1s\"/><prosody rate=\"80%\">c</prosody><sub alias='d'>e</sub></speak>".utf8)
        var state: UInt64 = 3
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var read = 0
        for round in 0..<4000 {
            var bytes = round < whole.count ? Array(whole.prefix(round)) : whole
            for _ in 0..<random(below: 4) where !bytes.isEmpty {
                bytes[random(below: bytes.count)] = Array("<>&;/\"'=!?#x-a \u{0}".utf8)[random(below: 16)]
            }
            do throws(SpeechError) {
                let text = try SpeechMarkup(parsing: String(decoding: bytes, as: UTF8.self)).text
                #expect(text.hasPrefix("<speak") && !text.contains("<!") && !text.contains("<?"))
                read += 1
            } catch {
                continue
            }
        }
        #expect(read > 100)
    }
}
