import Testing

@testable import CallServer

@Suite("RFC 3323, RFC 3325: callers who want to stay unknown") struct PrivateCallerTests {
    @Test("RFC 3323 §4.2: of a private caller the called phone hears nothing")
    func privacy() throws {
        var world = CallWorld()
        let caller = world.call(from: "1001", to: "1002") { $0.isPrivate = true }
        world.settle()
        let callee = try #require(world.child(of: caller))
        #expect(world.legs[callee]?.record.from == "anonymous")
        #expect(world.legs[caller]?.record.from == "1001", "its own record knows")
        let open = world.call(from: "1001", to: "1003")
        world.settle()
        let other = try #require(world.child(of: open))
        #expect(world.legs[other]?.record.from == "1001")
    }
}
