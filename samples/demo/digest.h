/* What the worker computes: SHA-256, by the system's own BCrypt, and how often each
 * byte occurs. */
#ifndef DIGEST_H
#define DIGEST_H

#include <bcrypt.h>

typedef struct digest {
  BCRYPT_ALG_HANDLE algorithm;
  BCRYPT_HASH_HANDLE hash;
  unsigned char sha256[32];
  uint64_t histogram[256];
  uint64_t microseconds; /* that it took */
} digest;

static uint64_t digest_clock(void) {
  LARGE_INTEGER now, per_second;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&per_second);
  return (uint64_t)((double)now.QuadPart * 1e6 / (double)per_second.QuadPart);
}

static void digest_check(const char *doing, NTSTATUS status) {
  if (status >= 0) return;
  fprintf(stderr, "%s: NTSTATUS 0x%08lx\n", doing, (unsigned long)status);
  exit(1);
}

static void digest_begin(digest *d) {
  memset(d, 0, sizeof *d);
  digest_check("BCryptOpenAlgorithmProvider",
               BCryptOpenAlgorithmProvider(&d->algorithm, L"SHA256", NULL, 0));
  digest_check("BCryptCreateHash",
               BCryptCreateHash(d->algorithm, &d->hash, NULL, 0, NULL, 0, 0));
}

static void digest_add(digest *d, const unsigned char *data, uint32_t size) {
  uint64_t start = digest_clock();
  digest_check("BCryptHashData", BCryptHashData(d->hash, (PUCHAR)data, size, 0));
  for (uint32_t i = 0; i < size; i++) d->histogram[data[i]]++;
  d->microseconds += digest_clock() - start;
}

static void digest_end(digest *d) {
  digest_check("BCryptFinishHash",
               BCryptFinishHash(d->hash, d->sha256, sizeof d->sha256, 0));
  BCryptDestroyHash(d->hash);
  BCryptCloseAlgorithmProvider(d->algorithm, 0);
}

#endif
