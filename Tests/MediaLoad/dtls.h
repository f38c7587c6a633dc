// DTLS-SRTP (RFC 5764) of an end that offers `setup:active`, with a certificate of ours in $IDENTITY: key.pem, certificate.pem and fingerprint.
#include <openssl/ssl.h>

static const char *identity(const char *file) {
    static char path[4096];
    const char *directory = getenv("IDENTITY");
    if (!directory) die("IDENTITY is not set");
    snprintf(path, sizeof path, "%s/%s", directory, file);
    return path;
}

static const char *fingerprint(void) {
    static char text[200];
    FILE *file = *text ? NULL : fopen(identity("fingerprint"), "r");
    if (!*text && (!file || fscanf(file, "%199s", text) != 1)) die("fingerprint");
    if (file) fclose(file);
    return text;
}

static int anybody(int is_valid, X509_STORE_CTX *store) { return (void)is_valid, (void)store, 1; }

// On the connected socket, waiting; then the contexts of both directions.
static void shake_hands(struct end *e) {
    static SSL_CTX *terms;
    if (!terms) {
        terms = SSL_CTX_new(DTLS_client_method());
        if (SSL_CTX_use_PrivateKey_file(terms, identity("key.pem"), SSL_FILETYPE_PEM) != 1) die("key.pem");
        if (SSL_CTX_use_certificate_file(terms, identity("certificate.pem"), SSL_FILETYPE_PEM) != 1) die("certificate.pem");
        if (SSL_CTX_set_tlsext_use_srtp(terms, "SRTP_AES128_CM_SHA1_80")) die("use_srtp");
        SSL_CTX_set_verify(terms, SSL_VERIFY_PEER, anybody);
    }
    SSL *ssl = SSL_new(terms);
    BIO *wire = BIO_new_dgram(e->fd, BIO_NOCLOSE);
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    if (getpeername(e->fd, (struct sockaddr *)&peer, &size)) die("getpeername");
    BIO_ctrl(wire, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
    SSL_set_bio(ssl, wire, wire);
    for (uint64_t end = now(CLOCK_MONOTONIC) + 5000000000u; SSL_connect(ssl) != 1; usleep(500)) {
        DTLSv1_handle_timeout(ssl);
        if (now(CLOCK_MONOTONIC) > end) die("no handshake");
    }
    uint8_t made[2 * KEY], key[KEY]; // RFC 5764 section 4.2: keys of client and server, then their salts
    static const char label[] = "EXTRACTOR-dtls_srtp";
    if (SSL_export_keying_material(ssl, made, sizeof made, label, sizeof label - 1, NULL, 0, 0) != 1) die("no keys");
    memcpy(key, made, 16), memcpy(key + 16, made + 32, 14);
    e->out = context(key, ssrc_any_outbound);
    memcpy(key, made + 16, 16), memcpy(key + 16, made + 46, 14);
    e->in = context(key, ssrc_any_inbound);
    SSL_set_quiet_shutdown(ssl, 1);
    SSL_free(ssl);
}
