import Flow
import FlowSimulation
import Foundation
import Testing

@Suite("The flows of Tests/Fixtures/flows, as `tandem flow test` plays them")
struct SimulationFileTests {
    @Test("office.json: every case is as it expects", .timeLimit(.minutes(1)))
    func office() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/flows/office.json")
        let document = try JSONValue(json: Array(try Data(contentsOf: file)))
        let zones = TimeZones { name, unixSeconds in
            TimeZone(identifier: name)?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(unixSeconds)))
        }
        let trial = try Trial.read(document, validation: Validation(timeZones: zones)) { _ in nil }.get()
        #expect(trial.cases.count == 7)
        for script in trial.cases {
            let report = Player.play(script, of: trial, with: Interpreter(timeZones: zones))
            #expect(report.mistakes.isEmpty, "\(script.name): \(report.mistakes) \(report.events.map { "\($0.time) \($0.what)" })")
        }
    }
}
