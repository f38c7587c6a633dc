import Glibc

// SwiftPM renames an executable's `main`; this is the name it looks for, and libFuzzer's driver is called from it.

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The surface under test: set once, before the driver starts.
nonisolated(unsafe) private var surface = Surface.sip

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    surface.feed(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}

/// `Fuzz SURFACE [libFuzzer's options] CORPUS...`
@_cdecl("Fuzz_main")
public func fuzz(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    guard count > 1, let name = arguments?[1], let chosen = Surface(rawValue: String(cString: name)) else {
        fputs("Fuzz \(Surface.allCases.map(\.rawValue).joined(separator: "|")) [options] CORPUS...\n", stderrStream())
        return 2
    }
    surface = chosen
    // The driver sees the program's name and what follows the surface.
    arguments?[1] = arguments?[0]
    guard var rest = arguments.map({ $0 + 1 }) else { return 2 }
    var left = count - 1
    return withUnsafeMutablePointer(to: &rest) { pointer in
        pointer.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) {
            runDriver(&left, $0, testOneInput)
        }
    }
}

private func stderrStream() -> UnsafeMutablePointer<FILE>? { fdopen(2, "w") }
