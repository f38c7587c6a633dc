#pragma once
/* HMAC-SHA1 (RFC 2104) with the states behind both keyed blocks saved: SHA_CTX is a value that is copied for each packet. OpenSSL 3
   deprecates these functions in favour of EVP_MAC, which takes half as long again for a packet (docs/benchmarks.md). */
#include <openssl/evp.h>
#include <openssl/sha.h>

struct tandem_hmac_sha1 {
    SHA_CTX inner, outer;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
/* 64 bytes of key each, already combined with ipad and opad. */
static inline void tandem_hmac_sha1_begin(
    struct tandem_hmac_sha1 *hmac, const unsigned char *inner_key, const unsigned char *outer_key) {
    SHA1_Init(&hmac->inner);
    SHA1_Update(&hmac->inner, inner_key, SHA_CBLOCK);
    SHA1_Init(&hmac->outer);
    SHA1_Update(&hmac->outer, outer_key, SHA_CBLOCK);
}
/* The code over the bytes and what stands behind them; 20 bytes. */
static inline void tandem_hmac_sha1_code(
    const struct tandem_hmac_sha1 *hmac, const unsigned char *bytes, size_t length, const unsigned char *more, size_t more_length,
    unsigned char *code) {
    SHA_CTX work = hmac->inner;
    SHA1_Update(&work, bytes, length);
    SHA1_Update(&work, more, more_length);
    SHA1_Final(code, &work);
    work = hmac->outer;
    SHA1_Update(&work, code, SHA_DIGEST_LENGTH);
    SHA1_Final(code, &work);
}
#pragma GCC diagnostic pop
