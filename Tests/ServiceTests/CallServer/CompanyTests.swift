import Addresses
import Bytes
import Deadlines
import Testing

@testable import CallServer
@testable import EdgeProxy

@Suite struct CompanyTests {
    @Test("A call server knows which new calls the edges bring to it (DESIGN §2: rendezvous by Call-ID)")
    func choosesAsEdgesDo() {
        let names = ["calls-1", "calls-2", "calls-3"]
        let servers = Directory.Servers(
            names.enumerated().map { Directory.Server(instance: $1, address: SocketAddress(IPAddress(v4: 0x7f00_0001), port: UInt16(7_000 + $0))) })
        let company = Company(Set(names), since: Instant(nanoseconds: 0))
        var chosen = [0, 0, 0]
        for number in 0..<3_000 {
            let callID = StableHash.hash("\(number)@phone".utf8)
            let ours = names.indices.filter { company.choose(names[$0], for: callID) }
            #expect(ours.count == 1)
            guard let place = ours.first else { continue }
            chosen[place] += 1
            #expect(servers.pick(callID: callID)?.port == UInt16(7_000 + place))
        }
        #expect(chosen.allSatisfy { $0 > 800 })
    }

    @Test("Who is alone with nobody known chooses nothing")
    func nobody() { #expect(!Company([], since: Instant(nanoseconds: 0)).choose("calls-1", for: 7)) }
}
