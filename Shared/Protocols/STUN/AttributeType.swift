/// The attributes of RFC 8489 §14 and RFC 8445 §16.1 that are understood here.
public enum AttributeType: UInt16, Sendable {
    case mappedAddress = 0x0001
    case username = 0x0006
    case messageIntegrity = 0x0008
    case errorCode = 0x0009
    case unknownAttributes = 0x000a
    case xorMappedAddress = 0x0020
    case priority = 0x0024
    case useCandidate = 0x0025
    case software = 0x8022
    case fingerprint = 0x8028
    case iceControlled = 0x8029
    case iceControlling = 0x802a

    /// Types below are for everybody to understand; a request with an unknown one is refused (§6.3.1).
    static let firstOptional: UInt16 = 0x8000
}
