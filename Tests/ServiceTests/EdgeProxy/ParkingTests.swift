import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: room for requests that wait (RELIABILITY O7)")
struct ParkingTests {
    @Test("Requests wait as long as there is room in number and in bytes; who leaves makes room")
    func bounds() {
        var parking = Parking(Parking.Limits(count: 3, bytes: 1_000))
        func enter(_ lengths: Int...) -> [Bool] { lengths.map { parking.enter($0) } }
        #expect(enter(400, 600, 1) == [true, true, false])
        parking.leave(600)
        #expect(enter(1, 600, 199) == [true, false, true])
        #expect(enter(0) == [false], "the number is a bound by itself")
        for length in [400, 1, 199] { parking.leave(length) }
        #expect(parking.count == 0 && parking.bytes == 0)
    }

    @Test("A length beyond all numbers is too long")
    func absurd() {
        var parking = Parking(Parking.Limits(count: 3, bytes: 1_000))
        let entered = (parking.enter(500), parking.enter(.max))
        #expect(entered == (true, false))
    }
}
