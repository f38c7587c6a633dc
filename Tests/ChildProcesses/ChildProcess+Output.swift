import Foundation

extension ChildProcess {
    public struct Failed: Error {
        public let program: String
        public let status: Int32
    }

    /// The path of a program of ours: it lies beside these tests.
    public static func built(_ name: String) -> String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: name).path
    }

    /// What a program writes to its standard output, which is something; throws when it fails.
    public static func output(of executable: String, _ arguments: [String]) throws -> [UInt8] {
        let process = ChildProcess(executable, arguments)
        let pipe = Pipe()
        process.output = pipe.fileHandleForWriting
        try process.run()
        // So that the program's end is the end of what is read.
        try pipe.fileHandleForWriting.close()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, !bytes.isEmpty else { throw Failed(program: executable, status: process.terminationStatus) }
        return Array(bytes)
    }
}
