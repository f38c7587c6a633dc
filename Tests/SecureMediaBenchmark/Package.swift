// swift-tools-version:6.2
// What protecting a packet costs, beside libsrtp2 and beside other ways to use OpenSSL: `Tests/Benchmarks/srtp`. A package of its own, so
// that running the suite does not want libsrtp2; `Shared` and `CSRTP` are links to the real sources.
import PackageDescription

let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"), .enableExperimentalFeature("Lifetimes"),
]

func library(_ floor: String, _ name: String, _ uses: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: uses, path: "Shared/\(floor)/\(name)", swiftSettings: common)
}

let package = Package(
    name: "SecureMediaBenchmark",
    targets: [
        .systemLibrary(name: "COpenSSL", path: "Shared/C/COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CSRTP", path: "CSRTP"),
        .target(name: "CLanes", path: "Shared/C/CLanes"),
        library("Foundations", "Bytes", ["CLanes"]),
        library("Foundations", "Deadlines"),
        library("Protocols", "RTP", ["Bytes", "Deadlines"]),
        library("Protocols", "SRTP", ["COpenSSL", "Bytes", "RTP"]),
        .executableTarget(
            name: "SecureMediaBenchmark", dependencies: ["COpenSSL", "CSRTP", "SRTP"], path: "Benchmark", swiftSettings: common),
    ],
    swiftLanguageModes: [.v6]
)
