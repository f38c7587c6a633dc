#pragma once
/* Datagrams between OpenSSL's DTLS and memory, and its retransmission timer in the hands of the caller. */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* What one session has to say at once: each datagram behind its length (two bytes, the higher first). */
enum { tandem_flight_limit = 64 * 1024 };

struct tandem_flight {
    const unsigned char *incoming; /* one datagram, the caller's */
    size_t incoming_length;
    unsigned char *outgoing;
    size_t outgoing_length, outgoing_capacity;
    struct timeval *timer; /* OpenSSL's own, see below */
    int is_timer_running, was_timer_started, was_timer_stopped, owns_timer;
};

static int tandem_flight_read(BIO *bio, char *bytes, int length) {
    struct tandem_flight *flight = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (flight->incoming_length == 0 || length <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    /* What does not fit of a datagram is lost, as with a socket. */
    size_t count = flight->incoming_length < (size_t)length ? flight->incoming_length : (size_t)length;
    memcpy(bytes, flight->incoming, count);
    flight->incoming_length = 0;
    return (int)count;
}
static int tandem_flight_write(BIO *bio, const char *bytes, int length) {
    struct tandem_flight *flight = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (length <= 0 || length > 65535) return -1;
    size_t wanted = flight->outgoing_length + 2 + (size_t)length;
    if (wanted > tandem_flight_limit) return length; /* lost on the way */
    if (wanted > flight->outgoing_capacity) {
        size_t capacity = wanted < 2 * flight->outgoing_capacity ? 2 * flight->outgoing_capacity : wanted;
        unsigned char *outgoing = realloc(flight->outgoing, capacity);
        if (outgoing == NULL) return -1;
        flight->outgoing = outgoing;
        flight->outgoing_capacity = capacity;
    }
    unsigned char *end = flight->outgoing + flight->outgoing_length;
    end[0] = (unsigned char)(length >> 8);
    end[1] = (unsigned char)length;
    memcpy(end + 2, bytes, (size_t)length);
    flight->outgoing_length = wanted;
    return length;
}
/* OpenSSL tells a datagram BIO when it wants to repeat its flight, by the wall clock, and repeats only when that clock agrees. Up
   to 3.1 what it passes is its own variable: moved out of reach here, and into the past by tandem_dtls_expire, so that time is
   what the caller says. From 3.2 on it is a copy, and the wall clock has a say. */
static long tandem_flight_control(BIO *bio, int command, long number, void *pointer) {
    (void)number;
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT && pointer != NULL) {
        struct tandem_flight *flight = BIO_get_data(bio);
        struct timeval *timer = pointer;
        flight->is_timer_running = timer->tv_sec != 0 || timer->tv_usec != 0;
        if (flight->is_timer_running) flight->was_timer_started = 1;
        else flight->was_timer_stopped = 1;
        if (flight->owns_timer) {
            flight->timer = timer;
            if (flight->is_timer_running) timer->tv_sec += 1000000000;
        }
    }
    return 0;
}
static int tandem_flight_destroy(BIO *bio) {
    struct tandem_flight *flight = bio == NULL ? NULL : BIO_get_data(bio);
    if (flight != NULL) free(flight->outgoing);
    free(flight);
    return 1;
}
static inline BIO_METHOD *tandem_flight_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tandem datagrams");
    if (method == NULL) return NULL;
    BIO_meth_set_read(method, tandem_flight_read);
    BIO_meth_set_write(method, tandem_flight_write);
    BIO_meth_set_ctrl(method, tandem_flight_control);
    BIO_meth_set_destroy(method, tandem_flight_destroy);
    return method;
}
/* The session owns the flight from here on. */
static inline struct tandem_flight *tandem_flight_attach(SSL *session, const BIO_METHOD *method, int mtu) {
    BIO *bio = BIO_new(method);
    struct tandem_flight *flight = bio == NULL ? NULL : calloc(1, sizeof *flight);
    if (flight == NULL) {
        BIO_free(bio);
        return NULL;
    }
    flight->owns_timer = OpenSSL_version_num() < 0x30200000L;
    BIO_set_data(bio, flight);
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);
    SSL_set_options(session, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(session, mtu);
    return flight;
}
static inline void tandem_flight_emptied(struct tandem_flight *flight) {
    free(flight->outgoing);
    flight->outgoing = NULL;
    flight->outgoing_length = flight->outgoing_capacity = 0;
}
/* Repeats the last flight; negative when OpenSSL has given up. */
static inline long tandem_dtls_expire(SSL *session, struct tandem_flight *flight) {
    if (flight->owns_timer && flight->timer != NULL && flight->is_timer_running) {
        flight->timer->tv_sec = 1;
        flight->timer->tv_usec = 0;
    }
    return DTLSv1_handle_timeout(session);
}

/* Who the peer is says the fingerprint in its SDP, and nobody else (RFC 8122). */
static int tandem_dtls_verify(X509_STORE_CTX *store, void *argument) {
    (void)argument;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}
/* DTLS 1.2; no renegotiation, tickets, kept sessions or compression; the peer shows a certificate of at most 16 KiB. */
static inline int tandem_dtls_prepare(SSL_CTX *context, const char *ciphers, const char *groups, const char *profiles) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(context, 16 * 1024);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, tandem_dtls_verify, NULL);
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(context, ciphers) == 1
        && SSL_CTX_set1_groups_list(context, groups) == 1 && SSL_CTX_set_tlsext_use_srtp(context, profiles) == 0;
}

static inline EVP_PKEY *tandem_p256_key(void) { return EVP_EC_gen("P-256"); }

/* A certificate that vouches for itself, for these seconds since 1970. */
static inline X509 *tandem_x509_self_signed(EVP_PKEY *key, const char *name, long long begin, long long end) {
    X509 *certificate = X509_new();
    unsigned char serial[8];
    if (certificate == NULL || RAND_bytes(serial, sizeof serial) != 1) goto failed;
    serial[0] = (serial[0] & 0x7f) | 0x40;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    int is_numbered = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    X509_NAME *subject = X509_get_subject_name(certificate);
    if (!is_numbered || X509_set_version(certificate, 2) != 1
        || X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) != 1
        || X509_set_issuer_name(certificate, subject) != 1
        || ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)begin) == NULL
        || ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)end) == NULL
        || X509_set_pubkey(certificate, key) != 1 || X509_sign(certificate, key, EVP_sha256()) == 0)
        goto failed;
    return certificate;
failed:
    X509_free(certificate);
    return NULL;
}
/* PEM in `text`, its length; 0 when it does not fit. */
static inline int tandem_pem_certificate(X509 *certificate, char *text, int capacity) {
    BIO *memory = BIO_new(BIO_s_mem());
    int length = memory != NULL && PEM_write_bio_X509(memory, certificate) == 1 ? BIO_read(memory, text, capacity) : 0;
    int rest = memory != NULL ? (int)BIO_pending(memory) : 0;
    BIO_free(memory);
    return length > 0 && rest == 0 ? length : 0;
}
static inline int tandem_pem_key(EVP_PKEY *key, char *text, int capacity) {
    BIO *memory = BIO_new(BIO_s_mem());
    int length = memory != NULL && PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1
        ? BIO_read(memory, text, capacity) : 0;
    int rest = memory != NULL ? (int)BIO_pending(memory) : 0;
    BIO_free(memory);
    return length > 0 && rest == 0 ? length : 0;
}
/* A locked key is an error, no question at the terminal. */
static int tandem_pem_no_password(char *text, int capacity, int is_writing, void *argument) {
    (void)text, (void)capacity, (void)is_writing, (void)argument;
    return -1;
}
static inline X509 *tandem_x509_read(const char *text, int length) {
    BIO *memory = BIO_new_mem_buf(text, length);
    X509 *certificate = memory == NULL ? NULL : PEM_read_bio_X509(memory, NULL, tandem_pem_no_password, NULL);
    BIO_free(memory);
    return certificate;
}
static inline EVP_PKEY *tandem_key_read(const char *text, int length) {
    BIO *memory = BIO_new_mem_buf(text, length);
    EVP_PKEY *key = memory == NULL ? NULL : PEM_read_bio_PrivateKey(memory, NULL, tandem_pem_no_password, NULL);
    BIO_free(memory);
    return key;
}
