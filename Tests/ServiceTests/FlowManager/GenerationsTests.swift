import Contracts
import Testing

@testable import FlowManager

@Suite("What is remembered is bounded and never the truth")
struct GenerationsTests {
    @Test("What is used stays, what is not is forgotten")
    func generations() {
        let cache = Generations<Int>(capacity: 2)
        cache["a"] = 1
        for number in 0..<10 {
            cache["n\(number)"] = number
            #expect(cache["a"] == 1)
        }
        #expect(cache["n9"] == 9)
        #expect(cache["n0"] == nil)
        cache["a"] = nil
        #expect(cache["a"] == nil)
    }

    @Test("A value that is replaced is not found in the older generation again")
    func replaced() {
        let cache = Generations<Int>(capacity: 1)
        cache["a"] = 1
        cache["b"] = 2
        cache["a"] = 3
        cache["a"] = nil
        #expect(cache["a"] == nil)
        #expect(cache["b"] == 2)
    }
}

@Suite("Pages")
struct PageTests {
    @Test("One element more than asked for is the proof of another page", arguments: [
        (0, nil), (2, nil), (3, nil), (4, 3),
    ] as [(Int, Int?)])
    func cut(found: Int, cursor: Int?) {
        let page = Page(Array(1...10).prefix(found).map { $0 }, limit: 3) { String($0) }
        #expect(page.data.count == min(found, 3))
        #expect(page.nextCursor == cursor.map { String($0) })
    }
}
