#include "harness.h"

#include <stdarg.h>

enum { MOST_SAMPLES = 1 << 20, COLD_PAUSE = 20, BEFORE_STALL = 10, LIFETIME = 120000 };

char peer_address[256];

static const peer *self;
static const job *work;

/* ---- the clock ---- */

static uint64_t first_ticks;
static LARGE_INTEGER first_counter, frequency;

static double counter_us(LARGE_INTEGER counter) {
  return (double)counter.QuadPart * 1e6 / (double)frequency.QuadPart;
}

/* Since an origin that all processes share. */
static double now_us(void) {
  LARGE_INTEGER now;
  QueryPerformanceCounter(&now);
  return counter_us(now);
}

static void start_clock(void) {
  QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&first_counter);
  first_ticks = ticks();
}

double ticks_a_us(void) {
  double us;
  while ((us = now_us() - counter_us(first_counter)) < 20000) Sleep(1);
  return (double)(ticks() - first_ticks) / us;
}

static double cpu_seconds(void) {
  FILETIME begun, ended, kernel, user;
  GetProcessTimes(GetCurrentProcess(), &begun, &ended, &kernel, &user);
  return 1e-7 * ((double)kernel.dwLowDateTime + (double)user.dwLowDateTime +
                 4294967296.0 * (kernel.dwHighDateTime + user.dwHighDateTime));
}

/* ---- what is said to the driver ---- */

void broken(const char *format, ...) {
  char text[256];
  DWORD error = GetLastError();
  double at = now_us();
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (char *c = text; *c; c++)
    if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ') *c = '\'';
  printf("{\"error\": \"%s (Win32 %lu)\", \"at\": %.3f}\n", text, error, at);
  fflush(stdout);
  ExitProcess(3);
}

static void await_line(const char *expected) {
  char line[64];
  if (!fgets(line, sizeof line, stdin) ||
      strncmp(line, expected, strlen(expected)) != 0)
    ExitProcess(4); /* the driver has gone */
}

static DWORD WINAPI end_at_last(void *unused) {
  (void)unused;
  Sleep(LIFETIME);
  ExitProcess(5);
}

/* ---- messages ---- */

char *new_message(uint32_t size) {
  char *message = (char *)malloc(size < 64 ? 64 : size);
  if (!message) broken("malloc");
  memset(message, 1, size);
  return message;
}

volatile uint64_t harness_sink; /* so that the reading cannot be left out */

/* The number of a message whose every line has been looked at. */
static uint64_t look(const void *message, uint32_t size) {
  const char *bytes = (const char *)message;
  uint64_t first, last, word, sum = 0;
  for (uint32_t i = 0; i < size; i += 64) {
    memcpy(&word, bytes + i, sizeof word);
    sum += word;
  }
  harness_sink = sum;
  memcpy(&first, bytes, sizeof first);
  memcpy(&last, bytes + size - sizeof last, sizeof last);
  if (first != last) broken("a torn message: %llx, %llx", first, last);
  return first;
}

static void check(uint64_t number, uint64_t expected) {
  if ((number & ~LAST) != expected)
    broken("message %llx instead of %llx", number & ~LAST, expected);
}

/* ---- round trips ---- */

static uint32_t samples[MOST_SAMPLES];
static uint32_t sample_count;

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static double sample_us(double place) {
  return samples[(uint32_t)(place * (sample_count - 1))] / ticks_a_us();
}

bool add_sample(uint32_t took) {
  if (!sample_count) memset(samples, 1, sizeof samples); /* no page is missing later */
  samples[sample_count++] = took;
  return sample_count < MOST_SAMPLES;
}

void report_trips(void) {
  if (!sample_count) broken("not one round trip in time");
  qsort(samples, sample_count, sizeof *samples, by_size);
  printf("{\"trips\": %u, \"least\": %.4f, \"median\": %.4f, \"p99\": %.4f, "
         "\"p999\": %.4f}\n",
         sample_count, sample_us(0), sample_us(.5), sample_us(.99), sample_us(.999));
}

/* From before the message is made until the answer is read through. */
static uint32_t one_trip(void *link, char *message, uint64_t number) {
  uint32_t size = work->size;
  uint64_t start = ticks();
  number_message(message, size, number);
  self->send(link, message, size);
  check(look(self->receive(link, size), size), number & ~LAST);
  return (uint32_t)(ticks() - start);
}

static void make_trips(void *link, DWORD pause) {
  char *message = new_message(work->size);
  double start = now_us(), time = 1000.0 * work->milliseconds;
  double warm = start + (pause ? 0 : time / 10), end = warm + time;
  uint64_t number = 0;
  bool room;
  while (now_us() < warm || number < 3) one_trip(link, message, number++);
  do {
    if (pause) Sleep(pause);
    room = add_sample(one_trip(link, message, number++));
  } while (room && now_us() < end);
  one_trip(link, message, number | LAST);
  report_trips();
}

static void trip_client(void *link) {
  make_trips(link, 0);
}

static void cold_client(void *link) {
  make_trips(link, COLD_PAUSE);
}

static void echo(void *link) {
  uint64_t number = 0, expected = 0;
  while (!(number & LAST)) {
    const void *message = self->receive(link, work->size);
    check(number = look(message, work->size), expected++);
    self->send(link, message, work->size);
  }
  if (self->flush) self->flush(link);
  printf("{\"echoed\": %llu}\n", expected);
}

/* ---- streams ---- */

static void send_numbered(void *const *links, int count, char *message, uint64_t n) {
  number_message(message, work->size, n);
  for (int i = 0; i < count; i++) self->send(links[i], message, work->size);
}

/* Writes to every link, for so long; the longest time that a message took. */
static void write_stream(void *const *links, int count, double milliseconds) {
  char *message = new_message(work->size);
  uint64_t from = (uint64_t)(work->serves ? 0 : work->index) << WRITER_SHIFT;
  double start = now_us(), before = start, now = start, longest = 0;
  uint64_t number = 0;
  for (; now < start + 1000 * milliseconds; before = now) {
    for (int i = 0; i < 16; i++) send_numbered(links, count, message, from | number++);
    now = now_us();
    if (now - before > longest) longest = now - before;
  }
  send_numbered(links, count, message, from | number | LAST);
  for (int i = 0; self->flush && i < count; i++) self->flush(links[i]);
  printf("{\"sent\": %llu, \"longest_ms\": %.3f}\n", number + 1, longest / 1000);
}

typedef struct stream {
  void *link;
  int writers; /* that share the link */
  uint64_t messages, begun, ended;
} stream;

static void read_stream(stream *s) {
  enum { MOST_WRITERS = 64 };
  uint64_t expected[MOST_WRITERS] = {0};
  int left = s->writers;
  while (left) {
    uint64_t number = look(self->receive(s->link, work->size), work->size);
    unsigned writer = (number & ~LAST) >> WRITER_SHIFT;
    if (writer >= MOST_WRITERS) broken("a message from nobody: %llx", number);
    check(number, (uint64_t)writer << WRITER_SHIFT | expected[writer]++);
    if (!s->messages++) s->begun = ticks();
    left -= (number & LAST) != 0;
  }
  s->ended = ticks();
}

static DWORD WINAPI read_in_thread(void *argument) {
  read_stream((stream *)argument);
  return 0;
}

void report_stream(uint64_t messages, uint64_t begun, uint64_t ended) {
  double us = (double)(ended - begun) / ticks_a_us();
  if (messages < 2) broken("one message is no stream");
  printf("{\"messages\": %llu, \"seconds\": %.6f}\n", messages - 1, us / 1e6);
}

static void read_one(void *link, int writers) {
  stream s = {link, writers, 0, 0, 0};
  read_stream(&s);
  report_stream(s.messages, s.begun, s.ended);
}

/* A thread for each link; the time is from the first message to the last of all. */
static void read_all(void *const *links, int count) {
  stream *all = (stream *)calloc((size_t)count, sizeof *all);
  HANDLE threads[MAXIMUM_WAIT_OBJECTS];
  uint64_t messages = 0, begun = UINT64_MAX, ended = 0;
  for (int i = 0; i < count; i++) {
    all[i].link = links[i];
    all[i].writers = 1;
    threads[i] = CreateThread(NULL, 0, read_in_thread, &all[i], 0, NULL);
  }
  WaitForMultipleObjects((DWORD)count, threads, TRUE, INFINITE);
  for (int i = 0; i < count; i++) {
    messages += all[i].messages;
    if (all[i].begun < begun) begun = all[i].begun;
    if (all[i].ended > ended) ended = all[i].ended;
  }
  report_stream(messages, begun, ended);
}

static void stream_client(void *link) {
  write_stream(&link, 1, work->milliseconds);
}

static void stream_server(void *link) {
  read_one(link, 1);
}

/* ---- silence, a stall, a peer that is killed ---- */

static void idle_client(void *link) {
  char *message = new_message(work->size);
  Sleep(work->milliseconds);
  send_numbered(&link, 1, message, LAST);
  if (self->flush) self->flush(link);
  printf("{\"waited\": true}\n");
}

static void idle_server(void *link) {
  double cpu = cpu_seconds(), start = now_us();
  look(self->receive(link, work->size), work->size);
  printf("{\"cpu\": %.4f, \"seconds\": %.4f}\n", cpu_seconds() - cpu,
         (now_us() - start) / 1e6);
}

static void stall_client(void *link) {
  write_stream(&link, 1, work->milliseconds + 200);
}

static void stall_server(void *link) {
  uint64_t number = 0, expected = 0, lost = 0, received = 0;
  for (; !(number & LAST); received++) {
    if (received == BEFORE_STALL) Sleep(work->milliseconds);
    number = look(self->receive(link, work->size), work->size);
    lost += (number & ~LAST) - expected;
    expected = (number & ~LAST) + 1;
  }
  printf("{\"received\": %llu, \"lost\": %llu}\n", received, lost);
}

static void endless_client(void *link) {
  char *message = new_message(work->size);
  for (uint64_t number = 0;; number++) send_numbered(&link, 1, message, number);
}

static void endless_server(void *link) {
  for (uint64_t expected = 0;; expected++)
    check(look(self->receive(link, work->size), work->size), expected);
}

static const struct {
  const char *name;
  void (*server)(void *link), (*client)(void *link);
} modes[] = {
    {"trip", echo, trip_client},
    {"cold", echo, cold_client},
    {"stream", stream_server, stream_client},
    {"idle", idle_server, idle_client},
    {"stall", stall_server, stall_client},
    {"endless", endless_server, endless_client},
};

static void run_mode(void *link) {
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
    if (!strcmp(modes[i].name, work->mode)) {
      (work->serves ? modes[i].server : modes[i].client)(link);
      return;
    }
  broken("no mode %s", work->mode);
}

/* ---- one to many, many to one ---- */

static bool fans_in(void) {
  return !strcmp(work->mode, "fan_in");
}

static bool fans_out(void) {
  return !strcmp(work->mode, "fan_out");
}

static void run_fan(void *const *links, int count) {
  if (fans_in() != work->serves)
    write_stream(links, count, work->milliseconds);
  else if (count > 1)
    read_all(links, count);
  else
    read_one(links[0], work->serves ? work->clients : 1);
}

/* ---- the process ---- */

static int link_count(void) {
  unsigned carries = fans_in() ? SHARED_FAN_IN : SHARED_FAN_OUT;
  if (!work->serves || (!fans_in() && !fans_out())) return 1;
  return self->shared & carries ? 1 : work->clients;
}

static void open_links(void **links, int count) {
  void *server = work->serves ? self->serve(work) : NULL;
  if (work->serves) printf("ready %s\n", peer_address);
  fflush(stdout);
  for (int i = 0; i < count; i++)
    links[i] = work->serves ? self->accept(server, work) : self->join(work);
  if (!work->serves) printf("ready\n");
  fflush(stdout);
}

/* It stays until told to leave: what it has sent may not have been read yet. */
static void run(void) {
  void *links[MAXIMUM_WAIT_OBJECTS];
  int count = link_count();
  open_links(links, count);
  await_line("go");
  if (self->run)
    self->run(links[0], work);
  else if (fans_in() || fans_out())
    run_fan(links, count);
  else
    run_mode(links[0]);
  fflush(stdout);
  await_line("end");
}

static job read_job(int words, char **arguments) {
  job j = {.name = arguments[3],
           .mode = arguments[4],
           .serves = !strcmp(arguments[2], "server"),
           .size = (uint32_t)strtoul(arguments[5], NULL, 10),
           .milliseconds = (uint32_t)strtoul(arguments[6], NULL, 10),
           .clients = words > 7 ? atoi(arguments[7]) : 1,
           .index = words > 8 ? atoi(arguments[8]) : 0};
  if (j.size < 16 || j.clients < 1 || j.clients > 32) broken("not such a job");
  return j;
}

int harness_main(const peer *peers, int count, int words, char **arguments) {
  start_clock();
  if (words < 7) {
    fprintf(stderr,
            "usage: PEER server|client|helper NAME MODE SIZE MS [CLIENTS [INDEX]]\n");
    return 2;
  }
  job j = read_job(words, arguments);
  work = &j;
  for (int i = 0; i < count; i++)
    if (!strcmp(peers[i].name, arguments[1])) self = &peers[i];
  if (!self) broken("no peer %s here", arguments[1]);
  CloseHandle(CreateThread(NULL, 0, end_at_last, NULL, 0, NULL));
  if (!strcmp(arguments[2], "helper"))
    self->help(&j);
  else
    run();
  ExitProcess(0);
}
