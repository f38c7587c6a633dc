// swift-tools-version:6.2
// The parsers of outside input under libFuzzer and AddressSanitizer: `make fuzz`. A package of its own, because these flags
// would recompile everything; `Shared`, `EdgeProxy` and `Hostile` are links to the real sources.
import PackageDescription

let instrumented: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"), .enableExperimentalFeature("Lifetimes"),
    .unsafeFlags(["-O", "-sanitize=fuzzer,address", "-parse-as-library", "-enable-testing"]),
]

func library(_ floor: String, _ name: String, _ uses: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: uses, path: "Shared/\(floor)/\(name)", swiftSettings: instrumented)
}

let package = Package(
    name: "Fuzz",
    targets: [
        .systemLibrary(name: "COpenSSL", path: "Shared/C/COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CSndfile", path: "Shared/C/CSndfile", pkgConfig: "sndfile"),
        .systemLibrary(name: "CSamplerate", path: "Shared/C/CSamplerate", pkgConfig: "samplerate"),
        .systemLibrary(name: "COpus", path: "Shared/C/COpus", pkgConfig: "opus"),
        .systemLibrary(name: "CSpanDSP", path: "Shared/C/CSpanDSP", pkgConfig: "spandsp"),
        .systemLibrary(name: "CBcg729", path: "Shared/C/CBcg729", pkgConfig: "libbcg729"),
        .systemLibrary(name: "CSpeexDSP", path: "Shared/C/CSpeexDSP", pkgConfig: "speexdsp"),
        .target(name: "CLanes", path: "Shared/C/CLanes"),
        library("Foundations", "Bytes", ["CLanes"]),
        library("Foundations", "Deadlines"),
        library("Foundations", "JSONCoding"),
        library("Foundations", "Addresses", ["Bytes"]),
        library("Foundations", "Cryptography", ["COpenSSL", "Bytes"]),
        library("Protocols", "SIP", ["Bytes", "Deadlines", "Addresses", "Cryptography"]),
        library("Protocols", "WebSocket", ["Bytes", "Cryptography"]),
        library("Protocols", "STUN", ["Addresses", "Cryptography"]),
        library("Protocols", "ICE", ["Bytes", "Deadlines", "Addresses", "Cryptography", "STUN"]),
        library("Protocols", "SDP", ["Bytes", "Addresses"]),
        library("Protocols", "NG", ["Bytes", "Deadlines", "Addresses", "SDP"]),
        library("Protocols", "RTP", ["Bytes", "Deadlines"]),
        library("Protocols", "SRTP", ["COpenSSL", "Bytes", "RTP"]),
        library("Protocols", "DTLS", ["COpenSSL", "Bytes", "Deadlines", "SRTP"]),
        library("Protocols", "Audio", ["Bytes", "CSndfile", "CSamplerate"]),
        library("Protocols", "Codecs", ["Bytes", "Deadlines", "RTP", "Audio", "COpus", "CSpanDSP", "CBcg729", "CSpeexDSP"]),
        library("Protocols", "MediaSession", ["Bytes", "Deadlines", "Addresses", "SDP", "RTP", "Audio", "Codecs", "ICE", "DTLS", "SRTP"]),
        library("Protocols", "Flow", ["JSONCoding"]),
        library("Protocols", "MediaStream", ["Bytes", "Deadlines", "Audio", "Flow"]),
        .target(
            name: "EdgeCore", dependencies: ["Bytes", "Deadlines", "Addresses", "Cryptography", "SIP"], path: "EdgeProxy",
            exclude: ["Loop", "Program.swift"], sources: ["Admission", "Core"], swiftSettings: instrumented),
        .target(
            name: "SpeechText", path: "Shared/Platform/Speech",
            sources: ["SpeechMarkup.swift", "XMLReader.swift", "Prosody.swift", "SpeechError.swift"], swiftSettings: instrumented),
        .target(name: "Hostile", path: "Hostile", swiftSettings: instrumented),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "Bytes", "JSONCoding", "Deadlines", "Addresses", "Cryptography", "SIP", "WebSocket", "STUN", "ICE", "SDP", "NG", "RTP", "SRTP", "DTLS", "Audio", "Codecs",
                "MediaSession", "Flow", "MediaStream", "SpeechText", "EdgeCore", "Hostile",
            ],
            path: "Fuzz", swiftSettings: instrumented,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
    ],
    swiftLanguageModes: [.v6]
)
