# shellcheck shell=bash disable=SC2034 # the ports are for the scripts that source this
# Where one copy of the suite lives (folder, ports, secrets), and the few words every script here uses.
# Sourced by the others, never run. One copy = one folder ($RUN) and one set of ports; `make up` and `make test`
# differ in nothing but these two.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=${here%/deploy/local}
run=$(realpath -m "${RUN:-$root/.run}")

# Contract (DESIGN §10) where $shift is 0; the tests move everything by thousands.
shift=${PORT_SHIFT:-0}
sip_port=${SIP_PORT:-$((5060 + shift))}
tls_port=$((sip_port + 1))
ws_port=${WS_PORT:-$((8088 + shift))}
wss_port=$((ws_port + 1))
api_port=${API_PORT:-$((8080 + shift))}
rtp_ports=${RTP_PORTS:-30000-39999}
postgres_port=$((7432 + shift))
redis_port=$((7379 + shift))
amqp_port=$((7672 + shift))
erlang_port=$((7673 + shift))
epmd_port=$((7369 + shift))
admin_base=$((7700 + shift)) # 7700-7799: one row of ten per service
inside_base=$((7800 + shift)) # 7800-7899: SIP between the services
edge_inside_base=$((8800 + shift)) # from 8800: the edges' side of it

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
fail() {
    warn "tandem: $*"
    exit 1
}

# secret NAME: prints the 32 random bytes (hex) kept under that name, made on first use.
secret() {
    local file=$run/secrets/$1
    if [ ! -s "$file" ]; then
        (umask 077 && mkdir -p "$run/secrets" && od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$file.new")
        mv "$file.new" "$file"
    fi
    cat "$file"
}

# certificate: makes the self-signed one of this machine, once; a real one may lie in its place.
certificate() {
    local folder=$run/secrets
    [ ! -s "$folder/tls.pem" ] || return 0
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj /CN=demo.localhost \
        -addext "subjectAltName=DNS:demo.localhost,DNS:localhost,IP:127.0.0.1,IP:::1" -keyout "$folder/tls.key" -out "$folder/tls.pem.new" 2>/dev/null) ||
        fail "openssl could not make a certificate in $folder"
    mv "$folder/tls.pem.new" "$folder/tls.pem"
}

database_url() { printf 'postgresql://tandem:%s@127.0.0.1:%s/%s' "$(secret postgres)" "$postgres_port" "${1:-tandem}"; }
redis_url() { printf 'redis://127.0.0.1:%s/%s' "$redis_port" "${1:-0}"; }
amqp_url() { printf 'amqp://tandem:%s@127.0.0.1:%s/%s' "$(secret rabbitmq)" "$amqp_port" "${1:-tandem}"; }

# on_loopback PORT: the addresses of a port for phones: IPv4, and IPv6 where this machine has it.
on_loopback() {
    printf '127.0.0.1:%s' "$1"
    ! grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || printf ',[::1]:%s' "$1"
}

# in_use PROTOCOL PORT: whether any socket holds the port (tcp: listens on it). Read from the kernel: `ss` may be missing.
in_use() {
    local hex
    printf -v hex ':%04X' "$2"
    awk -v port="$hex" -v tcp="$([ "$1" = tcp ] && echo 1 || echo 0)" \
        'substr($2, length($2) - 4) == port && (!tcp || $4 == "0A") { found = 1 } END { exit !found }' \
        "/proc/net/$1" "/proc/net/${1}6" 2>/dev/null
}

# require_free PROTOCOL PORT WHAT REMEDY: ends with the one line that helps.
require_free() {
    ! in_use "$1" "$2" || fail "port $2/$1 ($3) is in use by another program: stop it (\`ss -lnp sport = :$2\` names it) or $4"
}

# alive PIDFILE WORD: whether the process of the file lives and is ours (its command line has WORD: pids are used again).
alive() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

# within SECONDS COMMAND...: repeats the command until it succeeds; fails when the time is over.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# gone PID: no such process, or one that waits only for its parent to notice.
gone() { ! grep -q . "/proc/$1/cmdline" 2>/dev/null; }

# locked COMMAND...: one script at a time works on this copy; daemons it starts must not inherit descriptor 9.
locked() {
    mkdir -p "$run"
    exec 9>"$run/lock"
    flock -w 120 9 || fail "another make works on $run: wait for it, or end it"
    "$@"
}
