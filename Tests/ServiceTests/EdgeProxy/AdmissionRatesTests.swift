import Addresses
import Deadlines
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy admission: rates and bans (RELIABILITY V16, O3, O4)")
struct AdmissionRatesTests {
    private static func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds) }

    private static func admission(_ change: (inout AdmissionSettings) -> Void = { _ in }) -> Admission {
        var settings = AdmissionSettings()
        settings.rates.sources = 4_096
        settings.scanners = ["friendly-scanner", "sipcli"]
        change(&settings)
        return Admission(settings, seed: (1, 2), connections: 64)
    }

    private static func call(_ transaction: UInt64, of customer: UInt64) -> Admission.Call {
        Admission.Call(transaction: transaction, callID: transaction << 40, server: 1, customer: customer, isEmergency: false)
    }

    private static func address(_ number: Int) -> IPAddress { IPAddress(v4: 0xcb00_7100 &+ UInt32(number)) }

    @Test("A stranger gets the burst of each class; the classes do not use up one another")
    func classes() {
        var admission = Self.admission()
        let source = admission.source(Self.address(1))
        func admitted(_ kind: RequestClass, of count: Int, at time: Int) -> Int {
            (0..<count).count { _ in admission.refuse(kind, from: source, key: 0, now: Self.at(time)) == nil }
        }
        #expect(admitted(.registration, of: 2_000, at: 0) == 500)
        #expect(admitted(.refresh, of: 10, at: 0) == 0)
        #expect(admitted(.invite, of: 2_000, at: 0) == 100)
        #expect(admitted(.other, of: 2_000, at: 0) == 200)
        #expect(admitted(.emergency, of: 2_000, at: 0) == 20)
        #expect(admitted(.inDialog, of: 2_000, at: 0) == 2_000)
        #expect(admitted(.invite, of: 2_000, at: 1_000) == 20)
    }

    @Test("A whole network of strangers is limited too, its emergency calls are not")
    func network() {
        var admission = Self.admission()
        var admitted = 0
        for number in 0..<200 {
            let source = admission.source(Self.address(number))
            for _ in 0..<20 where admission.refuse(.invite, from: source, key: 0, now: Self.at(0)) == nil { admitted += 1 }
        }
        #expect(admitted == 800)
        let source = admission.source(Self.address(201))
        #expect(admission.refuse(.invite, from: source, key: 0, now: Self.at(0)) == .networkRate)
        #expect(admission.refuse(.emergency, from: source, key: 0, now: Self.at(0)) == nil)
    }

    @Test("A flood of forged sources takes nothing from who has authenticated")
    func forged() {
        var admission = Self.admission()
        let office = admission.source(Self.address(7))
        admission.authenticated(account: 5, from: office, now: Self.at(0))
        for number in 0..<100_000 {
            let source = admission.source(IPAddress(v4: UInt32(0x5000_0000 + number)))
            _ = admission.refuse(.registration, from: source, key: 0, now: Self.at(1_000))
        }
        #expect(admission.isHome(5, office, now: Self.at(1_000)) == true)
        let admitted = (0..<20_000).count { _ in
            admission.refuse(.registration, from: office, key: 0, now: Self.at(1_000)) == nil
        }
        #expect(admitted == 10_000)
    }

    @Test("O3: 10,000 accounts register again in ten seconds from one address nobody knows, each with its challenge")
    func avalanche() {
        var admission = Self.admission()
        let source = admission.source(Self.address(1))
        // Answers take a tenth of a second each way.
        var second: [(time: Int, account: UInt64)] = []
        var refused = 0
        for index in 0..<10_000 {
            let now = Self.at(index)
            while let first = second.first, first.time <= index {
                second.removeFirst()
                if admission.refuse(.registration, from: source, key: 0, now: now) != nil
                    || admission.refuse(account: first.account, from: source, now: now) != nil
                {
                    refused += 1
                } else {
                    admission.authenticated(account: first.account, from: source, now: now)
                }
            }
            if admission.refuse(.registration, from: source, key: 0, now: now) != nil { refused += 1 }
            second.append((index + 200, UInt64(index + 1)))
        }
        #expect(refused == 0)
    }

    @Test("An office of 200 phones behind one address starts at once")
    func office() {
        var admission = Self.admission()
        let source = admission.source(Self.address(1))
        let refused = (0..<400).count { _ in admission.refuse(.registration, from: source, key: 0, now: Self.at(0)) != nil }
        #expect(refused == 0)
    }

    @Test("O4: strangers who guess use up the guesses of strangers, not the account at its own address")
    func account() {
        var admission = Self.admission()
        let home = admission.source(Self.address(1))
        admission.authenticated(account: 9, from: home, now: Self.at(0))
        var guesses = 0
        for number in 0..<1_000 {
            let source = admission.source(IPAddress(v4: UInt32(0x0a00_0000 + number << 8)))
            if admission.refuse(account: 9, from: source, now: Self.at(1_000 + number)) == nil { guesses += 1 }
        }
        #expect(guesses <= 35)
        #expect(admission.refuse(account: 9, from: home, now: Self.at(2_000)) == nil)
        #expect(admission.refuse(account: 9, from: home, now: Self.at(8_000_000)) == nil)
    }

    @Test("What was earned ends some time")
    func forgetting() {
        var admission = Self.admission()
        let home = admission.source(Self.address(1))
        admission.authenticated(account: 9, from: home, now: Self.at(0))
        #expect(admission.isHome(9, home, now: Self.at(7_199_999)) == true)
        #expect(admission.isHome(9, home, now: Self.at(7_200_000)) == false)
    }

    @Test("A customer's calls have a rate, whose refusal is no 503")
    func customer() {
        var admission = Self.admission { $0.rates.customer = TokenRate(perSecond: 10, burst: 3) }
        let reasons = (1..<5).map { admission.refuse(Self.call($0, of: 4), now: Self.at(0)) }
        #expect(reasons == [nil, nil, nil, .customerRate])
        #expect(admission.refuse(Self.call(9, of: 5), now: Self.at(0)) == nil)
        #expect(AdmissionReason.customerRate.status(overConnection: false) == 480)
    }

    @Test("An exempt address is never limited and never banned")
    func exempt() throws {
        let range = try #require(AddressRange("203.0.113.0/24"))
        var admission = Self.admission { $0.exempt = [range] }
        let source = admission.source(Self.address(3))
        for _ in 0..<10_000 {
            #expect(admission.refuse(.invite, from: source, key: 0, now: Self.at(0)) == nil)
            #expect(admission.committed(.wrongPassword, by: source, .proven, now: Self.at(0)) == nil)
        }
        admission.adopt(Ban(block: Self.address(3), length: .seconds(60), count: 1), now: Self.at(0))
        #expect(admission.isBanned(source.block, now: Self.at(1)) == false)
    }

    @Test("Zero turns each limit off")
    func off() {
        var admission = Self.admission {
            $0.rates.invite = .unlimited
            $0.rates.account = .unlimited
            $0.rates.customer = .unlimited
            $0.bans.offences = 0
        }
        let source = admission.source(Self.address(3))
        let refused = (0..<10_000).count { number in
            admission.refuse(.invite, from: source, key: 0, now: Self.at(0)) != nil
                || admission.refuse(account: 1, from: source, now: Self.at(0)) != nil
                || admission.refuse(Self.call(UInt64(number), of: 1), now: Self.at(0)) != nil
                || admission.committed(.wrongPassword, by: source, .proven, now: Self.at(0)) != nil
        }
        #expect(refused == 0)
    }

    // MARK: Bans

    @Test("Twenty wrong passwords in a minute are a ban of a minute, the next is two, up to an hour")
    func bans() {
        var admission = Self.admission()
        let source = admission.source(Self.address(1))
        var now = 0
        for (round, seconds) in [60, 120, 240, 480, 960, 1_920, 3_600, 3_600].enumerated() {
            for _ in 0..<19 { #expect(admission.committed(.wrongPassword, by: source, .proven, now: Self.at(now)) == nil) }
            let ban = admission.committed(.wrongPassword, by: source, .proven, now: Self.at(now))
            #expect(ban == Ban(block: Self.address(1), length: .seconds(seconds), count: round + 1))
            #expect(admission.isBanned(source.block, now: Self.at(now + seconds * 1_000 - 1)) == true)
            now += seconds * 1_000
            #expect(admission.isBanned(source.block, now: Self.at(now)) == false)
        }
        #expect(admission.isBanned(Self.address(2), now: Self.at(0)) == false)
    }

    @Test("Whoever behaves for long enough begins anew; wrong passwords far apart are nobody's crime")
    func forgiving() throws {
        var admission = Self.admission()
        let source = admission.source(Self.address(1))
        for _ in 0..<20 { _ = admission.committed(.wrongPassword, by: source, .proven, now: Self.at(0)) }
        for index in 0..<40 {
            #expect(admission.committed(.wrongPassword, by: source, .proven, now: Self.at(60_000 + index * 3_200)) == nil)
        }
        let later = 60_000 + 4_000_000
        var last: Ban?
        for _ in 0..<20 { last = admission.committed(.wrongPassword, by: source, .proven, now: Self.at(later)) }
        #expect(try #require(last).count == 1)
    }

    @Test("What a datagram says of itself bans nobody, whatever it is and however often: its source may be forged")
    func forgery() {
        var admission = Self.admission()
        let source = admission.source(Self.address(1))
        for offence in Offence.allCases {
            for _ in 0..<10_000 { #expect(admission.committed(offence, by: source, .datagram, now: Self.at(0)) == nil) }
        }
        #expect(admission.isBanned(source.block, now: Self.at(1)) == false)
    }

    @Test("A scanner on a connection is banned at once; an office where others authenticate has more patience")
    func scannerAndOffice() {
        var admission = Self.admission()
        let scanner = admission.source(Self.address(1))
        #expect(admission.committed(.scanner, by: scanner, .proven, now: Self.at(0)) != nil)
        let office = admission.source(Self.address(2))
        admission.authenticated(account: 1, from: office, now: Self.at(0))
        // A web page that was opened there may call itself a scanner.
        let bans = (0..<200).map { admission.committed($0 == 0 ? .scanner : .wrongPassword, by: office, .proven, now: Self.at(0)) }
        #expect(bans.firstIndex { $0 != nil } == 199)
    }

    @Test("An office that one loop knows is an office to all: they have its patience and its rates, but not its accounts")
    func vouched() {
        var first = Self.admission()
        var second = Self.admission()
        let office = first.source(Self.address(2))
        #expect(first.authenticated(account: 1, from: office, now: Self.at(0)) == true)
        #expect(first.authenticated(account: 2, from: office, now: Self.at(0)) == false)
        second.vouched(for: office.block, now: Self.at(0))
        let here = second.source(Self.address(2))
        let bans = (0..<200).map { _ in second.committed(.wrongPassword, by: here, .proven, now: Self.at(0)) }
        #expect(bans.firstIndex { $0 != nil } == 199)
        #expect(second.isHome(1, here, now: Self.at(0)) == false)
    }

    @Test("A ban of another edge holds here for what is left of it, and the next one here is longer")
    func adopted() throws {
        var admission = Self.admission()
        let source = admission.source(Self.address(1))
        admission.adopt(Ban(block: Self.address(1), length: .seconds(30), count: 2), now: Self.at(0))
        #expect(admission.isBanned(source.block, now: Self.at(29_999)) == true)
        #expect(admission.isBanned(source.block, now: Self.at(30_000)) == false)
        var last: Ban?
        for _ in 0..<20 { last = admission.committed(.wrongPassword, by: source, .proven, now: Self.at(30_000)) }
        #expect(try #require(last).length == .seconds(240))
    }
}
