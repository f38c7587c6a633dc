import Addresses
import ChildProcesses
import Foundation

@testable import FastPath

/// Two machines as network namespaces, each with a link of its own to this one: 10.98.1.2 and 10.98.2.2, and 10.98.1.1 and 10.98.2.1 here.
struct TwoLinks {
    struct Heard: Hashable {
        var bytes: [UInt8]
        var from: SocketAddress
    }

    enum Trouble: Error { case failed(String) }

    private let mark = String(UInt32.random(in: 0...0xffff), radix: 16)
    private func machine(_ number: Int) -> String { "tandem-\(mark)-\(number)" }

    init() throws {
        for number in 1...2 {
            let (name, link) = (machine(number), "td\(mark)\(number)")
            try Self.run("ip", "netns", "add", name)
            try Self.run("ip", "link", "add", link, "type", "veth", "peer", "name", "far", "netns", name)
            try Self.run("ip", "addr", "add", "10.98.\(number).1/24", "dev", link)
            try Self.run("ip", "link", "set", link, "up")
            try Self.run("ip", "-n", name, "addr", "add", "10.98.\(number).2/24", "dev", "far")
            try Self.run("ip", "-n", name, "link", "set", "far", "up")
        }
    }

    func remove() { for number in 1...2 { try? Self.run("ip", "netns", "del", machine(number)) } }

    private static func run(_ command: String...) throws {
        let process = ChildProcess("/usr/bin/env", command)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Trouble.failed(command.joined(separator: " ")) }
    }

    private func number(of address: SocketAddress) -> Int { address.address.description.hasPrefix("10.98.1.") ? 1 : 2 }

    /// One datagram of the machine that has the address.
    func say(_ bytes: [UInt8], from source: SocketAddress, to destination: SocketAddress) throws {
        let text = bytes.map { String($0) }.joined(separator: ",")
        let script = """
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(('\(source.address)', \(source.port)))
            s.sendto(bytes([\(text)]), ('\(destination.address)', \(destination.port)))
            """
        try Self.run("ip", "netns", "exec", machine(number(of: source)), "python3", "-c", script)
    }

    /// The same as a frame of VLAN 100 (IEEE 802.1Q), to everybody on the link.
    func sayTagged(_ bytes: [UInt8], from source: SocketAddress, to destination: SocketAddress) throws {
        let frame = Frame(source: source, destination: destination, payload: bytes).bytes
        let tagged = [UInt8](repeating: 0xff, count: 6) + frame[6..<12] + [0x81, 0, 0, 100] + frame[12...]
        let script = """
            import socket
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            s.bind(('far', 0))
            s.send(bytes([\(tagged.map { String($0) }.joined(separator: ","))]))
            """
        try Self.run("ip", "netns", "exec", machine(number(of: source)), "python3", "-c", script)
    }

    /// What comes there first.
    func hear(at address: SocketAddress, while act: () throws -> Void) throws -> Heard {
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(10)
            s.bind(('\(address.address)', \(address.port)))
            print('ready', flush=True)
            data, source = s.recvfrom(2000)
            print(source[0], source[1], *data)
            """
        let process = ChildProcess("/usr/bin/env", ["ip", "netns", "exec", machine(number(of: address)), "python3", "-c", script])
        let pipe = Pipe()
        process.output = pipe.fileHandleForWriting
        try process.run()
        try pipe.fileHandleForWriting.close()
        _ = pipe.fileHandleForReading.availableData
        try act()
        let line = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count > 2, let source = SocketAddress("\(words[0]):\(words[1])") else { throw Trouble.failed("nothing was heard: \(line)") }
        return Heard(bytes: words.dropFirst(2).compactMap { UInt8($0) }, from: source)
    }
}
