import Contracts
import Testing

@testable import Registrar

@Suite("Extensions and their credentials")
struct ExtensionTests {
    @Test(
        "every mistake of an extension is named by its pointer",
        arguments: [
            ("1001", "secret", "Anna", "", []), ("", "secret", "", nil, ["/number"]), ("10 01", "secret", "", nil, ["/number"]),
            (String(repeating: "1", count: 33), "secret", "", nil, ["/number"]), ("*600#", "p", "", nil, []),
            ("1001", "", "a\nb", "flow", ["/password", "/name", "/flow_id"]),
            ("1001", "secret", "", "flow_01ARZ3NDEKTSV4RRFFQ69G5FAV", []),
        ] as [(String, String, String, String?, [String])])
    func drafts(_ number: String, _ password: String, _ name: String, _ flowID: String?, _ pointers: [String]) {
        var found: [String] = []
        do throws(RPCError) { _ = try ExtensionDraft(number: number, password: password, name: name, flowID: flowID) } catch {
            #expect(error.code == .invalid)
            found = error.problems.map(\.pointer)
        }
        #expect(found == pointers)
    }

    @Test(
        "a domain is a host name, kept in lower case",
        arguments: [
            ("Demo.localhost", "demo.localhost"), ("a-1.example", "a-1.example"), ("", nil), ("a b", nil), (".a", nil), ("a.", nil),
            ("a;b", nil), ("ä.example", nil),
        ] as [(String, String?)])
    func domains(_ text: String, _ domain: String?) { #expect(ExtensionDraft.domain(text) == domain) }

    @Test("RFC 7616 §3.9.1: HA1 of both hashes survive sealing, and open for no other extension or key")
    func sealing() throws {
        let key = [UInt8](repeating: 7, count: 32)
        let sealing = SealedCredentials(key: key)
        let sealed = try sealing.seal(
            number: "Mufasa", domain: "http-auth@example.org", password: "Circle of Life", extensionID: "ext_1",
            nonce: [UInt8](repeating: 1, count: 12))
        #expect(
            sealing.open(sealed, extensionID: "ext_1")
                == .init(
                    md5: "3d78807defe7de2157e2b0b6573a855f",
                    sha256: "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"))
        #expect(sealing.open(sealed, extensionID: "ext_2") == nil)
        #expect(SealedCredentials(key: [UInt8](repeating: 8, count: 32)).open(sealed, extensionID: "ext_1") == nil)
        #expect(!String(decoding: sealed, as: UTF8.self).contains("Circle"))
    }
}
