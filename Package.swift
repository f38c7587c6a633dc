// swift-tools-version:6.2
// The map of Tandem: one line per module, bottom floor first. A module may import only modules that stand above
// its own line here (so there are no cycles), nothing imports a service, and no floor reaches past its rule below.
import PackageDescription

enum Floor: Int {
    case cellar, foundation, protocols, platform, service, test
}

enum Shape {
    /// A system library: a module map, nothing compiled.
    case system(pkgConfig: String?, apt: String)
    /// C compiled here: declarations the Swift importer cannot see by itself.
    case c
    /// An ordinary library. `hot` ones are optimised in debug builds too: packets pass through them.
    case library(hot: Bool)
    case executable
    case tests
}

struct Module {
    let floor: Floor
    let name: String
    let shape: Shape
    let path: String
    let uses: [String]
    let products: [(name: String, package: String)]
    let resources: [String]

    init(
        _ floor: Floor, _ name: String, _ shape: Shape, _ path: String, uses: [String] = [],
        products: [(name: String, package: String)] = [], resources: [String] = []
    ) {
        (self.floor, self.name, self.shape, self.path) = (floor, name, shape, path)
        (self.uses, self.products, self.resources) = (uses, products, resources)
    }
}

let log = (name: "Logging", package: "swift-log")
let lifecycle = (name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird = (name: "Hummingbird", package: "hummingbird")

let modules: [Module] = [
    // Cellar: system libraries only.
    Module(.cellar, "CLinux", .c, "Shared/C/CLinux"),
    Module(.cellar, "CLanes", .c, "Shared/C/CLanes"),
    Module(.cellar, "COpenSSL", .system(pkgConfig: "openssl", apt: "libssl-dev"), "Shared/C/COpenSSL"),
    Module(.cellar, "CRabbitMQ", .system(pkgConfig: "librabbitmq", apt: "librabbitmq-dev"), "Shared/C/CRabbitMQ"),
    Module(.cellar, "CPostgres", .system(pkgConfig: "libpq", apt: "libpq-dev"), "Shared/C/CPostgres"),
    Module(.cellar, "CHiredis", .system(pkgConfig: nil, apt: "libhiredis-dev"), "Shared/C/CHiredis"),
    Module(.cellar, "CSndfile", .system(pkgConfig: "sndfile", apt: "libsndfile1-dev"), "Shared/C/CSndfile"),
    Module(.cellar, "CSamplerate", .system(pkgConfig: "samplerate", apt: "libsamplerate0-dev"), "Shared/C/CSamplerate"),
    Module(.cellar, "COpus", .system(pkgConfig: "opus", apt: "libopus-dev"), "Shared/C/COpus"),
    Module(.cellar, "CSpanDSP", .system(pkgConfig: "spandsp", apt: "libspandsp-dev"), "Shared/C/CSpanDSP"),
    Module(.cellar, "CBcg729", .system(pkgConfig: "libbcg729", apt: "libbcg729-dev"), "Shared/C/CBcg729"),
    Module(.cellar, "CSpeexDSP", .system(pkgConfig: "speexdsp", apt: "libspeexdsp-dev"), "Shared/C/CSpeexDSP"),
    Module(.cellar, "CEspeak", .system(pkgConfig: "espeak-ng", apt: "libespeak-ng-dev"), "Shared/C/CEspeak"),
    Module(.cellar, "CPocketsphinx", .system(pkgConfig: "pocketsphinx", apt: "libpocketsphinx-dev"), "Shared/C/CPocketsphinx"),

    // Foundations: values everything else is made of.
    Module(.foundation, "Bytes", .library(hot: true), "Shared/Foundations/Bytes", uses: ["CLanes"]),
    Module(.foundation, "JSONCoding", .library(hot: true), "Shared/Foundations/JSONCoding"),
    Module(.foundation, "Deadlines", .library(hot: true), "Shared/Foundations/Deadlines"),
    Module(.foundation, "Addresses", .library(hot: true), "Shared/Foundations/Addresses", uses: ["Bytes"]),
    Module(.foundation, "Cryptography", .library(hot: true), "Shared/Foundations/Cryptography", uses: ["COpenSSL", "Bytes"]),

    // Protocols: bytes and time in, values out. No socket, clock, task, random source or logger.
    Module(.protocols, "SIP", .library(hot: true), "Shared/Protocols/SIP", uses: ["Bytes", "Deadlines", "Addresses", "Cryptography"]),
    Module(.protocols, "SDP", .library(hot: true), "Shared/Protocols/SDP", uses: ["Bytes", "Addresses"]),
    Module(.protocols, "RTP", .library(hot: true), "Shared/Protocols/RTP", uses: ["Bytes", "Deadlines"]),
    Module(.protocols, "SRTP", .library(hot: true), "Shared/Protocols/SRTP", uses: ["COpenSSL", "Bytes", "RTP"]),
    Module(.protocols, "DTLS", .library(hot: true), "Shared/Protocols/DTLS", uses: ["COpenSSL", "Bytes", "Deadlines", "SRTP"]),
    Module(.protocols, "Audio", .library(hot: true), "Shared/Protocols/Audio", uses: ["Bytes", "CSndfile", "CSamplerate"]),
    Module(.protocols, "Hearing", .library(hot: true), "Shared/Protocols/Hearing", uses: ["Audio"]),
    Module(.protocols, "Codecs", .library(hot: true), "Shared/Protocols/Codecs", uses: ["Bytes", "Deadlines", "RTP", "Audio", "COpus", "CSpanDSP", "CBcg729", "CSpeexDSP"]),
    Module(.protocols, "WebSocket", .library(hot: true), "Shared/Protocols/WebSocket", uses: ["Bytes", "Cryptography"]),
    Module(.protocols, "HEP", .library(hot: true), "Shared/Protocols/HEP", uses: ["Addresses"]),
    Module(.protocols, "Pcap", .library(hot: true), "Shared/Protocols/Pcap", uses: ["Addresses"]),
    Module(.protocols, "STUN", .library(hot: true), "Shared/Protocols/STUN", uses: ["Addresses", "Cryptography"]),
    Module(.protocols, "ICE", .library(hot: true), "Shared/Protocols/ICE", uses: ["Bytes", "Deadlines", "Addresses", "Cryptography", "STUN"]),
    Module(.protocols, "MediaSession", .library(hot: true), "Shared/Protocols/MediaSession", uses: ["Bytes", "Deadlines", "Addresses", "SDP", "RTP", "Audio", "Codecs", "ICE", "SRTP", "DTLS"]),
    Module(.protocols, "NG", .library(hot: false), "Shared/Protocols/NG", uses: ["Bytes", "Deadlines", "Addresses", "SDP"]),
    Module(.protocols, "Flow", .library(hot: false), "Shared/Protocols/Flow", uses: ["JSONCoding"]),
    Module(.protocols, "FlowSimulation", .library(hot: false), "Shared/Protocols/FlowSimulation", uses: ["Flow"]),
    Module(.protocols, "MediaStream", .library(hot: false), "Shared/Protocols/MediaStream", uses: ["Bytes", "Deadlines", "Audio", "Flow"]),
    Module(.protocols, "Contracts", .library(hot: false), "Shared/Protocols/Contracts", uses: ["Bytes", "Flow"]),

    // Platform: sockets, clocks, tasks. Knows no protocol but Contracts.
    Module(.platform, "Telemetry", .library(hot: true), "Shared/Platform/Telemetry", products: [log]),
    Module(.platform, "Threads", .library(hot: true), "Shared/Platform/Threads", uses: ["CLinux", "Deadlines"]),
    Module(.platform, "Datagrams", .library(hot: true), "Shared/Platform/Datagrams", uses: ["CLinux", "Bytes", "Addresses", "Threads"]),
    Module(.platform, "FastPath", .library(hot: true), "Shared/Platform/FastPath", uses: ["CLinux", "Deadlines", "Addresses"]),
    Module(.platform, "Processes", .library(hot: true), "Shared/Platform/Processes", uses: ["CLinux"]),
    Module(.platform, "Streams", .library(hot: true), "Shared/Platform/Streams", uses: ["CLinux", "Bytes", "Deadlines", "Addresses", "Threads", "Datagrams"]),
    Module(.platform, "TLS", .library(hot: true), "Shared/Platform/TLS", uses: ["COpenSSL"]),
    Module(.platform, "Bus", .library(hot: false), "Shared/Platform/Bus", uses: ["CLinux", "CRabbitMQ", "Bytes", "JSONCoding", "Deadlines", "Contracts", "Threads", "Telemetry"], products: [log]),
    Module(.platform, "Database", .library(hot: false), "Shared/Platform/Database", uses: ["CLinux", "CPostgres", "Bytes", "Deadlines", "Threads", "Telemetry"], products: [log]),
    Module(.platform, "Cache", .library(hot: false), "Shared/Platform/Cache", uses: ["CLinux", "CHiredis", "Bytes", "Deadlines", "Threads", "Telemetry"], products: [log]),
    Module(.platform, "Speech", .library(hot: false), "Shared/Platform/Speech", uses: ["CEspeak", "CLinux", "Threads", "Audio"]),
    Module(.platform, "Recognition", .library(hot: true), "Shared/Platform/Recognition", uses: ["CPocketsphinx", "Threads"]),
    Module(.platform, "Fetching", .library(hot: false), "Shared/Platform/Fetching", uses: ["Bytes", "Addresses", "Threads"], products: [(name: "AsyncHTTPClient", package: "async-http-client"), (name: "NIOCore", package: "swift-nio")]),
    Module(.platform, "ServiceKit", .library(hot: false), "Shared/Platform/ServiceKit", uses: ["Bytes", "JSONCoding", "Deadlines", "Addresses", "Cryptography", "Contracts", "Telemetry", "Threads", "Streams", "Bus", "Database", "Cache"], products: [log, lifecycle, hummingbird]),
    Module(.platform, "Succession", .library(hot: false), "Shared/Platform/Succession", uses: ["Bytes", "Deadlines", "Cryptography", "Contracts", "Telemetry", "Threads", "Processes", "ServiceKit"], products: [log]),

    // Services: wiring, one pure core, one file per bus operation, one store.
    Module(.service, "EdgeProxy", .executable, "Services/EdgeProxy", uses: ["Bytes", "Deadlines", "Addresses", "Cryptography", "SIP", "WebSocket", "STUN", "HEP", "Contracts", "Telemetry", "Threads", "Datagrams", "Streams", "TLS", "Bus", "Cache", "ServiceKit"], products: [log]),
    Module(.service, "Registrar", .executable, "Services/Registrar", uses: ["Bytes", "JSONCoding", "Deadlines", "Addresses", "Cryptography", "SIP", "Contracts", "Telemetry", "Threads", "Datagrams", "Streams", "Bus", "Database", "Cache", "ServiceKit"], products: [log], resources: ["Migrations"]),
    Module(.service, "CallServer", .executable, "Services/CallServer", uses: ["Bytes", "JSONCoding", "Deadlines", "Addresses", "Cryptography", "SIP", "Flow", "Contracts", "Telemetry", "Threads", "Datagrams", "Streams", "Bus", "Database", "Cache", "ServiceKit"], products: [log], resources: ["Migrations"]),
    Module(.service, "ConferenceServer", .executable, "Services/ConferenceServer", uses: ["Bytes", "JSONCoding", "Deadlines", "Addresses", "Cryptography", "RTP", "Audio", "WebSocket", "MediaStream", "Hearing", "Codecs", "Flow", "Contracts", "Telemetry", "Threads", "Datagrams", "Processes", "Streams", "TLS", "Bus", "Database", "Cache", "Speech", "Recognition", "Fetching", "ServiceKit", "Succession"], products: [log, (name: "AsyncHTTPClient", package: "async-http-client"), (name: "NIOCore", package: "swift-nio")], resources: ["Migrations"]),
    Module(.service, "MediaRelay", .executable, "Services/MediaRelay", uses: ["Bytes", "JSONCoding", "Deadlines", "Addresses", "Cryptography", "SDP", "RTP", "Audio", "Codecs", "ICE", "SRTP", "DTLS", "MediaSession", "NG", "Pcap", "Contracts", "Telemetry", "Threads", "Datagrams", "FastPath", "Processes", "Bus", "Cache", "ServiceKit", "Succession"], products: [log]),
    Module(.service, "FlowManager", .executable, "Services/FlowManager", uses: ["Bytes", "JSONCoding", "Deadlines", "Addresses", "Cryptography", "Flow", "Contracts", "Telemetry", "Threads", "Bus", "Database", "Fetching", "ServiceKit"], products: [log, (name: "AsyncHTTPClient", package: "async-http-client"), (name: "NIOCore", package: "swift-nio")], resources: ["Migrations"]),
    Module(.service, "APIGateway", .executable, "Services/APIGateway", uses: ["Bytes", "Deadlines", "Addresses", "Cryptography", "Pcap", "Flow", "Contracts", "Telemetry", "Threads", "Bus", "Database", "ServiceKit"], products: [log, (name: "HummingbirdCore", package: "hummingbird"), (name: "HTTPTypes", package: "swift-http-types"), (name: "NIOCore", package: "swift-nio"), (name: "NIOHTTP1", package: "swift-nio"), (name: "NIOWebSocket", package: "swift-nio"), (name: "NIOPosix", package: "swift-nio"), (name: "NIOHTTPTypes", package: "swift-nio-extras"), (name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")], resources: ["Migrations"]),

    // For who writes flows: `tandem flow test FILE`.
    Module(.test, "tandem", .executable, "Shared/Tools/tandem", uses: ["Flow", "FlowSimulation"]),

    // Tests mirror the modules; Phone is a SIP user agent that hears what it is sent, SelfCall the call `make up` places.
    Module(.test, "Phone", .library(hot: true), "Tests/Phone", uses: ["Bytes", "Deadlines", "Addresses", "Cryptography", "SIP", "WebSocket", "SDP", "RTP", "Audio", "Threads", "Datagrams", "Streams", "TLS"]),
    Module(.test, "ChildProcesses", .library(hot: false), "Tests/ChildProcesses"),
    Module(.test, "Suite", .library(hot: false), "Tests/Suite", uses: ["Addresses", "Datagrams", "Flow", "Contracts", "SIP", "WebSocket", "SDP", "TLS", "Bus", "Phone", "ChildProcesses"], products: [log]),
    Module(.test, "SelfCall", .executable, "Tests/SelfCall", uses: ["Deadlines", "Addresses", "SIP", "Phone"]),
    Module(.test, "ForwardingBenchmark", .executable, "Tests/ForwardingBenchmark", uses: ["Deadlines", "Addresses", "Cryptography", "SIP", "Threads"]),
    Module(.test, "CodecBenchmark", .executable, "Tests/CodecBenchmark", uses: ["Deadlines", "RTP", "Audio", "Codecs", "Threads"]),
    Module(.test, "Benchmarks", .executable, "Tests/Benchmarks", uses: ["Deadlines", "Addresses", "RTP", "Audio", "Flow", "Contracts", "Threads", "Datagrams", "Bus", "Phone"], products: [log]),
    Module(.test, "Hostile", .library(hot: true), "Tests/Hostile", uses: []),
    Module(.test, "PhoneTests", .tests, "Tests/PhoneTests", uses: ["Deadlines", "Addresses", "SIP", "SDP", "Threads", "Datagrams", "Streams", "Phone"]),
    Module(.test, "FoundationsTests", .tests, "Tests/FoundationsTests", uses: ["Bytes", "JSONCoding", "Deadlines", "Addresses", "Cryptography"]),
    Module(.test, "SIPTests", .tests, "Tests/SIPTests", uses: ["Bytes", "Deadlines", "Addresses", "Cryptography", "SIP", "Hostile"]),
    Module(.test, "WebSocketTests", .tests, "Tests/WebSocketTests", uses: ["WebSocket"]),
    Module(.test, "MediaStreamTests", .tests, "Tests/MediaStreamTests", uses: ["Deadlines", "Audio", "MediaStream"]),
    Module(.test, "HEPTests", .tests, "Tests/HEPTests", uses: ["Addresses", "HEP"]),
    Module(.test, "PcapTests", .tests, "Tests/PcapTests", uses: ["Addresses", "Pcap"]),
    Module(.test, "STUNTests", .tests, "Tests/STUNTests", uses: ["Bytes", "Addresses", "STUN"]),
    Module(.test, "ICETests", .tests, "Tests/ICETests", uses: ["Bytes", "Deadlines", "Addresses", "Cryptography", "STUN", "ICE"]),
    Module(.test, "MediaTests", .tests, "Tests/MediaTests", uses: ["Bytes", "Deadlines", "Addresses", "SDP", "RTP", "Audio", "Codecs", "ICE", "SRTP", "DTLS", "MediaSession", "ChildProcesses"]),
    Module(.test, "CSRTP", .system(pkgConfig: nil, apt: "libsrtp2-dev"), "Tests/CSRTP"),
    Module(.test, "SecureMediaTests", .tests, "Tests/SecureMediaTests", uses: ["CSRTP", "Bytes", "Deadlines", "Addresses", "RTP", "SRTP", "DTLS", "Threads", "Datagrams", "ChildProcesses"]),
    Module(.test, "CodecTests", .tests, "Tests/CodecTests", uses: ["Deadlines", "RTP", "Audio", "Codecs", "CSpanDSP", "ChildProcesses"]),
    Module(.test, "HearingTests", .tests, "Tests/HearingTests", uses: ["Audio", "Hearing", "Speech"]),
    Module(.test, "NGTests", .tests, "Tests/NGTests", uses: ["Deadlines", "Addresses", "SDP", "NG"]),
    Module(.test, "FlowTests", .tests, "Tests/FlowTests", uses: ["Flow", "FlowSimulation", "ChildProcesses"]),
    Module(.test, "PlatformTests", .tests, "Tests/PlatformTests", uses: ["CLinux", "Bytes", "Deadlines", "Addresses", "Contracts", "Telemetry", "Threads", "Datagrams", "FastPath", "Streams", "TLS", "Audio", "Speech", "Bus", "Database", "Cache", "ServiceKit", "Suite", "ChildProcesses"]),
    Module(.test, "ServiceTests", .tests, "Tests/ServiceTests", uses: ["Bytes", "Deadlines", "Addresses", "Cryptography", "SIP", "SDP", "RTP", "ICE", "SRTP", "DTLS", "Audio", "Hearing", "Codecs", "MediaSession", "NG", "Flow", "Contracts", "Threads", "Datagrams", "FastPath", "Speech", "Processes", "Database", "Cache", "ServiceKit", "Succession", "Hostile", "ChildProcesses"]),
    Module(.test, "Scenarios", .tests, "Tests/Scenarios", uses: ["Deadlines", "Addresses", "HEP", "Flow", "Contracts", "SIP", "SDP", "RTP", "Audio", "Speech", "ICE", "SRTP", "DTLS", "MediaSession", "TLS", "Threads", "Datagrams", "Phone", "Suite", "Hostile", "ChildProcesses"]),
    Module(.test, "Faults", .tests, "Tests/Faults", uses: ["Addresses", "Deadlines", "Flow", "SIP", "Phone", "ChildProcesses", "Suite"]),
    Module(.test, "Interop", .tests, "Tests/Interop", uses: ["Addresses", "SDP", "RTP", "NG", "SIP", "Audio", "Threads", "Datagrams", "Phone", "Suite"]),
]

// The import rule, checked whenever the manifest is read.
for (index, module) in modules.enumerated() {
    let above = modules[..<index]
    precondition(!above.contains { $0.name == module.name }, "\(module.name) stands in the map twice")
    for name in module.uses {
        guard let used = above.first(where: { $0.name == name }) else {
            preconditionFailure("\(module.name) uses \(name), which does not stand above it in the map")
        }
        precondition(used.floor != .service, "\(module.name) uses the service \(name): nothing imports a service")
        precondition(used.floor.rawValue <= module.floor.rawValue, "\(module.name) uses \(name) from a floor above its own")
        precondition(
            module.floor != .platform || used.floor != .protocols || ["Contracts", "Audio"].contains(name),
            "\(module.name) uses \(name): the platform floor knows no protocol but Contracts (Speech: and Audio's samples)")
        precondition(
            module.floor != .service || used.floor != .cellar,
            "\(module.name) uses the C library \(name): services reach C through a module that owns it")
    }
}

let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

/// The pure core of an executable is tested from `Tests/ServiceTests`, so that one test target may import services.
/// Whether one access to a variable overlaps another is asked at run time in debug builds, in which all tests run; packets do not pay.
let unchecked = SwiftSetting.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))

let services = modules.filter { $0.floor == .service }.map(\.name)

func target(for module: Module) -> Target {
    var uses = module.uses.map { Target.Dependency.byName(name: $0) }
    if module.name == "ServiceTests" { uses += services.map { .byName(name: $0) } }
    uses += module.products.map { .product(name: $0.name, package: $0.package) }
    let resources = module.resources.map { Resource.embedInCode($0) }
    switch module.shape {
    case .system(let pkgConfig, let apt):
        return .systemLibrary(name: module.name, path: module.path, pkgConfig: pkgConfig, providers: [.apt([apt])])
    case .c:
        return .target(name: module.name, path: module.path, cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])])
    case .library(let hot):
        var settings = common + (module.floor == .test ? [] : [.strictMemorySafety()])
        if hot {
            settings.append(.unsafeFlags(["-O"], .when(configuration: .debug)))
            settings.append(unchecked)
        }
        return .target(name: module.name, dependencies: uses, path: module.path, resources: resources, swiftSettings: settings)
    case .executable:
        let settings = common + (module.floor == .test ? [] : [.strictMemorySafety(), unchecked])
        return .executableTarget(name: module.name, dependencies: uses, path: module.path, resources: resources, swiftSettings: settings)
    case .tests:
        return .testTarget(name: module.name, dependencies: uses, path: module.path, exclude: [], swiftSettings: common)
    }
}

let package = Package(
    name: "Tandem",
    platforms: [.macOS(.v26)],
    products: modules.filter { if case .executable = $0.shape { true } else { false } }
        .map { .executable(name: $0.name, targets: [$0.name]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: ["FullFoundation"]),
    ],
    targets: modules.map(target(for:)),
    swiftLanguageModes: [.v6]
)
