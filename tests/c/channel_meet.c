/* How two parties of a channel meet: names, who comes first, channels without a name,
 * strangers at the pipe, other versions, those who only look. */
#include "channels.h"

static const char *address;

static DWORD WINAPI open_in_thread(void *made) {
  *(winipc_connection **)made = open_as(address, WINIPC_CHANNEL_PAIR);
  return 0;
}

static void check_that_they_talk(winipc_connection *one, winipc_connection *other) {
  send_number(one, 1);
  CHECK_NUMBER(other, 1);
  send_number(other, 2);
  CHECK_NUMBER(one, 2);
}

static void open_both(DWORD pause, winipc_connection **one, winipc_connection **other) {
  HANDLE thread = thread_of(open_in_thread, one);
  if (pause) Sleep(pause);
  *other = open_as(address, WINIPC_CHANNEL_PAIR);
  join(thread);
}

static void close_both(winipc_connection *one, winipc_connection *other) {
  CHECK_OK(winipc_connection_close(one));
  CHECK_OK(winipc_connection_close(other));
}

/* The name is free again at once, whoever goes first. */
static void either_side_may_come_first_and_go_first(void) {
  winipc_connection *one = NULL, *other = NULL;
  address = harness_name("channel:", "first");
  for (int i = 0; i < 6; i++) {
    open_both(30, &one, &other);
    check_that_they_talk(one, other);
    i % 2 ? close_both(one, other) : close_both(other, one);
  }
}

static void both_may_come_in_the_same_moment(void) {
  winipc_connection *one = NULL, *other = NULL;
  address = harness_name("channel:", "same");
  for (int i = 0; i < 20; i++) {
    open_both(0, &one, &other);
    check_that_they_talk(one, other);
    i % 2 ? close_both(one, other) : close_both(other, one);
  }
}

/* The one that is still there need not close first. */
static void a_third_one_waits_until_one_of_the_two_has_closed(void) {
  winipc_connection *first, *second, *third = NULL, *none;
  address = harness_name("channel:", "third");
  for (int i = 0; i < 2; i++) {
    open_both(30, &first, &second);
    CHECK_STATUS(winipc_channel_open(address, NULL, 100, &none), WINIPC_E_BUSY);
    CHECK(!none);
    winipc_connection *leaves = i ? first : second, *stays = i ? second : first;
    HANDLE thread = thread_of(open_in_thread, &third);
    Sleep(30);
    CHECK_OK(winipc_connection_close(leaves));
    winipc_connection *fourth = open_as(address, WINIPC_CHANNEL_PAIR);
    join(thread);
    check_that_they_talk(third, fourth);
    CHECK_OK(winipc_connection_close(stays));
    close_both(third, fourth);
  }
}

static void to_wait_for_nobody_ends_with_the_time(void) {
  winipc_connection *none;
  winipc_channel_options lane = channel_as(WINIPC_CHANNEL_LANE);
  address = harness_name("channel:", "nobody");
  CHECK_STATUS(winipc_channel_open(address, NULL, 50, &none), WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_channel_open(address, NULL, 0, &none), WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_channel_open(address, &lane, 50, &none), WINIPC_E_NOT_FOUND);
  CHECK_STATUS(winipc_connect(address, NULL, 50, &none), WINIPC_E_NOT_FOUND);
}

static DWORD WINAPI fire_soon(void *token) {
  Sleep(60);
  return (DWORD)winipc_cancel_fire(token);
}

static void a_token_ends_the_waiting_for_a_peer(void) {
  winipc_connection *none;
  winipc_cancel_token *token;
  const uint32_t roles[] = {WINIPC_CHANNEL_PAIR, WINIPC_CHANNEL_SUBSCRIBER};
  address = harness_name("channel:", "token");
  CHECK_OK(winipc_cancel_create(&token));
  CHECK_OK(winipc_cancel_use(token));
  for (int i = 0; i < 2; i++) {
    winipc_channel_options options = channel_as(roles[i]);
    HANDLE thread = thread_of(fire_soon, token);
    CHECK_STATUS(winipc_channel_open(address, &options, WINIPC_FOREVER, &none),
                 WINIPC_E_CANCELLED);
    join(thread);
    CHECK_OK(winipc_cancel_reset(token));
  }
  CHECK_OK(winipc_cancel_use(NULL));
  CHECK_OK(winipc_cancel_close(token));
}

/* ---- killed ---- */

static void child_pairs(const char *name) {
  winipc_connection *connection = open_as(name, WINIPC_CHANNEL_PAIR);
  send_number(connection, 1);
  Sleep(INFINITE);
}

/* First the child is there first, then we are. */
static void the_name_is_free_when_either_side_was_killed(void) {
  winipc_connection *connection = NULL;
  address = harness_name("channel:", "killed");
  for (int i = 0; i < 6; i++) {
    HANDLE thread = i % 2 ? thread_of(open_in_thread, &connection) : NULL;
    if (thread) Sleep(50);
    HANDLE child = harness_spawn("child_pairs", address);
    if (thread)
      join(thread);
    else {
      await_members(address, 0); /* nobody is met yet, but somebody answers */
      connection = open_as(address, WINIPC_CHANNEL_PAIR);
    }
    CHECK_NUMBER(connection, 1);
    kill_child(child);
    CHECK_RECEIVES(connection, SOON, WINIPC_E_DISCONNECTED);
    winipc_connection *one = NULL, *other = NULL;
    open_both(0, &one, &other);
    check_that_they_talk(one, other);
    close_both(one, other);
    CHECK_OK(winipc_connection_close(connection));
  }
}

/* ---- a listener ---- */

enum { CLIENTS = 12 };

static void a_listener_gives_a_pair_to_each_client(void) {
  winipc_listener *listener;
  winipc_connection *clients[CLIENTS], *servers[CLIENTS];
  address = harness_name("channel:", "many");
  CHECK_OK(winipc_listen(address, NULL, &listener));
  for (uint32_t i = 0; i < CLIENTS; i++) {
    CHECK_OK(winipc_connect(address, NULL, SOON, &clients[i]));
    send_number(clients[i], i);
  }
  for (uint32_t i = 0; i < CLIENTS; i++) {
    CHECK_OK(winipc_accept(listener, SOON, &servers[i]));
    CHECK_NUMBER(servers[i], i);
  }
  CHECK_EQUAL(members_of(address), 2 * CLIENTS);
  CHECK_OK(winipc_listener_close(listener));
  for (int i = 0; i < CLIENTS; i++) check_that_they_talk(clients[i], servers[i]);
  for (int i = 0; i < CLIENTS; i++) close_both(clients[i], servers[i]);
}

static void who_is_not_accepted_is_told_when_the_listener_closes(void) {
  winipc_listener *listener;
  winipc_connection *client;
  address = harness_name("channel:", "unaccepted");
  CHECK_OK(winipc_listen(address, NULL, &listener));
  CHECK_OK(winipc_connect(address, NULL, SOON, &client));
  CHECK_OK(winipc_listener_close(listener));
  CHECK_RECEIVES(client, SOON, WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(client));
}

static void a_client_that_has_gone_is_still_given_out(void) {
  winipc_listener *listener;
  winipc_connection *client, *server;
  address = harness_name("channel:", "gone");
  CHECK_OK(winipc_listen(address, NULL, &listener));
  CHECK_OK(winipc_connect(address, NULL, SOON, &client));
  send_number(client, 9);
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_accept(listener, SOON, &server));
  CHECK_NUMBER(server, 9);
  CHECK_RECEIVES(server, SOON, WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
}

/* ---- without a name ---- */

static void child_by_handle(const char *value) {
  winipc_connection *connection = NULL;
  void *handle = (void *)(uintptr_t)strtoull(value, NULL, 10);
  CHECK_OK(winipc_channel_from_handle(handle, NULL, SOON, &connection));
  CHECK_NUMBER(connection, 1);
  send_number(connection, 2);
  CHECK_RECEIVES(connection, SOON, WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(connection));
}

static void check_nameless(winipc_listener *listener, HANDLE child) {
  winipc_connection *connection;
  winipc_peer peer = {.size = sizeof peer};
  CHECK_OK(winipc_accept(listener, SOON, &connection));
  CHECK_OK(winipc_connection_peer(connection, &peer));
  CHECK_EQUAL(peer.pid, GetProcessId(child));
  send_number(connection, 1);
  CHECK_NUMBER(connection, 2);
  CHECK_OK(winipc_connection_close(connection));
  CHECK_OK(winipc_listener_close(listener));
  CHECK_CHILD(child);
}

static void a_child_inherits_a_channel_without_a_name(void) {
  winipc_listener *listener;
  void *other_end;
  char value[32];
  CHECK_OK(winipc_channel_create(NULL, &listener, &other_end));
  snprintf(value, sizeof value, "%llu", (unsigned long long)(uintptr_t)other_end);
  HANDLE child = harness_spawn("child_by_handle", value);
  CHECK(CloseHandle(other_end));
  check_nameless(listener, child);
}

/* It is told the value over its standard input. */
static void child_by_input(const char *ignored) {
  char value[32] = "";
  (void)ignored;
  CHECK(fgets(value, sizeof value, stdin));
  child_by_handle(value);
}

static void a_running_process_gets_one_put_into_it(void) {
  winipc_listener *listener;
  void *other_end;
  uint64_t value;
  char line[32];
  winipc_process *process = start_child("child_by_input", "x");
  winipc_connection *in = take(process, WINIPC_STDIN), *connection;
  CHECK_OK(winipc_channel_create(NULL, &listener, &other_end));
  CHECK_OK(winipc_process_give_handle(process, other_end, 0, &value));
  CHECK(CloseHandle(other_end));
  int size = snprintf(line, sizeof line, "%llu\n", (unsigned long long)value);
  CHECK_OK(winipc_send(in, line, (size_t)size, SOON));
  CHECK_OK(winipc_accept(listener, SOON, &connection));
  send_number(connection, 1);
  CHECK_NUMBER(connection, 2);
  CHECK_OK(winipc_connection_close(connection));
  CHECK_OK(winipc_listener_close(listener));
  CHECK_OK(winipc_connection_close(in));
  CHECK_EXIT(process, 0);
}

static void who_never_joins_a_channel_without_a_name_is_told(void) {
  winipc_listener *listener;
  winipc_connection *none;
  void *other_end;
  CHECK_OK(winipc_channel_create(NULL, &listener, &other_end));
  CHECK_STATUS(winipc_accept(listener, 50, &none), WINIPC_E_TIMEOUT);
  CHECK(CloseHandle(other_end));
  CHECK_STATUS(winipc_accept(listener, SOON, &none), WINIPC_E_DISCONNECTED);
  CHECK_STATUS(winipc_accept(listener, 0, &none), WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_listener_close(listener));
}

static void a_handle_that_does_not_fit_stays_the_callers(void) {
  winipc_connection *none;
  HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
  CHECK(winipc_channel_from_handle(event, NULL, SOON, &none) < 0);
  CHECK(winipc_channel_from_handle(NULL, NULL, SOON, &none) < 0);
  CHECK(CloseHandle(event));
}

/* ---- strangers ---- */

/* A client that comes after the stranger is served in good time. */
static void check_serves(void) {
  ULONGLONG start = GetTickCount64();
  winipc_connection *subscriber = open_as(address, WINIPC_CHANNEL_SUBSCRIBER);
  CHECK(GetTickCount64() - start < 3000);
  CHECK_OK(winipc_connection_close(subscriber));
}

static void strangers_at_the_pipe_stop_nobody(void) {
  static char huge[60000];
  char byte;
  raw_hello hello = hello_as(WINIPC_CHANNEL_SUBSCRIBER, 1, 1);
  const struct {
    const void *data;
    size_t size;
  } words[] = {{"", 0},
               {"x", 1},
               {"winipcCH", 8},
               {&hello, 20},
               {huge, sizeof huge},
               {&hello, sizeof hello}};
  address = harness_name("channel:", "strangers");
  winipc_connection *publisher = open_as(address, WINIPC_CHANNEL_PUBLISHER);
  for (size_t i = 0; i < 2 * sizeof words / sizeof *words; i++) {
    HANDLE pipe = knock(address);
    pipe_write(pipe, words[i / 2].data, words[i / 2].size);
    if (i % 2) CHECK(CloseHandle(pipe)); /* at once, else when it is sent away */
    check_serves();
    if (i % 2 == 0) {
      while (pipe_read(pipe, &byte, 1)) continue;
      CHECK(CloseHandle(pipe));
    }
  }
  await_members(address, 1);
  CHECK_OK(winipc_connection_close(publisher));
}

static void who_speaks_after_the_meeting_is_sent_away(void) {
  raw_welcome welcome;
  raw_hello hello = hello_as(WINIPC_CHANNEL_SUBSCRIBER, 1, 1);
  address = harness_name("channel:", "chatty");
  winipc_connection *publisher = open_as(address, WINIPC_CHANNEL_PUBLISHER);
  HANDLE pipe = knock(address);
  CHECK(pipe_write(pipe, &hello, sizeof hello));
  CHECK(pipe_read(pipe, &welcome, sizeof welcome) && !welcome.status);
  CHECK(pipe_write(pipe, "winipcCH", 8));
  await_members(address, 2);
  pipe_write(pipe, "hello?", 6);
  await_members(address, 1);
  CHECK(CloseHandle(pipe));
  CHECK_OK(winipc_connection_close(publisher));
}

/* ---- versions ---- */

static int answer_to(uint32_t version, uint32_t oldest) {
  raw_welcome welcome = {.status = 1};
  raw_hello hello = hello_as(WINIPC_CHANNEL_SUBSCRIBER, version, oldest);
  HANDLE pipe = knock(address);
  CHECK(pipe_write(pipe, &hello, sizeof hello));
  CHECK(pipe_read(pipe, &welcome, sizeof welcome));
  CHECK(CloseHandle(pipe));
  return welcome.status;
}

static void a_host_tells_a_peer_of_another_version(void) {
  address = harness_name("channel:", "versions");
  winipc_connection *publisher = open_as(address, WINIPC_CHANNEL_PUBLISHER);
  CHECK_EQUAL(answer_to(1, 1), WINIPC_OK);
  CHECK_EQUAL(answer_to(7, 1), WINIPC_OK);
  CHECK_EQUAL(answer_to(7, 2), WINIPC_E_VERSION);
  CHECK_EQUAL(answer_to(0, 0), WINIPC_E_VERSION);
  CHECK_EQUAL(answer_to(UINT32_MAX, UINT32_MAX), WINIPC_E_VERSION);
  CHECK_OK(winipc_connection_close(publisher));
}

/* A host that is none of ours: it answers with these bytes. */
typedef struct fake_host {
  HANDLE pipe;
  const void *answer;
  DWORD size;
} fake_host;

static DWORD WINAPI answer_once(void *context) {
  const fake_host *f = context;
  char room[256];
  DWORD got;
  ConnectNamedPipe(f->pipe, NULL);
  if (ReadFile(f->pipe, room, sizeof room, &got, NULL) && f->size)
    WriteFile(f->pipe, f->answer, f->size, &got, NULL);
  Sleep(300); /* a client of Wine's gets what it did not read yet */
  CloseHandle(f->pipe);
  return 0;
}

static void check_answer(const void *answer, size_t size, uint32_t timeout_ms,
                         winipc_status expected) {
  winipc_connection *none;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_SUBSCRIBER);
  fake_host f = {.answer = answer, .size = (DWORD)size};
  address = harness_name("channel:", "fake");
  f.pipe = CreateNamedPipeA(pipe_path(address), PIPE_ACCESS_DUPLEX,
                            PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 4096, 4096, 0,
                            NULL);
  HANDLE thread = thread_of(answer_once, &f);
  CHECK_STATUS(winipc_channel_open(address, &options, timeout_ms, &none), expected);
  CHECK(!none);
  join(thread);
}

static void whatever_a_host_answers_is_checked(void) {
  char noise[sizeof(raw_welcome)];
  raw_welcome w = {.version = 1, .role = WINIPC_CHANNEL_PUBLISHER};
  memcpy(w.magic, "winipcCH", 8);
  memset(noise, 0x5a, sizeof noise);
  check_answer(noise, sizeof noise, SOON, WINIPC_E_CORRUPT);
  check_answer(&w, 20, SOON, WINIPC_E_CORRUPT);
  check_answer(&w, sizeof w, SOON, WINIPC_E_CORRUPT); /* no handles */
  check_answer(NULL, 0, 100, WINIPC_E_TIMEOUT);
  w.status = WINIPC_E_VERSION;
  check_answer(&w, sizeof w, SOON, WINIPC_E_VERSION);
  w.status = -1000;
  check_answer(&w, sizeof w, SOON, WINIPC_E_CORRUPT);
  w.status = 0;
  w.version = 0;
  check_answer(&w, sizeof w, SOON, WINIPC_E_VERSION);
  w.version = 1;
  w.mine = w.theirs = w.data = 0x123454; /* of nothing */
  w.mine_size = w.theirs_size = 1 << 20;
  check_answer(&w, sizeof w, SOON, WINIPC_E_INVALID_HANDLE);
}

static void a_host_of_another_user_is_the_wrong_peer(void) {
  winipc_connection *none;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_SUBSCRIBER);
  address = harness_name("channel:", "user");
  winipc_connection *publisher = open_as(address, WINIPC_CHANNEL_PUBLISHER);
  options.server_user = "S-1-5-21-1-2-3-1234";
  CHECK_STATUS(winipc_channel_open(address, &options, SOON, &none),
               WINIPC_E_WRONG_PEER);
  options.server_user = "any";
  CHECK_OK(winipc_channel_open(address, &options, SOON, &none));
  CHECK_OK(winipc_connection_close(none));
  CHECK_OK(winipc_connection_close(publisher));
}

/* ---- those who only look ---- */

static void inspecting_tells_who_is_there_and_how_it_goes(void) {
  winipc_channel_member members[4] = {{.size = sizeof *members}},
                        own = {.size = sizeof own};
  uint32_t count;
  address = harness_name("channel:", "inspected");
  winipc_connection *publisher = open_as(address, WINIPC_CHANNEL_PUBLISHER);
  winipc_connection *subscriber = open_as(address, WINIPC_CHANNEL_SUBSCRIBER);
  for (uint32_t i = 0; i < 10; i++) send_number(publisher, i);
  for (uint32_t i = 0; i < 4; i++) CHECK_NUMBER(subscriber, i);
  CHECK_OK(winipc_channel_inspect(address, NULL, SOON, members, 4, &count));
  CHECK_EQUAL(count, 2);
  CHECK_EQUAL(members[0].role, WINIPC_CHANNEL_PUBLISHER);
  CHECK_EQUAL(members[1].role, WINIPC_CHANNEL_SUBSCRIBER);
  for (int i = 0; i < 2; i++) {
    CHECK_EQUAL(members[i].pid, GetCurrentProcessId());
    CHECK(strstr(members[i].image, "channel_meet"));
    CHECK(members[i].since > 0);
  }
  CHECK_EQUAL(members[0].messages, 10);
  CHECK_EQUAL(members[0].capacity, 1 << 20);
  CHECK(members[0].bytes >= 10 * 16 && members[0].bytes < 10 * 64);
  CHECK_EQUAL(members[1].unread * 10, members[0].bytes * 6);
  CHECK_OK(winipc_channel_get_info(publisher, &own));
  CHECK_EQUAL(own.messages, 10);
  for (uint32_t i = 4; i < 10; i++) CHECK_NUMBER(subscriber, i);
  close_both(subscriber, publisher);
}

static void too_small_an_array_gets_the_first_ones(void) {
  winipc_channel_member members[2] = {{.size = sizeof *members}};
  uint32_t count = 77;
  address = harness_name("channel:", "inspected");
  CHECK_STATUS(winipc_channel_inspect(address, NULL, 50, members, 2, &count),
               WINIPC_E_NOT_FOUND);
  CHECK_EQUAL(count, 0);
  winipc_connection *publisher = open_as(address, WINIPC_CHANNEL_PUBLISHER);
  winipc_connection *one = open_as(address, WINIPC_CHANNEL_SUBSCRIBER);
  winipc_connection *two = open_as(address, WINIPC_CHANNEL_SUBSCRIBER);
  CHECK_STATUS(winipc_channel_inspect(address, NULL, SOON, members, 2, &count),
               WINIPC_E_BUFFER_TOO_SMALL);
  CHECK_EQUAL(count, 3);
  CHECK_EQUAL(members[1].role, WINIPC_CHANNEL_SUBSCRIBER);
  CHECK_STATUS(winipc_channel_inspect(address, NULL, SOON, NULL, 0, &count),
               WINIPC_E_BUFFER_TOO_SMALL);
  CHECK_EQUAL(count, 3);
  close_both(one, two);
  CHECK_OK(winipc_connection_close(publisher));
}

/* ---- options ---- */

static void check_refused(winipc_channel_options options, winipc_status expected) {
  winipc_connection *none;
  CHECK_STATUS(winipc_channel_open("channel:refused", &options, 10, &none), expected);
  CHECK(!none);
}

static void options_out_of_their_range_are_refused(void) {
  winipc_channel_options o = channel_as(9);
  check_refused(o, WINIPC_E_INVALID_ARGUMENT);
  o = channel_as(0), o.capacity = (uint64_t)1 << 35;
  check_refused(o, WINIPC_E_INVALID_ARGUMENT);
  o = channel_as(0), o.max_message = 0;
  check_refused(o, WINIPC_E_INVALID_ARGUMENT);
  o = channel_as(0), o.full = WINIPC_FULL_OVERWRITE_OLDEST;
  check_refused(o, WINIPC_E_INVALID_ARGUMENT);
  o = channel_as(1), o.max_peers = 1025;
  check_refused(o, WINIPC_E_INVALID_ARGUMENT);
  o = channel_as(0), o.fields = 8;
  check_refused(o, WINIPC_E_INVALID_ARGUMENT);
  o = channel_as(0), o.size = 3;
  check_refused(o, WINIPC_E_INVALID_ARGUMENT);
}

static void a_ring_beyond_the_limit_is_refused(void) {
  winipc_connection *none;
  winipc_channel_options host = channel_as(WINIPC_CHANNEL_FUNNEL);
  winipc_channel_options guest = channel_as(WINIPC_CHANNEL_LANE);
  host.capacity = 4096;
  host.capacity_limit = 1 << 16;
  guest.capacity = 1 << 17;
  address = harness_name("channel:", "limit");
  winipc_connection *funnel = open_with(address, &host);
  CHECK_STATUS(winipc_channel_open(address, &guest, SOON, &none), WINIPC_E_LIMIT);
  guest.capacity = 1 << 16;
  CHECK_OK(winipc_connection_close(open_with(address, &guest)));
  CHECK_OK(winipc_connection_close(funnel));
}

static void memory_can_be_huge_or_large_or_of_a_node(void) {
  winipc_connection *publisher;
  winipc_channel_options o = channel_as(WINIPC_CHANNEL_PUBLISHER);
  address = harness_name("channel:", "memory");
  o.capacity = (uint64_t)1 << 34;
  winipc_status status = winipc_channel_open(address, &o, SOON, &publisher);
  CHECK(status == WINIPC_OK || status == WINIPC_E_TOO_LARGE ||
        status == WINIPC_E_OUT_OF_MEMORY);
  CHECK_OK(winipc_connection_close(publisher));
  o.capacity = 1 << 20;
  o.large_pages = 1;
  status = winipc_channel_open(address, &o, SOON, &publisher);
  CHECK(status == WINIPC_OK || status == WINIPC_E_PRIVILEGE);
  CHECK_OK(winipc_connection_close(publisher));
  o.large_pages = 0;
  o.prefault = 1;
  o.numa_node = 0;
  o.spin_us = 0;
  publisher = open_with(address, &o);
  winipc_connection *subscriber = open_as(address, WINIPC_CHANNEL_SUBSCRIBER);
  send_number(publisher, 4);
  CHECK_NUMBER(subscriber, 4);
  close_both(subscriber, publisher);
}

static void names_say_whose_they_are(void) {
  winipc_connection *none;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PUBLISHER);
  winipc_connection *global = open_as("channel:Global\\winipc-test", 1);
  winipc_connection *local = open_as("channel:Local\\winipc-test", 1);
  CHECK_STATUS(winipc_channel_open("channel:winipc-test", &options, 10, &none),
               WINIPC_E_EXISTS);
  options.scope = WINIPC_SCOPE_GLOBAL;
  CHECK_STATUS(winipc_channel_open("channel:winipc-test", &options, 10, &none),
               WINIPC_E_EXISTS);
  close_both(global, local);
  const char *const bad[] = {"channel:", "channel:a\\b", "pipe:x", "x", ""};
  for (int i = 0; i < 5; i++)
    CHECK_STATUS(winipc_channel_open(bad[i], NULL, 10, &none),
                 WINIPC_E_INVALID_ARGUMENT);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(either_side_may_come_first_and_go_first),
      TEST(both_may_come_in_the_same_moment),
      TEST(a_third_one_waits_until_one_of_the_two_has_closed),
      TEST(to_wait_for_nobody_ends_with_the_time),
      TEST(a_token_ends_the_waiting_for_a_peer),
      TEST(the_name_is_free_when_either_side_was_killed),
      TEST(a_listener_gives_a_pair_to_each_client),
      TEST(who_is_not_accepted_is_told_when_the_listener_closes),
      TEST(a_client_that_has_gone_is_still_given_out),
      TEST(a_child_inherits_a_channel_without_a_name),
      TEST(a_running_process_gets_one_put_into_it),
      TEST(who_never_joins_a_channel_without_a_name_is_told),
      TEST(a_handle_that_does_not_fit_stays_the_callers),
      TEST(strangers_at_the_pipe_stop_nobody),
      TEST(who_speaks_after_the_meeting_is_sent_away),
      TEST(a_host_tells_a_peer_of_another_version),
      TEST(whatever_a_host_answers_is_checked),
      TEST(a_host_of_another_user_is_the_wrong_peer),
      TEST(inspecting_tells_who_is_there_and_how_it_goes),
      TEST(too_small_an_array_gets_the_first_ones),
      TEST(options_out_of_their_range_are_refused),
      TEST(a_ring_beyond_the_limit_is_refused),
      TEST(memory_can_be_huge_or_large_or_of_a_node),
      TEST(names_say_whose_they_are),
      CHILD(child_pairs),
      CHILD(child_by_handle),
      CHILD(child_by_input),
      END,
  };
  return harness_main(argc, argv, tests);
}
