#pragma once
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Macros of OpenSSL, which the Swift importer does not see. */
static inline int tandem_tls_require_1_2(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}
/* No renegotiation and no compression; no session kept here (tickets do that); idle connections give their buffers back. */
static inline void tandem_tls_harden(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}
static inline int tandem_tls_name_server(SSL *session, const char *name) {
    return SSL_set_tlsext_host_name(session, name) == 1 && SSL_set1_host(session, name) == 1;
}

/* One context for each certificate of a server; the first serves whoever names none of the others (RFC 6066 §3). */
struct tandem_tls_contexts {
    int count;
    SSL_CTX *contexts[];
};
static int tandem_tls_choose(SSL *session, int *alert, void *argument) {
    (void)alert;
    const struct tandem_tls_contexts *all = argument;
    const char *name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    for (int index = 0; name != NULL && index < all->count; index++) {
        X509 *certificate = SSL_CTX_get0_certificate(all->contexts[index]);
        if (certificate != NULL && X509_check_host(certificate, name, 0, 0, NULL) == 1) {
            return SSL_set_SSL_CTX(session, all->contexts[index]) != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}
static inline struct tandem_tls_contexts *tandem_tls_contexts_create(int count) {
    struct tandem_tls_contexts *all = calloc(1, sizeof *all + (size_t)count * sizeof(SSL_CTX *));
    if (all != NULL) all->count = count;
    return all;
}
static inline void tandem_tls_contexts_free(struct tandem_tls_contexts *all) { free(all); }
static inline void tandem_tls_contexts_set(struct tandem_tls_contexts *all, int index, SSL_CTX *context) {
    all->contexts[index] = context;
}
static inline void tandem_tls_choose_by_name(SSL_CTX *first, struct tandem_tls_contexts *all) {
    SSL_CTX_set_tlsext_servername_callback(first, tandem_tls_choose);
    SSL_CTX_set_tlsext_servername_arg(first, all);
}

/* The name at that place among the subject's alternative names (GEN_URI, GEN_DNS), or the common name (kind -1, place 0):
   its length; 0 when there is none, or none that is text and fits. `*more` says whether others may follow. */
static inline int tandem_x509_name(X509 *certificate, int kind, int place, char *name, int capacity, int *more) {
    int length = 0;
    *more = 0;
    if (kind < 0) {
        length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, capacity);
        return length > 0 && memchr(name, 0, (size_t)length) == NULL ? length : 0;
    }
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (place >= 0 && place < sk_GENERAL_NAME_num(names)) {
        const GENERAL_NAME *entry = sk_GENERAL_NAME_value(names, place);
        *more = 1;
        if (entry->type == kind) {
            const ASN1_IA5STRING *text = kind == GEN_URI ? entry->d.uniformResourceIdentifier : entry->d.dNSName;
            length = ASN1_STRING_length(text);
            const unsigned char *bytes = ASN1_STRING_get0_data(text);
            if (length < 0 || length > capacity || memchr(bytes, 0, (size_t)length) != NULL) length = 0;
            memcpy(name, bytes, (size_t)length);
        }
    }
    GENERAL_NAMES_free(names);
    return length;
}

/* A BIO between OpenSSL and memory: what the peer has sent lies with the caller, what is for the peer is kept until it is
   taken. Unlike BIO_s_mem it holds no memory while it is idle. */
struct tandem_wire {
    const unsigned char *incoming;
    size_t incoming_length;
    unsigned char *outgoing;
    size_t outgoing_length, outgoing_capacity;
};
static int tandem_wire_read(BIO *bio, char *bytes, int length) {
    struct tandem_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (wire->incoming_length == 0 || length <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t count = wire->incoming_length < (size_t)length ? wire->incoming_length : (size_t)length;
    memcpy(bytes, wire->incoming, count);
    wire->incoming += count;
    wire->incoming_length -= count;
    return (int)count;
}
static int tandem_wire_write(BIO *bio, const char *bytes, int length) {
    struct tandem_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (length <= 0 || wire->outgoing_length > INT_MAX - (size_t)length) return -1;
    size_t wanted = wire->outgoing_length + (size_t)length;
    if (wanted > wire->outgoing_capacity) {
        size_t capacity = wanted < 2 * wire->outgoing_capacity ? 2 * wire->outgoing_capacity : wanted;
        unsigned char *outgoing = realloc(wire->outgoing, capacity);
        if (outgoing == NULL) return -1;
        wire->outgoing = outgoing;
        wire->outgoing_capacity = capacity;
    }
    memcpy(wire->outgoing + wire->outgoing_length, bytes, (size_t)length);
    wire->outgoing_length = wanted;
    return length;
}
static long tandem_wire_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}
static int tandem_wire_destroy(BIO *bio) {
    struct tandem_wire *wire = bio == NULL ? NULL : BIO_get_data(bio);
    if (wire != NULL) free(wire->outgoing);
    free(wire);
    return 1;
}
static inline BIO_METHOD *tandem_wire_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tandem");
    if (method == NULL) return NULL;
    BIO_meth_set_read(method, tandem_wire_read);
    BIO_meth_set_write(method, tandem_wire_write);
    BIO_meth_set_ctrl(method, tandem_wire_control);
    BIO_meth_set_destroy(method, tandem_wire_destroy);
    return method;
}
/* The session owns the wire from here on. */
static inline struct tandem_wire *tandem_wire_attach(SSL *session, const BIO_METHOD *method) {
    BIO *bio = BIO_new(method);
    struct tandem_wire *wire = bio == NULL ? NULL : calloc(1, sizeof *wire);
    if (wire == NULL) {
        BIO_free(bio);
        return NULL;
    }
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);
    return wire;
}
static inline void tandem_wire_emptied(struct tandem_wire *wire) {
    free(wire->outgoing);
    wire->outgoing = NULL;
    wire->outgoing_length = wire->outgoing_capacity = 0;
}

#include "srtp.h"
#include "dtls.h"
