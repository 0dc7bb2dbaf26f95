/* Mutexes, events and semaphores. */
#include "harness.h"

#include <aclapi.h>
#include <sddl.h>

static winipc_lock_options with(uint32_t mode, uint32_t scope) {
  winipc_lock_options options;
  winipc_lock_options_init(&options);
  options.mode = mode;
  options.scope = scope;
  return options;
}

static const char *error_text(void) {
  static winipc_error error;
  error.size = sizeof error;
  winipc_last_error(&error);
  return error.text;
}

static winipc_mutex *new_mutex(const char *name) {
  winipc_mutex *mutex = NULL;
  CHECK_OK(winipc_mutex_open(name, NULL, NULL, &mutex));
  return mutex;
}

/* ---- a second thread ---- */

typedef struct call {
  winipc_status (*run)(struct call *c);
  void *object;
  winipc_cancel_token *token;
  winipc_status status;
  HANDLE thread;
} call;

#define CALL(run_, object_) {.run = (run_), .object = (object_)}

static DWORD WINAPI call_thread(void *argument) {
  call *c = argument;
  if (c->token) winipc_cancel_use(c->token);
  c->status = c->run(c);
  return 0;
}

static void call_start(call *c) {
  c->thread = CreateThread(NULL, 0, call_thread, c, 0, NULL);
}

static winipc_status call_end(call *c) {
  CHECK_EQUAL(WaitForSingleObject(c->thread, SOON), WAIT_OBJECT_0);
  CloseHandle(c->thread);
  return c->status;
}

static winipc_status call_now(call c) {
  call_start(&c);
  return call_end(&c);
}

static winipc_status lock_forever(call *c) {
  return winipc_mutex_lock(c->object, WINIPC_FOREVER);
}

static winipc_status lock_no_wait(call *c) {
  return winipc_mutex_lock(c->object, WINIPC_NO_WAIT);
}

static winipc_status unlock(call *c) {
  return winipc_mutex_unlock(c->object);
}

static winipc_status wait_forever(call *c) {
  return winipc_event_wait(c->object, WINIPC_FOREVER);
}

static winipc_status acquire_forever(call *c) {
  return winipc_semaphore_acquire(c->object, WINIPC_FOREVER);
}

/* ---- mutexes ---- */

static void a_mutex_excludes_other_threads_until_it_is_unlocked(void) {
  winipc_mutex *mutex = new_mutex(NULL);
  CHECK_OK(winipc_mutex_lock(mutex, WINIPC_FOREVER));
  CHECK_STATUS(call_now((call)CALL(lock_no_wait, mutex)), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(winipc_mutex_lock(mutex, WINIPC_NO_WAIT));
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(winipc_mutex_close(mutex));
}

static void its_owner_may_lock_a_mutex_again_and_unlocks_it_as_often(void) {
  winipc_mutex *mutex = new_mutex(NULL);
  for (int i = 0; i < 3; i++) CHECK_OK(winipc_mutex_lock(mutex, WINIPC_FOREVER));
  for (int i = 0; i < 3; i++) {
    CHECK_STATUS(call_now((call)CALL(lock_no_wait, mutex)), WINIPC_E_TIMEOUT);
    CHECK_OK(winipc_mutex_unlock(mutex));
  }
  CHECK_STATUS(winipc_mutex_unlock(mutex), WINIPC_E_NOT_OWNER);
  CHECK_OK(winipc_mutex_close(mutex));
}

static void only_the_owner_unlocks_a_mutex(void) {
  winipc_mutex *mutex = new_mutex(NULL);
  CHECK_OK(winipc_mutex_lock(mutex, WINIPC_FOREVER));
  CHECK_STATUS(call_now((call)CALL(unlock, mutex)), WINIPC_E_NOT_OWNER);
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(winipc_mutex_close(mutex));
}

static void a_thread_that_ends_abandons_its_mutex_and_the_next_one_is_told(void) {
  winipc_mutex *mutex = new_mutex(NULL);
  CHECK_OK(call_now((call)CALL(lock_forever, mutex)));
  CHECK_STATUS(winipc_mutex_lock(mutex, WINIPC_FOREVER), WINIPC_ABANDONED);
  CHECK_OK(winipc_mutex_lock(mutex, WINIPC_NO_WAIT)); /* told once; and it is ours */
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(call_now((call)CALL(lock_forever, mutex)));
  CHECK_STATUS(winipc_mutex_lock(mutex, WINIPC_NO_WAIT), WINIPC_ABANDONED);
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(winipc_mutex_close(mutex));
}

static void child_holds(const char *name) {
  winipc_event *ready;
  CHECK_OK(winipc_mutex_lock(new_mutex(name), WINIPC_FOREVER));
  char event[160];
  snprintf(event, sizeof event, "%s-ready", name);
  CHECK_OK(winipc_event_open(event, 0, 0, NULL, NULL, &ready));
  CHECK_OK(winipc_event_set(ready));
  Sleep(INFINITE);
}

static HANDLE spawn_holder(const char *name) {
  char event[160];
  winipc_event *ready;
  snprintf(event, sizeof event, "%s-ready", name);
  CHECK_OK(winipc_event_open(event, 0, 0, NULL, NULL, &ready));
  HANDLE child = harness_spawn("child_holds", name);
  CHECK_OK(winipc_event_wait(ready, SOON));
  CHECK_OK(winipc_event_close(ready));
  return child;
}

static void a_killed_process_abandons_its_mutex_and_a_blocked_one_gets_it(void) {
  const char *name = harness_name("", "killed");
  winipc_mutex *mutex = new_mutex(name);
  HANDLE child = spawn_holder(name);
  CHECK_STATUS(winipc_mutex_lock(mutex, 30), WINIPC_E_TIMEOUT);
  call c = CALL(lock_forever, mutex);
  call_start(&c);
  Sleep(50);
  TerminateProcess(child, 1);
  CHECK_STATUS(call_end(&c), WINIPC_ABANDONED);
  CloseHandle(child);
  CHECK_OK(winipc_mutex_close(mutex));
}

static void cancel_ends_a_blocked_lock_and_leaves_the_next_one_alone(void) {
  winipc_mutex *mutex = new_mutex(NULL);
  CHECK_OK(winipc_mutex_lock(mutex, WINIPC_FOREVER));
  call c = CALL(lock_forever, mutex);
  call_start(&c);
  Sleep(100);
  CHECK_OK(winipc_cancel(mutex));
  CHECK_STATUS(call_end(&c), WINIPC_E_CANCELLED);
  CHECK_STATUS(call_now((call)CALL(lock_no_wait, mutex)), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(winipc_mutex_close(mutex));
}

static void a_cancel_token_ends_a_blocked_lock_even_when_it_fired_before(void) {
  winipc_mutex *mutex = new_mutex(NULL);
  winipc_cancel_token *token;
  CHECK_OK(winipc_cancel_create(&token));
  CHECK_OK(winipc_mutex_lock(mutex, WINIPC_FOREVER));
  call c = {.run = lock_forever, .object = mutex, .token = token};
  call_start(&c);
  Sleep(50);
  CHECK_OK(winipc_cancel_fire(token));
  CHECK_STATUS(call_end(&c), WINIPC_E_CANCELLED);
  CHECK_STATUS(call_now((call){.run = lock_forever, .object = mutex, .token = token}),
               WINIPC_E_CANCELLED);
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(call_now((call){
      .run = lock_forever, .object = mutex, .token = token})); /* it need not wait */
  CHECK_OK(winipc_cancel_close(token));
  CHECK_OK(winipc_mutex_close(mutex));
}

static void closing_wakes_those_who_are_blocked_in_it(void) {
  winipc_mutex *mutex = new_mutex(NULL);
  winipc_event *event;
  winipc_semaphore *semaphore;
  CHECK_OK(winipc_mutex_lock(mutex, WINIPC_FOREVER));
  CHECK_OK(winipc_event_open(NULL, 0, 0, NULL, NULL, &event));
  CHECK_OK(winipc_semaphore_open(NULL, 0, 1, NULL, NULL, &semaphore));
  call calls[] = {CALL(lock_forever, mutex), CALL(wait_forever, event),
                  CALL(acquire_forever, semaphore)};
  for (int i = 0; i < 3; i++) call_start(&calls[i]);
  Sleep(100);
  CHECK_OK(winipc_mutex_close(mutex));
  CHECK_OK(winipc_event_close(event));
  CHECK_OK(winipc_semaphore_close(semaphore));
  for (int i = 0; i < 3; i++) CHECK_STATUS(call_end(&calls[i]), WINIPC_E_CLOSED);
  CHECK_STATUS(winipc_mutex_lock(mutex, 0), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_event_set(event), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_semaphore_release(semaphore, 1, NULL), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_mutex_close(mutex), WINIPC_E_INVALID_HANDLE);
}

static void close_takes_null(void) {
  CHECK_OK(winipc_mutex_close(NULL));
  CHECK_OK(winipc_event_close(NULL));
  CHECK_OK(winipc_semaphore_close(NULL));
}

/* ---- events ---- */

static void an_automatic_event_lets_one_wait_through(void) {
  winipc_event *event;
  CHECK_OK(winipc_event_open(NULL, 0, 0, NULL, NULL, &event));
  CHECK_STATUS(winipc_event_wait(event, WINIPC_NO_WAIT), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_event_set(event));
  CHECK_OK(winipc_event_wait(event, SOON));
  CHECK_STATUS(winipc_event_wait(event, 20), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_event_close(event));
}

static void a_manual_event_stays_set_until_it_is_reset(void) {
  winipc_event *event;
  CHECK_OK(winipc_event_open(NULL, 1, 1, NULL, NULL, &event));
  CHECK_OK(winipc_event_wait(event, WINIPC_FOREVER));
  CHECK_OK(winipc_event_wait(event, WINIPC_NO_WAIT));
  CHECK_OK(winipc_event_reset(event));
  CHECK_STATUS(winipc_event_wait(event, WINIPC_NO_WAIT), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_event_set(event));
  CHECK_OK(winipc_event_wait(event, 20));
  CHECK_OK(winipc_event_close(event));
}

static void child_sets(const char *name) {
  winipc_event *event;
  winipc_lock_options options = with(WINIPC_OPEN, WINIPC_SCOPE_LOCAL);
  CHECK_OK(winipc_event_open(name, 0, 0, &options, NULL, &event));
  CHECK_OK(winipc_event_set(event));
}

static void an_event_that_another_process_sets_wakes_us(void) {
  const char *name = harness_name("", "set");
  winipc_event *event;
  CHECK_OK(winipc_event_open(name, 0, 0, NULL, NULL, &event));
  HANDLE child = harness_spawn("child_sets", name);
  CHECK_OK(winipc_event_wait(event, SOON));
  CHECK_CHILD(child);
  CHECK_OK(winipc_event_close(event));
}

/* ---- semaphores ---- */

static void a_semaphore_counts_down_to_nothing_and_up_to_its_limit(void) {
  winipc_semaphore *semaphore;
  uint32_t previous = 99;
  CHECK_OK(winipc_semaphore_open(NULL, 2, 3, NULL, NULL, &semaphore));
  CHECK_OK(winipc_semaphore_acquire(semaphore, WINIPC_FOREVER));
  CHECK_OK(winipc_semaphore_acquire(semaphore, WINIPC_NO_WAIT));
  CHECK_STATUS(winipc_semaphore_acquire(semaphore, 20), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_semaphore_release(semaphore, 2, &previous));
  CHECK_EQUAL(previous, 0);
  CHECK_STATUS(winipc_semaphore_release(semaphore, 2, &previous), WINIPC_E_LIMIT);
  CHECK_EQUAL(previous, 0);
  CHECK_STATUS(winipc_semaphore_release(semaphore, 0x80000000u, NULL), WINIPC_E_LIMIT);
  CHECK_OK(winipc_semaphore_release(semaphore, 1, &previous));
  CHECK_EQUAL(previous, 2); /* the refused ones have changed nothing */
  CHECK_STATUS(winipc_semaphore_release(semaphore, 0, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_semaphore_close(semaphore));
}

static void count_and_limit_of_a_semaphore_have_their_ranges(void) {
  winipc_semaphore *s = (winipc_semaphore *)1;
  CHECK_STATUS(winipc_semaphore_open(NULL, 0, 0, NULL, NULL, &s),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK(!s);
  CHECK_STATUS(winipc_semaphore_open(NULL, 2, 1, NULL, NULL, &s),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_semaphore_open(NULL, 0, 0x80000000u, NULL, NULL, &s),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_semaphore_open(NULL, 0x7FFFFFFF, 0x7FFFFFFF, NULL, NULL, &s));
  CHECK_STATUS(winipc_semaphore_release(s, 1, NULL), WINIPC_E_LIMIT);
  CHECK_OK(winipc_semaphore_close(s));
}

/* ---- names ---- */

static void create_open_and_create_or_open_do_as_they_say(void) {
  const char *name = harness_name("", "modes");
  winipc_lock_options create = with(WINIPC_CREATE, 0), open = with(WINIPC_OPEN, 0);
  winipc_mutex *a, *b = (winipc_mutex *)1;
  int32_t created = 9;
  CHECK_STATUS(winipc_mutex_open(name, &open, &created, &b), WINIPC_E_NOT_FOUND);
  CHECK(!b);
  CHECK_EQUAL(created, 0);
  CHECK(strstr(error_text(), name));
  CHECK_OK(winipc_mutex_open(name, &create, &created, &a));
  CHECK_EQUAL(created, 1);
  CHECK_STATUS(winipc_mutex_open(name, &create, &created, &b), WINIPC_E_EXISTS);
  CHECK_EQUAL(created, 0);
  CHECK_OK(winipc_mutex_open(name, &open, &created, &b));
  CHECK_EQUAL(created, 0);
  CHECK_OK(winipc_mutex_close(b));
  CHECK_OK(winipc_mutex_open(name, NULL, &created, &b));
  CHECK_EQUAL(created, 0);
  CHECK_OK(winipc_mutex_close(b));
  CHECK_OK(winipc_mutex_close(a));
  CHECK_STATUS(winipc_mutex_open(name, &open, NULL, &b), WINIPC_E_NOT_FOUND);
}

static void a_scope_may_stand_in_the_options_or_in_the_name(void) {
  winipc_lock_options global = with(WINIPC_CREATE_OR_OPEN, WINIPC_SCOPE_GLOBAL);
  winipc_mutex *mutex[5];
  int32_t created[5];
  char name[5][160];
  const char *bare = harness_name("", "scope");
  snprintf(name[0], sizeof *name, "%s", bare);
  snprintf(name[1], sizeof *name, "Local\\%s", bare);
  snprintf(name[2], sizeof *name, "%s", bare);
  snprintf(name[3], sizeof *name, "Global\\%s", bare);
  snprintf(name[4], sizeof *name, "Local\\%s", bare);
  const winipc_lock_options *options[] = {NULL, NULL, &global, NULL, &global};
  for (int i = 0; i < 5; i++)
    CHECK_OK(winipc_mutex_open(name[i], options[i], &created[i], &mutex[i]));
  CHECK_EQUAL(created[0], 1);
  CHECK_EQUAL(created[1], 0); /* the same */
  CHECK_EQUAL(created[2], 1); /* that of the whole machine */
  CHECK_EQUAL(created[3], 0);
  CHECK_EQUAL(created[4], 0); /* the name has the last word */
  HANDLE native = OpenMutexA(SYNCHRONIZE, FALSE, name[3]);
  CHECK(native);
  CloseHandle(native);
  for (int i = 0; i < 5; i++) CHECK_OK(winipc_mutex_close(mutex[i]));
}

static void bad_names_are_refused_with_a_reason(void) {
  winipc_event *event = (winipc_event *)1;
  CHECK_STATUS(winipc_event_open("a\\b", 0, 0, NULL, NULL, &event),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK(!event);
  CHECK(strstr(error_text(), "backslash"));
  CHECK_STATUS(winipc_event_open("Global\\a\\b", 0, 0, NULL, NULL, &event),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_event_open("", 0, 0, NULL, NULL, &event),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_event_open("Local\\", 0, 0, NULL, NULL, &event),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_event_open("\xFF\xFE", 0, 0, NULL, NULL, &event),
               WINIPC_E_INVALID_TEXT);
}

static void names_are_utf8(void) {
  const char *name = harness_name("", "gr\xC3\xBC\xC3\x9F");
  wchar_t wide[128];
  winipc_event *event;
  CHECK_OK(winipc_event_open(name, 0, 0, NULL, NULL, &event));
  MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, 128);
  HANDLE native = OpenEventW(EVENT_MODIFY_STATE, FALSE, wide);
  CHECK(native);
  CHECK(SetEvent(native));
  CHECK_OK(winipc_event_wait(event, WINIPC_NO_WAIT));
  CloseHandle(native);
  CHECK_OK(winipc_event_close(event));
}

static void a_name_of_another_kind_of_object_is_told(void) {
  const char *name = harness_name("", "kind");
  winipc_mutex *mutex = new_mutex(name);
  winipc_lock_options open = with(WINIPC_OPEN, 0);
  winipc_event *event;
  CHECK_STATUS(winipc_event_open(name, 0, 0, NULL, NULL, &event), WINIPC_E_EXISTS);
  CHECK(strstr(error_text(), "another kind"));
  CHECK_STATUS(winipc_event_open(name, 0, 0, &open, NULL, &event), WINIPC_E_EXISTS);
  CHECK(strstr(error_text(), "another kind"));
  CHECK_OK(winipc_mutex_close(mutex));
}

/* ---- what is behind ---- */

static void the_rights_that_a_lock_takes_are_the_least(void) {
  const char *name = harness_name("", "rights");
  SECURITY_ATTRIBUTES security = {sizeof security, NULL, FALSE};
  /* EVENT_MODIFY_STATE | SYNCHRONIZE for everyone, and nothing more */
  CHECK(ConvertStringSecurityDescriptorToSecurityDescriptorA(
      "D:P(A;;0x100002;;;WD)", 1, &security.lpSecurityDescriptor, NULL));
  HANDLE native = CreateEventA(&security, FALSE, FALSE, name);
  winipc_event *event;
  CHECK_OK(winipc_event_open(name, 0, 0, NULL, NULL, &event));
  CHECK_OK(winipc_event_set(event));
  CHECK_EQUAL(WaitForSingleObject(native, 0), WAIT_OBJECT_0);
  CHECK_OK(winipc_event_close(event));
  CloseHandle(native);
  LocalFree(security.lpSecurityDescriptor);
}

static void check_sddl(const char *name, const char *expected) {
  PSECURITY_DESCRIPTOR descriptor = NULL;
  char *sddl = NULL;
  HANDLE native = OpenMutexA(READ_CONTROL, FALSE, name);
  CHECK(native);
  CHECK_EQUAL(GetSecurityInfo(native, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL,
                              NULL, NULL, NULL, &descriptor),
              0);
  CHECK(ConvertSecurityDescriptorToStringSecurityDescriptorA(
      descriptor, 1, DACL_SECURITY_INFORMATION, &sddl, NULL));
  if (!sddl || !strstr(sddl, expected))
    harness_fail(__FILE__, __LINE__, "the DACL is %s, not %s", sddl, expected);
  LocalFree(sddl);
  LocalFree(descriptor);
  CloseHandle(native);
}

static void the_dacl_names_the_user_alone_or_is_what_was_asked(void) {
  const char *name = harness_name("", "dacl");
  char *user = NULL, expected[256];
  union {
    TOKEN_USER user;
    char room[256];
  } token;
  HANDLE handle;
  DWORD size;
  CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &handle));
  CHECK(GetTokenInformation(handle, TokenUser, &token, sizeof token, &size));
  CHECK(ConvertSidToStringSidA(token.user.User.Sid, &user));
  CloseHandle(handle);
  winipc_mutex *mutex = new_mutex(name);
  snprintf(expected, sizeof expected, ";;;%s)", user);
  check_sddl(name, expected);
  CHECK_OK(winipc_mutex_close(mutex));
  winipc_lock_options options = with(WINIPC_CREATE, 0);
  options.sddl = "D:P(A;;GA;;;WD)";
  CHECK_OK(winipc_mutex_open(name, &options, NULL, &mutex));
  check_sddl(name, ";;;WD)");
  CHECK_OK(winipc_mutex_close(mutex));
  options.sddl = "no SDDL";
  CHECK_STATUS(winipc_mutex_open(name, &options, NULL, &mutex),
               WINIPC_E_INVALID_ARGUMENT);
  LocalFree(user);
}

static void a_dacl_that_denies_is_heeded(void) {
  const char *name = harness_name("", "denied");
  winipc_lock_options options = with(WINIPC_CREATE, 0);
  options.sddl = "D:P(D;;GA;;;WD)";
  winipc_mutex *a, *b;
  CHECK_OK(winipc_mutex_open(name, &options, NULL, &a));
  CHECK_STATUS(winipc_mutex_open(name, NULL, NULL, &b), WINIPC_E_ACCESS_DENIED);
  CHECK_OK(winipc_mutex_close(a));
}

static void handles_of_others_are_adopted_when_they_are_of_the_kind(void) {
  winipc_mutex *mutex;
  winipc_event *event;
  winipc_semaphore *semaphore = (winipc_semaphore *)1;
  HANDLE native = CreateEventW(NULL, FALSE, TRUE, NULL);
  CHECK_STATUS(winipc_mutex_from_handle(native, &mutex), WINIPC_E_INVALID_HANDLE);
  CHECK(strstr(error_text(), "Event"));
  CHECK_STATUS(winipc_semaphore_from_handle(native, &semaphore),
               WINIPC_E_INVALID_HANDLE);
  CHECK(!semaphore);
  CHECK_OK(winipc_event_from_handle(native, &event)); /* it was still ours to give */
  CHECK_OK(winipc_event_wait(event, SOON));
  CHECK_OK(winipc_event_close(event));
  CHECK_OK(winipc_mutex_from_handle(CreateMutexW(NULL, TRUE, NULL), &mutex));
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(winipc_mutex_close(mutex));
  CHECK_OK(
      winipc_semaphore_from_handle(CreateSemaphoreW(NULL, 1, 1, NULL), &semaphore));
  CHECK_OK(winipc_semaphore_acquire(semaphore, SOON));
  CHECK_OK(winipc_semaphore_close(semaphore));
  CHECK_STATUS(winipc_mutex_from_handle(NULL, &mutex), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_mutex_from_handle((HANDLE)0x12345678, &mutex),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_mutex_from_handle(INVALID_HANDLE_VALUE, &mutex),
               WINIPC_E_INVALID_HANDLE);
}

static void child_inherits(const char *number) {
  winipc_event *event;
  CHECK_OK(
      winipc_event_from_handle((HANDLE)(uintptr_t)strtoull(number, NULL, 10), &event));
  CHECK_OK(winipc_event_set(event));
}

static void the_native_handle_of_an_inheritable_lock_reaches_a_child(void) {
  winipc_lock_options options = with(WINIPC_CREATE, 0);
  winipc_event *event, *kept;
  void *native;
  char number[32];
  DWORD flags;
  options.inheritable = 1;
  CHECK_OK(winipc_event_open(NULL, 0, 0, &options, NULL, &event));
  CHECK_OK(winipc_native_handle(event, &native));
  snprintf(number, sizeof number, "%llu", (unsigned long long)(uintptr_t)native);
  CHECK_CHILD(harness_spawn("child_inherits", number));
  CHECK_OK(winipc_event_wait(event, WINIPC_NO_WAIT));
  CHECK_OK(winipc_event_open(NULL, 0, 0, NULL, NULL, &kept));
  CHECK_OK(winipc_native_handle(kept, &native));
  CHECK(GetHandleInformation(native, &flags) && !(flags & HANDLE_FLAG_INHERIT));
  CHECK_OK(winipc_event_close(kept));
  CHECK_OK(winipc_event_close(event));
}

static void what_a_lock_does_not_know_it_refuses(void) {
  winipc_lock_options o = with(WINIPC_CREATE_OR_OPEN, 0);
  winipc_mutex *mutex;
  winipc_event *event;
  CHECK_STATUS(winipc_lock_options_init(NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_mutex_open(NULL, NULL, NULL, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_mutex_from_handle(NULL, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_event_open(NULL, 2, 0, NULL, NULL, &event),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_event_open(NULL, 0, -1, NULL, NULL, &event),
               WINIPC_E_INVALID_ARGUMENT);
  uint32_t *members[] = {&o.mode, &o.scope, &o.inheritable, &o.security, &o.reserved};
  for (int i = 0; i < 5; i++) {
    *members[i] = 77;
    CHECK_STATUS(winipc_mutex_open(NULL, &o, NULL, &mutex), WINIPC_E_INVALID_ARGUMENT);
    *members[i] = 0;
  }
  o.mode = WINIPC_OPEN;
  CHECK_STATUS(winipc_mutex_open(NULL, &o, NULL, &mutex), WINIPC_E_INVALID_ARGUMENT);
  o.size = 0;
  CHECK_STATUS(winipc_mutex_open(NULL, &o, NULL, &mutex), WINIPC_E_INVALID_ARGUMENT);
}

static void a_lock_of_another_kind_is_an_invalid_handle(void) {
  winipc_mutex *mutex = new_mutex(NULL);
  CHECK_STATUS(winipc_event_set((winipc_event *)mutex), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_semaphore_acquire((winipc_semaphore *)mutex, 0),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_event_close((winipc_event *)mutex), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_mutex_lock(NULL, 0), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_mutex_lock((winipc_mutex *)0x1234, 0), WINIPC_E_INVALID_HANDLE);
  CHECK_OK(winipc_mutex_close(mutex));
}

static void child_counts(const char *name) {
  winipc_mutex *mutex = new_mutex(name);
  HANDLE section = OpenFileMappingA(FILE_MAP_WRITE, FALSE, "winipc-test-count");
  volatile int *count = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
  for (int i = 0; i < 500; i++) {
    CHECK_OK(winipc_mutex_lock(mutex, WINIPC_FOREVER));
    *count = *count + 1;
    CHECK_OK(winipc_mutex_unlock(mutex));
  }
}

static void four_processes_count_without_losing_one(void) {
  const char *name = harness_name("", "count");
  HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4,
                                      "winipc-test-count");
  volatile int *count = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
  HANDLE children[4];
  for (int i = 0; i < 4; i++) children[i] = harness_spawn("child_counts", name);
  for (int i = 0; i < 4; i++) CHECK_CHILD(children[i]);
  CHECK_EQUAL(*count, 2000);
  UnmapViewOfFile((void *)count);
  CloseHandle(section);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(a_mutex_excludes_other_threads_until_it_is_unlocked),
      TEST(its_owner_may_lock_a_mutex_again_and_unlocks_it_as_often),
      TEST(only_the_owner_unlocks_a_mutex),
      TEST(a_thread_that_ends_abandons_its_mutex_and_the_next_one_is_told),
      TEST(a_killed_process_abandons_its_mutex_and_a_blocked_one_gets_it),
      TEST(cancel_ends_a_blocked_lock_and_leaves_the_next_one_alone),
      TEST(a_cancel_token_ends_a_blocked_lock_even_when_it_fired_before),
      TEST(closing_wakes_those_who_are_blocked_in_it),
      TEST(close_takes_null),
      TEST(an_automatic_event_lets_one_wait_through),
      TEST(a_manual_event_stays_set_until_it_is_reset),
      TEST(an_event_that_another_process_sets_wakes_us),
      TEST(a_semaphore_counts_down_to_nothing_and_up_to_its_limit),
      TEST(count_and_limit_of_a_semaphore_have_their_ranges),
      TEST(create_open_and_create_or_open_do_as_they_say),
      TEST(a_scope_may_stand_in_the_options_or_in_the_name),
      TEST(bad_names_are_refused_with_a_reason),
      TEST(names_are_utf8),
      TEST(a_name_of_another_kind_of_object_is_told),
      TEST(the_rights_that_a_lock_takes_are_the_least),
      TEST(the_dacl_names_the_user_alone_or_is_what_was_asked),
      TEST(a_dacl_that_denies_is_heeded),
      TEST(handles_of_others_are_adopted_when_they_are_of_the_kind),
      TEST(the_native_handle_of_an_inheritable_lock_reaches_a_child),
      TEST(what_a_lock_does_not_know_it_refuses),
      TEST(a_lock_of_another_kind_is_an_invalid_handle),
      TEST(four_processes_count_without_losing_one),
      CHILD(child_holds),
      CHILD(child_sets),
      CHILD(child_inherits),
      CHILD(child_counts),
      END};
  return harness_main(argc, argv, tests);
}
