/* winipc_wait over several objects. */
#include "harness.h"

enum { MOST = 61 };

static winipc_event *new_event(void) {
  winipc_event *event = NULL;
  CHECK_OK(winipc_event_open(NULL, 0, 0, NULL, NULL, &event));
  return event;
}

static winipc_mutex *new_mutex(void) {
  winipc_mutex *mutex = NULL;
  CHECK_OK(winipc_mutex_open(NULL, NULL, NULL, &mutex));
  return mutex;
}

static winipc_semaphore *new_semaphore(void) {
  winipc_semaphore *semaphore = NULL;
  CHECK_OK(winipc_semaphore_open(NULL, 0, 5, NULL, NULL, &semaphore));
  return semaphore;
}

/* A wait on a second thread. */
typedef struct sleeper {
  const void *const *objects;
  uint32_t count;
  int32_t all;
  winipc_cancel_token *token;
  winipc_status status;
  uint32_t index;
  HANDLE thread;
} sleeper;

static DWORD WINAPI sleeper_thread(void *argument) {
  sleeper *s = argument;
  if (s->token) winipc_cancel_use(s->token);
  s->status = winipc_wait(s->objects, s->count, s->all, WINIPC_FOREVER, &s->index);
  return 0;
}

static void sleeper_start(sleeper *s) {
  s->thread = CreateThread(NULL, 0, sleeper_thread, s, 0, NULL);
  Sleep(100);
}

static winipc_status sleeper_end(sleeper *s) {
  CHECK_EQUAL(WaitForSingleObject(s->thread, SOON), WAIT_OBJECT_0);
  CloseHandle(s->thread);
  return s->status;
}

static DWORD WINAPI lock_and_end(void *mutex) {
  return (DWORD)winipc_mutex_lock(mutex, WINIPC_FOREVER);
}

static void abandon(winipc_mutex *mutex) {
  HANDLE thread = CreateThread(NULL, 0, lock_and_end, mutex, 0, NULL);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

static void a_wait_for_any_tells_which_one_it_was(void) {
  winipc_event *event = new_event();
  winipc_semaphore *semaphore = new_semaphore();
  winipc_event *other = new_event();
  const void *objects[] = {event, semaphore, other};
  uint32_t index = 9;
  CHECK_STATUS(winipc_wait(objects, 3, 0, WINIPC_NO_WAIT, &index), WINIPC_E_TIMEOUT);
  CHECK_EQUAL(index, 0);
  CHECK_OK(winipc_semaphore_release(semaphore, 1, NULL));
  CHECK_OK(winipc_wait(objects, 3, 0, SOON, &index));
  CHECK_EQUAL(index, 1);
  CHECK_OK(winipc_event_set(other));
  CHECK_OK(winipc_wait(objects, 3, 0, WINIPC_NO_WAIT, &index));
  CHECK_EQUAL(index, 2);
  CHECK_STATUS(winipc_wait(objects, 3, 0, 20, &index), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_event_set(event));
  CHECK_OK(winipc_wait(objects, 3, 0, SOON, NULL)); /* one need not know */
  winipc_event_close(event);
  winipc_event_close(other);
  winipc_semaphore_close(semaphore);
}

static void a_wait_for_all_takes_all_or_none(void) {
  winipc_event *event = new_event();
  winipc_semaphore *semaphore = new_semaphore();
  winipc_mutex *mutex = new_mutex();
  const void *objects[] = {event, semaphore, mutex};
  uint32_t index = 9;
  CHECK_OK(winipc_event_set(event));
  CHECK_STATUS(winipc_wait(objects, 3, 1, WINIPC_NO_WAIT, &index), WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_wait(objects, 3, 1, 20, &index), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_event_wait(event, WINIPC_NO_WAIT)); /* was not eaten */
  sleeper s = {.objects = objects, .count = 3, .all = 1};
  sleeper_start(&s);
  CHECK_OK(winipc_event_set(event));
  CHECK_OK(winipc_semaphore_release(semaphore, 2, NULL));
  CHECK_OK(sleeper_end(&s));
  CHECK_EQUAL(s.index, 0);
  CHECK_STATUS(winipc_event_wait(event, WINIPC_NO_WAIT), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_semaphore_acquire(semaphore, WINIPC_NO_WAIT));
  CHECK_STATUS(winipc_semaphore_acquire(semaphore, WINIPC_NO_WAIT), WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_mutex_lock(mutex, SOON), WINIPC_ABANDONED); /* it had it */
  winipc_event_close(event);
  winipc_semaphore_close(semaphore);
  winipc_mutex_close(mutex);
}

static void a_mutex_that_was_waited_for_is_locked(void) {
  winipc_mutex *mutex = new_mutex();
  winipc_event *event = new_event();
  const void *objects[] = {event, mutex};
  uint32_t index;
  CHECK_OK(winipc_wait(objects, 2, 0, WINIPC_FOREVER, &index));
  CHECK_EQUAL(index, 1);
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_OK(winipc_wait(&objects[1], 1, 1, WINIPC_FOREVER, &index));
  CHECK_OK(winipc_mutex_unlock(mutex));
  CHECK_STATUS(winipc_mutex_unlock(mutex), WINIPC_E_NOT_OWNER);
  winipc_mutex_close(mutex);
  winipc_event_close(event);
}

static void an_abandoned_mutex_is_told_by_any_and_by_all(void) {
  winipc_event *event = new_event();
  winipc_mutex *mutex = new_mutex();
  const void *objects[] = {event, mutex};
  uint32_t index = 9;
  abandon(mutex);
  CHECK_STATUS(winipc_wait(objects, 2, 0, SOON, &index), WINIPC_ABANDONED);
  CHECK_EQUAL(index, 1);
  CHECK_OK(winipc_mutex_unlock(mutex));
  abandon(mutex);
  CHECK_STATUS(winipc_wait(objects, 2, 1, 20, &index), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_event_set(event));
  CHECK_STATUS(winipc_wait(objects, 2, 1, SOON, &index), WINIPC_ABANDONED);
  CHECK_EQUAL(index, 0);
  CHECK_OK(winipc_mutex_unlock(mutex));
  winipc_mutex_close(mutex);
  winipc_event_close(event);
}

static void sixty_two_objects_are_the_most(void) {
  const void *objects[MOST + 1];
  uint32_t index;
  for (int i = 0; i <= MOST; i++) objects[i] = new_semaphore();
  CHECK_STATUS(winipc_wait(objects, MOST + 1, 0, 0, &index), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_wait(objects, 0, 0, 0, &index), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_semaphore_release((winipc_semaphore *)objects[MOST - 1], 1, NULL));
  CHECK_OK(winipc_wait(objects, MOST, 0, SOON, &index));
  CHECK_EQUAL(index, MOST - 1);
  for (int i = 0; i < MOST; i++)
    CHECK_OK(winipc_semaphore_release((winipc_semaphore *)objects[i], 1, NULL));
  CHECK_OK(winipc_wait(objects, MOST, 1, SOON, &index));
  CHECK_STATUS(winipc_wait(objects, MOST, 0, 0, &index), WINIPC_E_TIMEOUT);
  for (int i = 0; i <= MOST; i++)
    winipc_semaphore_close((winipc_semaphore *)objects[i]);
}

static void an_object_that_is_named_twice_is_refused(void) {
  winipc_semaphore *semaphore = new_semaphore();
  const void *objects[] = {semaphore, new_event(), semaphore};
  CHECK_OK(winipc_semaphore_release(semaphore, 5, NULL));
  for (int32_t all = 0; all <= 1; all++)
    CHECK_STATUS(winipc_wait(objects, 3, all, SOON, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_semaphore_acquire(semaphore, WINIPC_NO_WAIT));
  winipc_semaphore_close(semaphore);
  winipc_event_close((winipc_event *)objects[1]);
}

static void two_objects_that_are_one_to_the_system_are_refused_for_all(void) {
  const char *name = harness_name("", "twice");
  winipc_semaphore *a, *b;
  uint32_t index;
  CHECK_OK(winipc_semaphore_open(name, 1, 5, NULL, NULL, &a));
  CHECK_OK(winipc_semaphore_open(name, 1, 5, NULL, NULL, &b));
  const void *objects[] = {a, b};
  CHECK_STATUS(winipc_wait(objects, 2, 1, SOON, &index), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_wait(objects, 2, 0, SOON, &index));
  CHECK_EQUAL(index, 0);
  winipc_semaphore_close(a);
  winipc_semaphore_close(b);
}

static void what_cannot_be_waited_for_is_refused(void) {
  winipc_cancel_token *token;
  winipc_event *event = new_event(), *closed = new_event();
  CHECK_OK(winipc_cancel_create(&token));
  CHECK_OK(winipc_event_set(event));
  CHECK_OK(winipc_event_close(closed));
  const void *objects[] = {event, token}, *stale[] = {event, closed},
             *null[] = {event, NULL};
  uint32_t index = 9;
  CHECK_STATUS(winipc_wait(objects, 2, 0, SOON, &index), WINIPC_E_UNSUPPORTED);
  CHECK_EQUAL(index, 0);
  CHECK_STATUS(winipc_wait(stale, 2, 0, SOON, &index), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_wait(null, 2, 0, SOON, &index), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_wait(NULL, 1, 0, SOON, &index), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_wait(objects, 1, 2, SOON, &index), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_event_wait(event, WINIPC_NO_WAIT)); /* none of them touched it */
  winipc_event_close(event);
  winipc_cancel_close(token);
}

static void cancelling_or_closing_any_member_ends_the_wait(void) {
  for (int32_t all = 0; all <= 1; all++) {
    winipc_event *first = new_event();
    winipc_semaphore *second = new_semaphore();
    const void *objects[] = {first, second};
    sleeper s = {.objects = objects, .count = 2, .all = all};
    sleeper_start(&s);
    CHECK_OK(winipc_cancel(second));
    CHECK_STATUS(sleeper_end(&s), WINIPC_E_CANCELLED);
    sleeper_start(&s);
    CHECK_OK(winipc_event_close(first));
    CHECK_STATUS(sleeper_end(&s), WINIPC_E_CLOSED);
    CHECK_OK(winipc_semaphore_close(second));
  }
}

static void a_cancel_token_ends_a_wait_for_any_and_for_all(void) {
  winipc_event *first = new_event(), *second = new_event();
  const void *objects[] = {first, second};
  winipc_cancel_token *token;
  CHECK_OK(winipc_cancel_create(&token));
  for (int32_t all = 0; all <= 1; all++) {
    sleeper s = {.objects = objects, .count = 2, .all = all, .token = token};
    sleeper_start(&s);
    CHECK_OK(winipc_cancel_fire(token));
    CHECK_STATUS(sleeper_end(&s), WINIPC_E_CANCELLED);
    sleeper_start(&s); /* it has fired already */
    CHECK_STATUS(sleeper_end(&s), WINIPC_E_CANCELLED);
    CHECK_OK(winipc_event_set(first));
    CHECK_OK(winipc_event_set(second));
    sleeper_start(&s); /* and there is no need to wait */
    CHECK_OK(sleeper_end(&s));
    CHECK_OK(winipc_event_reset(second));
    CHECK_OK(winipc_cancel_reset(token));
  }
  winipc_event_close(first);
  winipc_event_close(second);
  winipc_cancel_close(token);
}

static void a_wait_leaves_nothing_behind_for_the_next_one(void) {
  winipc_event *first = new_event(), *second = new_event();
  const void *objects[] = {first, second};
  for (int i = 0; i < 50; i++) {
    CHECK_STATUS(winipc_wait(objects, 2, i % 2, i % 3, NULL), WINIPC_E_TIMEOUT);
    CHECK_OK(winipc_cancel(first)); /* nobody is there */
  }
  CHECK_EQUAL(SleepEx(0, TRUE), 0); /* no stray call on this thread */
  winipc_event_close(first);
  winipc_event_close(second);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(a_wait_for_any_tells_which_one_it_was),
      TEST(a_wait_for_all_takes_all_or_none),
      TEST(a_mutex_that_was_waited_for_is_locked),
      TEST(an_abandoned_mutex_is_told_by_any_and_by_all),
      TEST(sixty_two_objects_are_the_most),
      TEST(an_object_that_is_named_twice_is_refused),
      TEST(two_objects_that_are_one_to_the_system_are_refused_for_all),
      TEST(what_cannot_be_waited_for_is_refused),
      TEST(cancelling_or_closing_any_member_ends_the_wait),
      TEST(a_cancel_token_ends_a_wait_for_any_and_for_all),
      TEST(a_wait_leaves_nothing_behind_for_the_next_one),
      END};
  return harness_main(argc, argv, tests);
}
