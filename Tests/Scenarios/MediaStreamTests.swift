import Flow
import Foundation
import Phone
import Suite
import Testing

@Suite("Media streams: a WebSocket hears a call or a conference and is heard in it", .timeLimit(.minutes(3)))
struct MediaStreamTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func comes(_ limit: Duration = .seconds(10), _ isTrue: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await isTrue() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private func events(_ id: String) async throws -> [JSONValue] {
        try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
    }

    private func event(_ type: String, _ id: String) async throws -> JSONValue {
        var found: JSONValue?
        #expect(try await comes(.seconds(20)) {
            found = try await events(id).first { $0["type"]?.string == type }?["data"]
            return found != nil
        }, "\(type) of \(id)")
        return try #require(found)
    }

    /// A call that is answered and left in silence, and its id.
    private func quietCall(_ phone: PhoneLine) async throws -> (call: PhoneCall, id: String) {
        let number = try await suite.makeNumber(running: [
            ["id": "up", "type": "answer"], ["id": "wait", "type": "sleep", "option": ["duration": 100_000]],
        ])
        let call = try await phone.call(number.number)
        try await call.answered()
        var id: String?
        #expect(try await comes {
            id = try await suite.request("GET", "/v1/calls?status=in_progress&from=\(phone.number)").body["data"]?.array?.first?["id"]?.string
            return id != nil
        })
        return (call, try #require(id))
    }

    /// The call this phone has made, once the API knows that it is up.
    private func inbound(_ phone: PhoneLine) async throws -> String {
        var id: String?
        #expect(try await comes {
            id = try await suite.request("GET", "/v1/calls?status=in_progress&from=\(phone.number)").body["data"]?.array?
                .first { $0["direction"]?.string == "inbound" }?["id"]?.string
            return id != nil
        })
        return try #require(id)
    }

    private func start(_ call: String, _ body: [String: JSONValue]) async throws -> String {
        let answer = try await suite.request("POST", "/v1/calls/\(call)/actions/stream_start", .object(body))
        #expect(answer.status == 200, "\(answer.body.jsonText)")
        return try #require(answer.body["id"]?.string)
    }

    private struct Way: Sendable, CustomStringConvertible {
        let encapsulation: String
        let format: String
        let arguments: [String]
        let frame: String
        let start: String
        var description: String { "\(encapsulation) \(format)" }
    }

    private static let ways = [
        Way(encapsulation: "json", format: "ulaw", arguments: [], frame: "160 inbound", start: "audio/x-mulaw 8000 inbound"),
        Way(encapsulation: "json", format: "slin16", arguments: ["--linear"], frame: "640 inbound", start: "audio/l16 16000 inbound"),
        Way(encapsulation: "json", format: "slin48", arguments: ["--linear"], frame: "1920 inbound", start: "audio/l16 48000 inbound"),
        Way(encapsulation: "none", format: "ulaw", arguments: ["--raw"], frame: "160", start: ""),
        Way(encapsulation: "none", format: "slin24", arguments: ["--raw", "--linear"], frame: "960", start: ""),
    ]

    @Test("what a bot sends back is heard: both encapsulations, every rate", arguments: ways)
    private func echo(_ way: Way) async throws {
        let bot = try await StreamBot(way.arguments)
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await quietCall(phones[0])
            try await Task.sleep(for: .milliseconds(400))
            #expect(await !call.heard(frequency: 440))
            let stream = try await start(id, [
                "url": .string(bot.url), "encapsulation": .string(way.encapsulation), "format": .string(way.format),
                "authorization": "Bearer abc", "parameters": ["name": "Ada"],
            ])
            #expect(stream.hasPrefix("part_"))
            #expect(await call.hears(440, within: .seconds(8)), "its own tone, from the bot")
            try await bot.prints("frame \(way.frame)\n")
            let protocolName = way.encapsulation == "json" ? "tandem-stream-json" : "tandem-stream-raw"
            #expect(bot.lines("connected") == ["1 Bearer abc \(protocolName)"])
            if !way.start.isEmpty { #expect(bot.lines("start") == [way.start + " {\"name\": \"Ada\"}"]) }
            let started = try await event("stream.started", stream)
            #expect(started["url"]?.string == "ws://127.0.0.1:\(bot.port)/listen", "no query: it may be a secret")
            #expect(started["call_id"]?.string == id)
            let stopped = try await suite.request("POST", "/v1/calls/\(id)/actions/stream_stop", ["stream_id": .string(stream)])
            #expect(stopped.status == 204)
            try await bot.prints("closed 1000")
            if way.encapsulation == "json" { #expect(bot.lines("stop") == ["requested"]) }
            #expect(try await comes { await !call.heard(frequency: 440) })
            #expect(try await event("stream.stopped", stream)["reason"]?.string == "requested")
            let again = try await suite.request("POST", "/v1/calls/\(id)/actions/stream_stop", ["stream_id": .string(stream)])
            #expect(again.status == 404)
            try await call.hangup()
        }
    }

    @Test("over TLS, to a server that somebody trusted vouches for, and to no other")
    func secure() async throws {
        let bot = try await StreamBot(["--certificate", suite.certificate, "--key", "\(suite.folder)/secrets/tls.key"])
        let other = try TestIdentity()
        let stranger = try await StreamBot(["--certificate", other.certificate, "--key", other.key])
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await quietCall(phones[0])
            let refused = try await start(id, ["url": .string("wss://127.0.0.1:\(stranger.port)/")])
            let failed = try await event("stream.failed", refused)
            #expect(failed["reason"]?.string?.hasPrefix("TLS") == true, "\(failed.jsonText)")
            #expect(stranger.lines("connected").isEmpty)
            _ = try await start(id, ["url": .string("wss://127.0.0.1:\(bot.port)/")])
            #expect(await call.hears(440, within: .seconds(8)))
            try await call.hangup()
        }
    }

    @Test("barge-in: sound that was sent at once is heard in time, a key reaches the bot, clear ends it, and the mark comes")
    func bargeIn() async throws {
        let bot = try await StreamBot(["--does", "burst", "--seconds", "20"])
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await quietCall(phones[0])
            _ = try await start(id, ["url": .string(bot.url)])
            #expect(await call.hears(900, within: .seconds(8)))
            try await bot.prints("sent")
            try await Task.sleep(for: .seconds(1))
            #expect(await call.heard(frequency: 900), "twenty seconds last longer")
            #expect(bot.lines("mark").isEmpty)
            try await call.send(digits: "1")
            try await bot.prints("dtmf 1")
            try await bot.prints("mark end")
            #expect(try await comes(.seconds(3)) { await !call.heard(frequency: 900) })
            try await call.hangup()
            try await bot.prints("closed 1000")
            #expect(bot.lines("stop") == ["room_ended"])
        }
    }

    @Test("a mark comes when what was sent before it has been heard, and not earlier")
    func marks() async throws {
        let bot = try await StreamBot(["--does", "tone", "--seconds", "1.5"])
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await quietCall(phones[0])
            _ = try await start(id, ["url": .string(bot.url)])
            #expect(await call.hears(900, within: .seconds(8)))
            try await bot.prints("mark end")
            let time = try #require(bot.lines("mark").first.flatMap { Int($0.dropFirst("end ".count)) })
            #expect(time >= 1_400)
            try await call.hangup()
        }
    }

    @Test("a connection that breaks is made again, and sound goes on; what happens is told")
    func reconnect() async throws {
        let bot = try await StreamBot(["--does", "drop"])
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await quietCall(phones[0])
            let stream = try await start(id, ["url": .string(bot.url)])
            #expect(await call.hears(440, within: .seconds(15)), "only the second connection sends back")
            #expect(bot.lines("connected").count == 2 && bot.lines("start").count == 2)
            _ = try await event("stream.reconnecting", stream)
            bot.stop()
            #expect(try await event("stream.failed", stream)["connections"]?.integer == 2)
            #expect(try await comes { await !call.heard(frequency: 440) })
            try await call.hangup()
        }
    }

    @Test("opening requests are signed with the stream's secret, each anew; who has another secret sees a stranger")
    func signed() async throws {
        let secret = "of-this-bot-\(Int.random(in: 100_000...999_999))"
        let bot = try await StreamBot(["--does", "drop", "--secret", secret])
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await quietCall(phones[0])
            let stream = try await start(id, ["url": .string(bot.url), "secret": .string(secret)])
            #expect(await call.hears(440, within: .seconds(15)), "by the second connection")
            #expect(bot.lines("signed") == [stream, stream])
            let other = try await start(id, ["url": .string(bot.url), "secret": "another-secret-16"])
            #expect(try await event("stream.failed", other)["reason"]?.string?.contains("403") == true)
            try await bot.prints("stranger")
            try await call.hangup()
        }
        #expect(!(try String(contentsOfFile: "\(suite.folder)/logs/ConferenceServer-1.log", encoding: .utf8)).contains(secret))
    }

    @Test("who refuses, who is not there, and who speaks nonsense: told, and the call goes on", arguments: ["refuse", "nobody", "bye"])
    func noBot(does: String) async throws {
        let bot = try await StreamBot(["--does", does == "nobody" ? "echo" : does])
        if does == "nobody" { bot.stop() }
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            let id = try await inbound(phones[0])
            let stream = try await start(id, ["url": .string(bot.url)])
            if does == "bye" {
                #expect(try await event("stream.stopped", stream)["reason"]?.string == "peer")
            } else {
                let failed = try await event("stream.failed", stream)
                #expect(failed["connections"]?.integer == 0)
                #expect(failed["reason"]?.string?.contains(does == "refuse" ? "403" : "nothing listens") == true, "\(failed.jsonText)")
            }
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            try await caller.hangup()
        }
    }

    @Test("messages that cannot be understood are counted and passed over")
    func garbage() async throws {
        let bot = try await StreamBot(["--does", "garbage"])
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await quietCall(phones[0])
            let stream = try await start(id, ["url": .string(bot.url)])
            try await bot.prints("start")
            try await Task.sleep(for: .milliseconds(500))
            try await call.hangup()
            #expect(try await event("stream.stopped", stream)["malformed"]?.integer == 8)
        }
    }

    @Test("a slow reader loses the oldest, which is counted; the call does not notice")
    func slowReader() async throws {
        let bot = try await StreamBot(["--does", "slow"])
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            let id = try await inbound(phones[0])
            let stream = try await start(id, ["url": .string(bot.url), "format": "slin48", "direction_listen": "both"])
            try await bot.prints("connected")
            try await Task.sleep(for: .seconds(12))
            #expect(await caller.heard(frequency: 620))
            #expect(await callee.heard(frequency: 440))
            try await caller.hangup()
            let dropped = try await event("stream.stopped", stream)["dropped_out_ms"]?.integer ?? 0
            #expect(dropped > 0)
        }
    }

    @Test("a conference's stream is a participant: listed, heard by all, muted, made softer, put out")
    func conference() async throws {
        let bot = try await StreamBot(["--does", "tone", "--seconds", "25"])
        let number = "86\(Int.random(in: 100_000...999_999))"
        let conference = try #require(
            try await suite.create("conferences", ["name": "Streams", "number": .string(number)])["id"]?.string)
        let path = "/v1/conferences/\(conference)"
        let nobody = try await suite.request("POST", "\(path)/actions/stream_start", ["url": .string(bot.url)])
        #expect(nobody.status == 404, "nobody is there")
        try await withPhones(2, in: suite) { phones in
            var calls: [PhoneCall] = []
            for phone in phones {
                let call = try await phone.call(number)
                try await call.answered()
                calls.append(call)
            }
            #expect(await calls[0].hears(620))
            let answer = try await suite.request("POST", "\(path)/actions/stream_start", ["url": .string(bot.url), "format": "ulaw"])
            let stream = try #require(answer.body["id"]?.string)
            for call in calls { #expect(await call.hears(900, within: .seconds(8))) }
            #expect(await calls[0].heard(frequency: 620))
            func listed() async throws -> JSONValue? {
                try await suite.request("GET", "\(path)/participants").body["data"]?.array?.first { $0["id"]?.string == stream }
            }
            #expect(try await listed()?["kind"]?.string == "stream")
            let patch = "\(path)/participants/\(stream)"
            #expect(try await suite.request("PATCH", patch, ["muted": true]).body["muted"]?.bool == true)
            #expect(try await comes { await !calls[0].heard(frequency: 900) })
            #expect(try await suite.request("PATCH", patch, ["muted": false]).status == 200)
            #expect(await calls[0].hears(900))
            let first = try #require(
                try await suite.request("GET", "\(path)/participants").body["data"]?.array?.first?["id"]?.string)
            #expect(try await suite.request("PATCH", patch, ["whisper_to": .string(first)]).status == 200)
            #expect(try await comes { await !calls[1].heard(frequency: 900) })
            #expect(await calls[0].heard(frequency: 900))
            #expect(try await suite.request("DELETE", patch).status == 204)
            #expect(try await comes { await !calls[0].heard(frequency: 900) })
            #expect(try await listed() == nil)
            try await bot.prints("closed 1000")
            for call in calls { try await call.hangup() }
        }
    }

    @Test("private addresses, other schemes and others' calls are refused")
    func refused() async throws {
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await quietCall(phones[0])
            for url in ["ws://10.1.2.3/", "ws://169.254.169.254/", "wss://[::1]/", "http://127.0.0.1/", "ws://user@127.0.0.1/", "ftp://x"] {
                let answer = try await suite.request("POST", "/v1/calls/\(id)/actions/stream_start", ["url": .string(url)])
                #expect(answer.status == 422, "\(url)")
                #expect(answer.body["errors"]?.array?.first?["pointer"]?.string == "/url", "\(url)")
            }
            for wrong: [String: JSONValue] in [["format": "opus"], ["encapsulation": "rtp"], ["direction_speak": "up"], ["authorization": "a\nb"], ["secret": "short"], ["secret": "with a space in it"]] {
                let body = wrong.merging(["url": "ws://127.0.0.1:9/"]) { given, _ in given }
                #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/stream_start", .object(body)).status == 422)
            }
            let key = try await strangersKey()
            let body: JSONValue = ["url": "ws://127.0.0.1:9/"]
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/stream_start", body, key: key).status == 404)
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/supervise", ["call_id": .string(id), "mode": "listen"], key: key).status >= 400)
            let conference = try #require(try await suite.create("conferences", ["name": "Mine"])["id"]?.string)
            #expect(try await suite.request("POST", "/v1/conferences/\(conference)/actions/stream_start", body, key: key).status == 404)
            try await call.hangup()
        }
    }

    /// The key of another customer.
    private func strangersKey() async throws -> String {
        let secret = try suite.bootstrapKey()
        let name = "stranger-\(UInt32.random(in: .min ... .max))"
        let customer = try await suite.request(
            "POST", "/v1/customers", ["name": .string(name), "domain": .string("\(name).localhost")], key: secret)
        let id = try #require(customer.body["id"]?.string, "\(customer.body.jsonText)")
        let key = try await suite.request(
            "POST", "/v1/keys", ["name": "all", "scopes": ["*"], "customer_id": .string(id)], key: secret)
        return try #require(key.body["secret"]?.string, "\(key.body.jsonText)")
    }

    @Test("external_media_start and external_media_stop: a flow connects its call with a bot and goes on")
    func flow() async throws {
        let bot = try await StreamBot([])
        let number = try await suite.makeNumber(running: [
            [
                "id": "start", "type": "external_media_start",
                "option": [
                    "external_host": .string("127.0.0.1:\(bot.port)"), "transport": "websocket", "encapsulation": "json",
                    "connection_type": "client", "format": "slin16", "direction_listen": "in", "direction_speak": "out", "data": "hello",
                ],
            ],
            ["id": "keys", "type": "digits_receive", "option": ["length": 2, "duration": 60_000]],
            ["id": "stop", "type": "external_media_stop"],
            ["id": "wait", "type": "sleep", "option": ["duration": 60_000]],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hears(440, within: .seconds(10)))
            #expect(bot.lines("start") == ["audio/l16 16000 inbound {\"data\": \"hello\"}"])
            try await call.send(digits: "7")
            try await bot.prints("dtmf 7")
            try await call.send(digits: "8")
            try await bot.prints("closed 1000")
            #expect(try await comes { await !call.heard(frequency: 440) })
            #expect(await call.report.end == nil, "the flow goes on")
            try await call.hangup()
        }
    }
}
