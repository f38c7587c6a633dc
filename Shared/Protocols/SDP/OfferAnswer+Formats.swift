// Which codecs both sides have, and under which numbers.
extension OfferAnswer {
    /// The offerer's numbers and order (RFC 3264 §6.1) behind what the caller prefers; our parameters.
    static func commonFormats(offer: [Format], ours: [Codec], preferring order: [Codec]) -> [AgreedFormat] {
        let common: [AgreedFormat] = offer.compactMap { format in
            ours.first { $0.isSameFormat(as: format.codec) }.map {
                AgreedFormat(
                    codec: $0, sendingPayloadType: format.payloadType, receivingPayloadType: format.payloadType,
                    remoteParameters: format.codec.parameters)
            }
        }
        guard !order.isEmpty else { return common }
        let preferred = order.flatMap { codec in common.filter { $0.codec.isSameFormat(as: codec) } }
        return preferred + common.filter { format in !preferred.contains { $0.receivingPayloadType == format.receivingPayloadType } }
    }

    /// The answerer's order; it sends with the numbers of our offer and wants the numbers of its answer (RFC 3264 §6.1).
    static func commonFormats(answer: [Format], offer: [Format]) -> [AgreedFormat] {
        answer.compactMap { format in
            offer.first { $0.codec.isSameFormat(as: format.codec) }.map {
                AgreedFormat(
                    codec: $0.codec, sendingPayloadType: format.payloadType, receivingPayloadType: $0.payloadType,
                    remoteParameters: format.codec.parameters)
            }
        }
    }

    /// A number once used keeps its meaning for the session (RFC 3264 §8.3.2); new codecs get 101 (events) or 96 and up.
    func offerFormats() -> [Format] {
        let known = agreement?.formats ?? []
        // Of a description that we go on with, as long as nothing is agreed on.
        let described = agreement == nil ? localStream?.payloadFormats ?? [] : []
        var used = Set(known.map(\.receivingPayloadType)).union(described.map(\.payloadType))
        return local.codecs.compactMap { codec in
            if let before = known.first(where: { $0.codec.isSameFormat(as: codec) }) {
                return Format(payloadType: before.receivingPayloadType, codec: codec)
            }
            if let before = described.first(where: { $0.codec.isSameFormat(as: codec) }) {
                return Format(payloadType: before.payloadType, codec: codec)
            }
            let fixed = codec.staticPayloadType ?? (codec.isTelephoneEvent && !used.contains(101) ? 101 : nil)
            guard let number = fixed ?? (96...127).first(where: { !used.contains($0) && $0 != 101 }) else { return nil }
            used.insert(number)
            return Format(payloadType: number, codec: codec)
        }
    }
}
