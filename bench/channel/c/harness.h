/* What every peer written in C or C++ shares: the command line, the modes, the clock.
 *
 *   PROGRAM PEER server|client|helper NAME MODE SIZE MILLISECONDS [CLIENTS [INDEX]]
 *
 * A peer is a way to carry messages from process to process, in four functions. Any
 * error ends the process through broken(), which tells when it was noticed: that is
 * what the tests with a killed peer ask for. See run.py for what is said on the
 * standard streams, and docs/benchmarks-channel.md for the modes. */
#ifndef WINIPC_BENCH_HARNESS_H
#define WINIPC_BENCH_HARNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winsock2.h>

#include <windows.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct job {
  const char *name; /* unique to the run; for a client what the server has told */
  const char *mode;
  bool serves;
  uint32_t size, milliseconds;
  int clients, index; /* how many clients there are; which of them this one is */
} job;

/* What one link can carry when there are several clients. A peer without the flag
 * gets a link for each client instead: a thread reads each, one loop writes to all. */
enum { SHARED_FAN_IN = 1, SHARED_FAN_OUT = 2 };

typedef struct peer {
  const char *name;
  unsigned shared;
  void *(*serve)(const job *j); /* once it returns, a client may come */
  void *(*accept)(void *server, const job *j);
  void *(*join)(const job *j);
  void (*send)(void *link, const void *data, uint32_t size);
  /* A whole message, lent until the next call with that link. */
  const void *(*receive)(void *link, uint32_t size);
  void (*flush)(void *link); /* or NULL: what was sent goes out without us */
  void (*run)(void *link, const job *j); /* or NULL; in place of every mode */
  void (*help)(const job *j); /* or NULL: what a third process does until it is ended */
} peer;

/* Set by serve() where a client cannot find it by the name alone: a port, say. */
extern char peer_address[256];

int harness_main(const peer *peers, int count, int words, char **arguments);

#if defined __GNUC__
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void broken(const char *format, ...);

/* ---- the clock ---- */

/* Cheap and the same in all processes; in units of its own, see ticks_a_us(). */
static inline uint64_t ticks(void) {
#if defined __x86_64__ || defined _M_X64
  return __rdtsc();
#else
  LARGE_INTEGER now;
  QueryPerformanceCounter(&now);
  return (uint64_t)now.QuadPart;
#endif
}

double ticks_a_us(void);

/* ---- figures ---- */

/* One round trip, in ticks; false when there is no room for more of them. */
bool add_sample(uint32_t took);
void report_trips(void);

/* From the first message's arrival to the last one's. */
void report_stream(uint64_t messages, uint64_t begun, uint64_t ended);

/* ---- messages ---- */

/* A number of a message says who wrote it, and whether it is his last. */
#define LAST (UINT64_C(1) << 63)
enum { WRITER_SHIFT = 48 };

/* A buffer of that size with pages of its own. */
char *new_message(uint32_t size);

static inline void number_message(char *message, uint32_t size, uint64_t number) {
  memcpy(message, &number, sizeof number);
  memcpy(message + size - sizeof number, &number, sizeof number);
}

#ifdef __cplusplus
}
#endif

#endif
