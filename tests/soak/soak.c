/* Long and random, and the same again for the same seed:
 *
 *   soak SCENARIO SEED SECONDS      runs one scenario until the time is over
 *
 *   mix     a server and clients in processes of their own: messages of random sizes
 *           echoed and checked, with time-outs, cancels, slow readers, silent clients,
 *           hostile frames and sudden deaths among them
 *   kill    a writer is killed at a random moment: what arrives has no gap and no tear,
 *           and then the end is told
 *   cycles  connections opened and closed under every kind of race; nothing leaks
 *   channel a party of a channel, of each role in turn, is killed at a random moment:
 * what was sent arrives without a gap or a tear, the end is told, the name is free
 *   locks   owners of a mutex are killed at random moments: every lock is told of it
 *
 * The seed decides what happens; the scheduler decides when. */
#include "../c/harness.h"

static uint64_t random_state;
static uint64_t soak_end; /* in GetTickCount64 */

static uint32_t random_below(uint32_t limit) {
  random_state ^= random_state << 13; /* xorshift64, Marsaglia 2003 */
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 16) % limit;
}

static void seed_random(uint64_t seed) {
  random_state = seed * 0x9E3779B97F4A7C15u + 1;
  for (int i = 0; i < 8; i++) random_below(2);
}

static bool time_left(void) {
  InterlockedExchange(&harness__left, HARNESS_SECONDS); /* we are alive */
  return GetTickCount64() < soak_end && !harness__failures;
}

/* A message that can be checked: its length is in its bytes. */
static void fill(unsigned char *data, uint32_t size) {
  for (uint32_t i = 0; i < size; i++) data[i] = (unsigned char)(size + i * 31);
}

static bool is_whole(const unsigned char *data, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (data[i] != (unsigned char)(size + i * 31)) return false;
  return true;
}

enum { LARGEST = 20000, PATIENCE = 20000 };

static winipc_listener *listen_as(const char *address, uint32_t framing) {
  winipc_pipe_options options;
  winipc_listener *listener;
  winipc_pipe_options_init(&options);
  options.type = framing == WINIPC_FRAMING_U32 ? WINIPC_PIPE_BYTE : WINIPC_PIPE_MESSAGE;
  options.framing = framing;
  options.in_buffer = options.out_buffer = 4096;
  options.max_message = LARGEST;
  CHECK_OK(winipc_pipe_listen(address, &options, &listener));
  return listener;
}

static winipc_connection *connect_as(const char *address, uint32_t framing) {
  winipc_connection_options options;
  winipc_connection *connection = NULL;
  winipc_connection_options_init(&options);
  options.framing = framing;
  CHECK_OK(winipc_connect(address, &options, PATIENCE, &connection));
  return connection;
}

/* ---- mix ---- */

/* A client's argument is "FRAMING SEED ADDRESS". */
static winipc_connection *client_start(const char *argument, uint32_t *framing) {
  char address[128] = "";
  unsigned long long seed = 0;
  sscanf(argument, "%u %llu %127s", framing, &seed, address);
  seed_random(seed);
  return connect_as(address, *framing);
}

static void ask_and_check(winipc_connection *server) {
  static unsigned char sent[LARGEST], received[LARGEST];
  size_t size = 0;
  uint32_t length = random_below(random_below(4) ? 300 : LARGEST);
  fill(sent, length);
  CHECK_OK(winipc_send(server, sent, length, PATIENCE));
  winipc_status status;
  do status = winipc_receive(server, received, LARGEST, &size, random_below(30));
  while (status == WINIPC_E_TIMEOUT); /* the server may be slow; nothing may be lost */
  CHECK_STATUS(status, WINIPC_OK);
  CHECK(size == length && is_whole(received, size));
}

static void client_honest(const char *argument) {
  uint32_t framing;
  winipc_connection *server = client_start(argument, &framing);
  for (uint32_t i = random_below(60); i && !harness__failures; i--) {
    ask_and_check(server);
    if (!random_below(20)) Sleep(random_below(20));
  }
  CHECK_OK(winipc_connection_close(server));
}

static void client_dies(const char *argument) {
  uint32_t framing;
  winipc_connection *server = client_start(argument, &framing);
  for (uint32_t i = random_below(20); i; i--) ask_and_check(server);
  if (random_below(2)) winipc_send(server, argument, strlen(argument), 0);
  TerminateProcess(GetCurrentProcess(), 0);
}

static void client_silent(const char *argument) {
  uint32_t framing;
  winipc_connection *server = client_start(argument, &framing);
  Sleep(random_below(300));
  CHECK_OK(winipc_connection_close(server));
}

/* Garbage: on a byte pipe it is a frame that claims up to 4 GiB, and half of one. */
static void client_hostile(const char *argument) {
  uint32_t framing;
  void *handle;
  unsigned char garbage[64];
  winipc_connection *server = client_start(argument, &framing);
  OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
  DWORD done;
  for (size_t i = 0; i < sizeof garbage; i++)
    garbage[i] = (unsigned char)random_below(256);
  CHECK_OK(winipc_native_handle(server, &handle));
  WriteFile(handle, garbage, 1 + random_below(sizeof garbage), NULL, &overlapped);
  GetOverlappedResult(handle, &overlapped, &done, TRUE);
  CHECK_OK(winipc_connection_close(server));
}

/* A cancelled send of a message has sent nothing, and is to be done again. */
static winipc_status echo(winipc_connection *client, const void *data, size_t size) {
  winipc_status status;
  do status = winipc_send(client, data, size, PATIENCE);
  while (status == WINIPC_E_CANCELLED);
  return status;
}

/* Serves a client until it is gone; returns how many messages it echoed. */
static DWORD WINAPI serve(void *connection) {
  unsigned char *data = malloc(LARGEST);
  DWORD echoed = 0;
  size_t size;
  winipc_status status;
  do {
    status = winipc_receive(connection, data, LARGEST, &size, 50);
    if (!status) status = echo(connection, data, size);
    if (!status) echoed++;
  } while (!status || status == WINIPC_E_TIMEOUT || status == WINIPC_E_CANCELLED);
  CHECK(status == WINIPC_E_DISCONNECTED || status == WINIPC_E_TRUNCATED ||
        status == WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_OK(winipc_connection_close(connection));
  free(data);
  return echoed;
}

static HANDLE start_client(uint32_t framing, const char *address) {
  static const char *const kinds[] = {"client_honest", "client_honest",
                                      "client_honest", "client_dies",
                                      "client_silent", "client_hostile"};
  char argument[256];
  snprintf(argument, sizeof argument, "%u %u %s", framing, random_below(1u << 31),
           address);
  return harness_spawn(kinds[random_below(6)], argument);
}

enum { AT_ONCE = 6 };

/* A round of clients at once, with cancels strewn in, which the server must ride out.
 */
static void mix_round(void) {
  uint32_t framing = random_below(2) ? WINIPC_FRAMING_U32 : WINIPC_FRAMING_MESSAGE;
  const char *address = harness_name("pipe:", "mix");
  winipc_listener *listener = listen_as(address, framing);
  winipc_connection *connections[AT_ONCE] = {NULL};
  HANDLE clients[AT_ONCE], servers[AT_ONCE];
  for (int i = 0; i < AT_ONCE; i++) clients[i] = start_client(framing, address);
  for (int i = 0; i < AT_ONCE; i++) {
    CHECK_OK(winipc_accept(listener, PATIENCE, &connections[i]));
    servers[i] = CreateThread(NULL, 0, serve, connections[i], 0, NULL);
  }
  while (WaitForMultipleObjects(AT_ONCE, clients, TRUE, random_below(40)) ==
         WAIT_TIMEOUT)
    if (framing == WINIPC_FRAMING_MESSAGE)
      winipc_cancel(connections[random_below(AT_ONCE)]);
  for (int i = 0; i < AT_ONCE; i++) {
    CHECK_CHILD(clients[i]);
    WaitForSingleObject(servers[i], INFINITE);
    CloseHandle(servers[i]);
  }
  CHECK_OK(winipc_listener_close(listener));
}

/* ---- kill ---- */

static void client_counts(const char *argument) {
  uint32_t framing;
  winipc_connection *reader = client_start(argument, &framing);
  for (uint32_t number = 0;; number++) {
    uint32_t message[64] = {number, ~number};
    size_t size = 8 + 4 * random_below(62);
    if (winipc_send(reader, message, size, PATIENCE)) break;
  }
  winipc_connection_close(reader);
}

/* Receives until the end, and checks that no number is missing. */
static uint32_t drain_numbers(winipc_connection *writer) {
  uint32_t message[64], next = 0;
  size_t size;
  winipc_status status;
  while (!(status = winipc_receive(writer, message, sizeof message, &size, PATIENCE))) {
    CHECK_EQUAL(message[0], next);
    CHECK_EQUAL(message[1], ~next);
    next++;
    if (harness__failures) break;
  }
  CHECK(status == WINIPC_E_DISCONNECTED || status == WINIPC_E_TRUNCATED);
  return next;
}

static DWORD WINAPI kill_later(void *process) {
  Sleep(20 + GetCurrentThreadId() % 60);
  return (DWORD)TerminateProcess(process, 0);
}

static void kill_round(void) {
  char argument[256];
  winipc_connection *writer;
  uint32_t framing = random_below(2) ? WINIPC_FRAMING_U32 : WINIPC_FRAMING_MESSAGE;
  const char *address = harness_name("pipe:", "kill");
  winipc_listener *listener = listen_as(address, framing);
  snprintf(argument, sizeof argument, "%u %u %s", framing, random_below(1u << 31),
           address);
  HANDLE child = harness_spawn("client_counts", argument);
  CHECK_OK(winipc_accept(listener, PATIENCE, &writer));
  HANDLE killer = CreateThread(NULL, 0, kill_later, child, 0, NULL);
  drain_numbers(writer);
  WaitForSingleObject(killer, INFINITE);
  CloseHandle(killer);
  CHECK_CHILD(child);
  CHECK_OK(winipc_connection_close(writer));
  CHECK_OK(winipc_listener_close(listener));
}

/* ---- cycles ---- */

static DWORD WINAPI receive_until_closed(void *connection) {
  unsigned char data[64];
  size_t size;
  winipc_status status;
  do status = winipc_receive(connection, data, sizeof data, &size, WINIPC_FOREVER);
  while (!status || status == WINIPC_E_CANCELLED);
  return 0;
}

static void cycles_round(void) {
  const char *address = harness_name("pipe:", "cycles");
  winipc_connection *client, *server;
  winipc_listener *listener = listen_as(address, WINIPC_FRAMING_MESSAGE);
  client = connect_as(address, WINIPC_FRAMING_MESSAGE);
  CHECK_OK(winipc_accept(listener, PATIENCE, &server));
  HANDLE reader = CreateThread(NULL, 0, receive_until_closed, server, 0, NULL);
  for (uint32_t i = random_below(5); i; i--)
    winipc_send(client, &i, sizeof i, PATIENCE);
  if (random_below(2)) Sleep(random_below(3));
  if (random_below(2)) winipc_cancel(server);
  if (random_below(3) == 0) winipc_connection_abort(random_below(2) ? client : server);
  winipc_connection *first = random_below(2) ? client : server;
  CHECK_OK(winipc_connection_close(first));
  CHECK_OK(winipc_connection_close(first == client ? server : client));
  CHECK_OK(winipc_listener_close(listener));
  WaitForSingleObject(reader, INFINITE);
  CloseHandle(reader);
}

/* ---- channel ---- */

enum { CHANNEL_LARGEST = 20000, CHANNEL_ROLES = 5 };

/* Who the other is, by the role of one. */
static const uint32_t opposite[CHANNEL_ROLES] = {
    WINIPC_CHANNEL_PAIR, WINIPC_CHANNEL_SUBSCRIBER, WINIPC_CHANNEL_PUBLISHER,
    WINIPC_CHANNEL_LANE, WINIPC_CHANNEL_FUNNEL};

static winipc_connection *open_role(const char *address, uint32_t role) {
  winipc_channel_options options;
  winipc_connection *connection = NULL;
  CHECK_OK(winipc_channel_options_init(&options));
  options.role = role;
  options.capacity = 4096; /* so that there are waits, and messages in pieces */
  options.spin_us = random_below(2) ? 0 : WINIPC_SPIN_AUTO;
  options.full = role == WINIPC_CHANNEL_PUBLISHER ? WINIPC_FULL_BLOCK : 0;
  CHECK_OK(winipc_channel_open(address, &options, PATIENCE, &connection));
  return connection;
}

/* A number that counts up, and bytes that tell its size. */
static winipc_status send_counted(winipc_connection *to, uint32_t number) {
  static unsigned char message[CHANNEL_LARGEST];
  uint32_t size = 4 + random_below(random_below(8) ? 300 : CHANNEL_LARGEST - 4);
  memcpy(message, &number, 4);
  fill(message + 4, size - 4);
  return winipc_send(to, message, size, PATIENCE);
}

static winipc_status receive_counted(winipc_connection *from, uint32_t *next) {
  static unsigned char message[CHANNEL_LARGEST];
  size_t size;
  uint32_t number;
  winipc_status status = winipc_receive(from, message, sizeof message, &size, PATIENCE);
  if (status) return status;
  memcpy(&number, message, 4);
  CHECK(size >= 4 && is_whole(message + 4, size - 4));
  if (*next != UINT32_MAX) CHECK_EQUAL(number, *next);
  *next = number + 1;
  return WINIPC_OK;
}

static bool role_sends(uint32_t role, bool host) {
  return role == WINIPC_CHANNEL_PAIR
             ? !host
             : role == WINIPC_CHANNEL_PUBLISHER || role == WINIPC_CHANNEL_LANE;
}

/* "ROLE SEED ADDRESS": sends or receives until it is killed. */
static void child_channel(const char *argument) {
  char address[128] = "";
  uint32_t role = 0, next = UINT32_MAX;
  unsigned long long seed = 0;
  sscanf(argument, "%u %llu %127s", &role, &seed, address);
  seed_random(seed);
  winipc_connection *c = open_role(address, role);
  if (role_sends(role, false))
    for (uint32_t number = 0; !send_counted(c, number); number++) continue;
  else
    while (!receive_counted(c, &next)) continue;
  winipc_connection_close(c);
}

/* The survivor of a receiver sends until it is told; a publisher and a funnel, which
 * have no one peer, go on. */
static void survive(winipc_connection *c, uint32_t role, HANDLE child) {
  uint32_t number = 0, next = role == WINIPC_CHANNEL_SUBSCRIBER ? UINT32_MAX : 0;
  winipc_status status = WINIPC_OK;
  bool sends = role_sends(role, true), many = role == WINIPC_CHANNEL_PUBLISHER;
  while (!status && !(many && WaitForSingleObject(child, 0) == WAIT_OBJECT_0) &&
         !harness__failures)
    status = sends ? send_counted(c, number++) : receive_counted(c, &next);
  CHECK(many ? !status : status == WINIPC_E_DISCONNECTED);
}

static void channel_round(void) {
  char argument[256];
  uint32_t role = random_below(CHANNEL_ROLES);
  if (role == WINIPC_CHANNEL_FUNNEL) role = WINIPC_CHANNEL_PAIR; /* it is told no end */
  const char *address = harness_name("channel:", "soak");
  snprintf(argument, sizeof argument, "%u %u %s", opposite[role],
           random_below(1u << 31), address);
  HANDLE child = harness_spawn("child_channel", argument);
  winipc_connection *c = open_role(address, role);
  HANDLE killer = CreateThread(NULL, 0, kill_later, child, 0, NULL);
  survive(c, role, child);
  WaitForSingleObject(killer, INFINITE);
  CloseHandle(killer);
  CHECK_CHILD(child);
  CHECK_OK(winipc_connection_close(c));
}

/* ---- locks ---- */

static void child_locks(const char *argument) {
  winipc_mutex *mutex;
  CHECK_OK(winipc_mutex_open(argument, NULL, NULL, &mutex));
  seed_random(GetCurrentProcessId());
  for (;;) {
    winipc_status status = winipc_mutex_lock(mutex, PATIENCE);
    CHECK(status == WINIPC_OK || status == WINIPC_ABANDONED);
    if (random_below(2)) SwitchToThread();
    CHECK_OK(winipc_mutex_unlock(mutex));
  }
}

static void locks_round(void) {
  const char *name = harness_name("", "soak-mutex");
  HANDLE children[3];
  winipc_mutex *mutex;
  CHECK_OK(winipc_mutex_open(name, NULL, NULL, &mutex));
  for (int i = 0; i < 3; i++) children[i] = harness_spawn("child_locks", name);
  Sleep(200 + random_below(200));
  for (int i = 0; i < 3; i++) {
    TerminateProcess(children[i], 0);
    WaitForSingleObject(children[i], INFINITE);
    CloseHandle(children[i]);
    winipc_status status = winipc_mutex_lock(mutex, PATIENCE);
    CHECK(status == WINIPC_OK || status == WINIPC_ABANDONED);
    CHECK_OK(winipc_mutex_unlock(mutex));
  }
  CHECK_OK(winipc_mutex_close(mutex));
}

/* ---- the whole ---- */

static const struct {
  const char *name;
  void (*round)(void);
} scenarios[] = {
    {"mix", mix_round},         {"kill", kill_round},   {"cycles", cycles_round},
    {"channel", channel_round}, {"locks", locks_round},
};

static int run(void (*round)(void)) {
  enum { WARM_UP = 3, SLACK = 2 };
  DWORD rounds = 0, before = 0;
  for (; time_left(); rounds++) {
    if (rounds == WARM_UP) before = harness_count_handles();
    round();
  }
  if (rounds > WARM_UP && harness_count_handles() > before + SLACK)
    harness_fail(__FILE__, __LINE__, "%lu handles grew to %lu", before,
                 harness_count_handles());
  printf("%s: %lu rounds\n", harness__current, rounds);
  printf("%d passed, %d failed\n", !harness__failures, harness__failures != 0);
  return harness__failures || !rounds;
}

int main(int count, char **arguments) {
  static const test children[] = {
      CHILD(client_honest), CHILD(client_dies),
      CHILD(client_silent), CHILD(client_hostile),
      CHILD(client_counts), CHILD(child_channel),
      CHILD(child_locks),   END,
  };
  if (count == 3) return harness_main(count, arguments, children);
  for (size_t i = 0; count == 4 && i < sizeof scenarios / sizeof *scenarios; i++) {
    if (strcmp(arguments[1], scenarios[i].name)) continue;
    harness__current = scenarios[i].name;
    harness__left = HARNESS_SECONDS;
    CloseHandle(CreateThread(NULL, 0, harness__watchdog, NULL, 0, NULL));
    seed_random(strtoull(arguments[2], NULL, 10));
    soak_end = GetTickCount64() + strtoull(arguments[3], NULL, 10) * 1000;
    return run(scenarios[i].round);
  }
  printf("usage: soak mix|kill|cycles|channel|locks SEED SECONDS\n");
  return 2;
}
