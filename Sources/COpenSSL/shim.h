#pragma once
// The SHA256_* functions are deprecated in 3.0 in favour of EVP, but they hash without an allocation per message,
// which HMAC over millions of short cells needs; they run the same SHA-NI code.
#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED
#endif
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

// OPENSSL_malloc is a macro with file and line.
static inline void *sluice_openssl_copy(const void *bytes, size_t count) { return OPENSSL_memdup(bytes, count); }
