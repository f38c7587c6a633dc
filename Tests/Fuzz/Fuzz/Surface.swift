/// The places where outside bytes come in, each with what must hold for any input beyond not crashing and not hanging.
enum Surface: String, CaseIterable {
    case sip, uri, via, address, header, digest, framer, outside, inside, token, websocket, upgrade, stun, ice, candidate, sdp
    case rtp, rtcp, srtp, crypto, dtls, port, codec, ng, flow, json, sound, ssml, ogg, sealed, client, stream

    func feed(_ bytes: [UInt8]) {
        switch self {
        case .sip: SIPSurface.message(bytes)
        case .uri: SIPSurface.uri(bytes)
        case .via: SIPSurface.via(bytes)
        case .address: SIPSurface.address(bytes)
        case .header: SIPSurface.header(bytes)
        case .digest: SIPSurface.digest(bytes)
        case .framer: SIPSurface.framer(bytes)
        case .outside: EdgeSurface.outside(bytes)
        case .inside: EdgeSurface.inside(bytes)
        case .token: EdgeSurface.token(bytes)
        case .websocket: StreamSurface.frames(bytes)
        case .upgrade: StreamSurface.upgrade(bytes)
        case .stun: StreamSurface.stun(bytes)
        case .ice: ICESurface.agent(bytes)
        case .candidate: ICESurface.candidate(bytes)
        case .sdp: MediaSurface.sdp(bytes)
        case .rtp: MediaSurface.rtp(bytes)
        case .rtcp: MediaSurface.rtcp(bytes)
        case .srtp: SecureMediaSurface.packets(bytes)
        case .crypto: SecureMediaSurface.crypto(bytes)
        case .dtls: SecureMediaSurface.handshake(bytes)
        case .port: PortSurface.datagrams(bytes)
        case .codec: CodecSurface.stream(bytes)
        case .ng: ControlSurface.message(bytes)
        case .flow: MediaSurface.flow(bytes)
        case .json: TextSurface.json(bytes)
        case .sound: SoundSurface.file(bytes)
        case .ssml: SoundSurface.markup(bytes)
        case .ogg: RecordingSurface.pages(bytes)
        case .sealed: RecordingSurface.sealed(bytes)
        case .client: MediaStreamSurface.connection(bytes)
        case .stream: MediaStreamSurface.messages(bytes)
        }
    }
}
