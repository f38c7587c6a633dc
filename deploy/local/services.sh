# shellcheck shell=bash disable=SC2154 # the ports come from layout.sh
# The services of one copy of the suite, in the order of their admin ports, and the settings each instance gets.
# Sourced after layout.sh. What a setting means, its service tells: `.build/release/<Service> --print-config`.

services=(EdgeProxy Registrar CallServer ConferenceServer MediaRelay FlowManager APIGateway)

# port_of SERVICE BASE N: one row of ten ports per service, the instance counts within it.
port_of() {
    local row
    for row in "${!services[@]}"; do
        [ "${services[row]}" != "$1" ] || echo $(($2 + row * 10 + $3))
    done
}

# share_of RANGE N COUNT: the N-th of COUNT equal parts of a range of ports; every part starts even (RFC 3550 §11).
share_of() {
    local first=${1%-*} last=${1#*-} size
    size=$(((last - first + 1) / $3 / 2 * 2))
    echo "$((first + size * ($2 - 1)))-$((first + size * $2 - 1))"
}

# instance_ports SERVICE N: "protocol port what" for every fixed port that the instance opens.
instance_ports() {
    case $1 in
        EdgeProxy)
            echo "udp $(sip_port_of "$2") SIP"
            echo "tcp $(sip_port_of "$2") SIP"
            echo "tcp $(beside "$tls_port" "$2") SIP over TLS"
            echo "tcp $(beside "$ws_port" "$2") SIP over WebSocket"
            echo "tcp $(beside "$wss_port" "$2") SIP over WebSocket and TLS"
            echo "udp $(edge_inside_port "$2") SIP inside"
            echo "tcp $(edge_inside_port "$2") SIP inside"
            ;;
        CallServer | Registrar)
            echo "udp $(port_of "$1" "$inside_base" "$2") SIP inside"
            echo "tcp $(port_of "$1" "$inside_base" "$2") SIP inside"
            ;;
        APIGateway) echo "tcp $((api_port + $2 - 1)) API" ;;
    esac
    echo "tcp $(port_of "$1" "$admin_base" "$2") $1's admin port"
}

# beside PORT N: the first edge has the port that phones know; the others stand beside it.
beside() { echo $(($1 + 10 * ($2 - 1))); }
sip_port_of() { beside "$sip_port" "$1"; }

# An edge opens one port per event loop on the inside, so each has a hundred.
edge_inside_port() { echo $((edge_inside_base + 100 * ($1 - 1))); }

# settings_of SERVICE N COUNT: NAME=VALUE lines. An unknown name is an error in the service, so each gets only its own.
settings_of() {
    local database cache
    database="TANDEM_DATABASE_URL=$(database_url)"
    cache="TANDEM_REDIS_URL=$(redis_url)"
    cat <<COMMON
TANDEM_INSTANCE=$1-$2
TANDEM_ADMIN_LISTEN=127.0.0.1:$(port_of "$1" "$admin_base" "$2")
TANDEM_INSIDE_ADDRESS=127.0.0.1
TANDEM_AMQP_URL=$(amqp_url)
TANDEM_CLUSTER_KEY_FILE=$run/secrets/cluster
TANDEM_LOG_LEVEL=${TANDEM_LOG_LEVEL:-info}
TANDEM_DRAIN_SECONDS=${TANDEM_DRAIN_SECONDS:-3}
COMMON
    case $1 in
        EdgeProxy)
            echo "$cache"
            cat <<EDGE
TANDEM_SIP_LISTEN=$(on_loopback "$(sip_port_of "$2")")
TANDEM_TLS_LISTEN=$(on_loopback "$(beside "$tls_port" "$2")")
TANDEM_WS_LISTEN=$(on_loopback "$(beside "$ws_port" "$2")")
TANDEM_WSS_LISTEN=$(on_loopback "$(beside "$wss_port" "$2")")
TANDEM_TLS_CERTIFICATE=$run/secrets/tls.pem
TANDEM_TLS_KEY=$run/secrets/tls.key
TANDEM_SIP_DOMAIN=demo.localhost
TANDEM_TRUNKS=$run/trunks.json
TANDEM_INSIDE_SIP_PORT=$(edge_inside_port "$2")
TANDEM_ADMISSION_EXEMPT=::1
EDGE
            [ -z "${TANDEM_OVERLOAD_MILLISECONDS:-}" ] || echo "TANDEM_OVERLOAD_MILLISECONDS=$TANDEM_OVERLOAD_MILLISECONDS"
            ;;
        Registrar)
            printf '%s\n' "$database" "$cache"
            echo "TANDEM_SIP_PORT=$(port_of "$1" "$inside_base" "$2")"
            [ -z "${TANDEM_SUBSCRIBE_MIN_SECONDS:-}" ] || echo "TANDEM_SUBSCRIBE_MIN_SECONDS=$TANDEM_SUBSCRIBE_MIN_SECONDS"
            ;;
        CallServer)
            printf '%s\n' "$database" "$cache"
            echo "TANDEM_SIP_PORT=$(port_of "$1" "$inside_base" "$2")"
            echo "TANDEM_SIP_DOMAIN=demo.localhost"
            [ -z "${TANDEM_SLOW_ANSWER_MILLISECONDS:-}" ] || echo "TANDEM_SLOW_ANSWER_MILLISECONDS=$TANDEM_SLOW_ANSWER_MILLISECONDS"
            ;;
        ConferenceServer)
            printf '%s\n' "$database" "$cache"
            echo "TANDEM_SOUNDS=$run/sounds"
            echo "TANDEM_SOUND_CACHE=$run/sound-copies-$2"
            echo "TANDEM_RECORDINGS=$run/recordings"
            echo "TANDEM_RECORDING_KEY=cluster"
            # Fetches for a customer never reach private addresses; on one's own machine, one's own web server may be heard.
            echo "TANDEM_FETCH_ALLOW=${TANDEM_FETCH_ALLOW-127.0.0.1}"
            printenv | grep '^TANDEM_RECORDING_S3_' || true
            [ -z "${TANDEM_STREAM_AUTHORITIES:-}" ] || echo "TANDEM_STREAM_AUTHORITIES=$TANDEM_STREAM_AUTHORITIES"
            ;;
        MediaRelay)
            echo "$cache"
            echo "TANDEM_MEDIA_ADDRESS=127.0.0.1"
            [ "$(on_loopback 1)" = 127.0.0.1:1 ] || echo "TANDEM_MEDIA_ADDRESS6=::1"
            echo "TANDEM_RECORDINGS=$run/recordings"
            echo "TANDEM_CAPTURES=$run/captures"
            echo "TANDEM_RTP_PORTS=$(share_of "$rtp_ports" "$2" "$3")"
            ;;
        FlowManager)
            printf '%s\n' "$database" "$cache"
            echo "TANDEM_FETCH_ALLOW=${TANDEM_FETCH_ALLOW-127.0.0.1}"
            ;;
        APIGateway)
            echo "$database"
            echo "TANDEM_API_LISTEN=127.0.0.1:$((api_port + $2 - 1))"
            echo "TANDEM_BOOTSTRAP_KEY_FILE=$run/secrets/bootstrap"
            ;;
    esac
}
