#define WINIPC_TEST_HOOKS_IMPLEMENTATION
#include "hooks.h"

#include <string.h>

#include "counted.h"

#define HOOKS__ENTRY(name, kernel, fails) {#name, kernel, fails},
static const struct {
  const char *name;
  bool kernel, fails;
} hooks__table[] = {HOOKS_TABLE(HOOKS__ENTRY)};

static volatile LONG64 hooks__calls[HOOKS_COUNT];
static volatile LONG64 hooks__outstanding;

/* The one fault that is set: the call that brings `hooks__left` to 0 fails. */
static volatile LONG hooks__faulty = -1;
static volatile LONG hooks__left;
static DWORD hooks__error;

bool hooks_fail(int hook) {
  InterlockedIncrement64(&hooks__calls[hook]);
  if (hook != hooks__faulty || InterlockedDecrement(&hooks__left)) return false;
  SetLastError(hooks__error);
  return true;
}

void *hooks_made(void *made) {
  if (made) InterlockedIncrement64(&hooks__outstanding);
  return made;
}

void *hooks_gone(void *gone) {
  if (gone) InterlockedDecrement64(&hooks__outstanding);
  return gone;
}

BOOL hooks_made_if(BOOL made) {
  if (made) InterlockedIncrement64(&hooks__outstanding);
  return made;
}

void *hooks_realloc(void *old, size_t size) {
  if (hooks_fail(HOOK_realloc)) return NULL;
  void *made = realloc(old, size);
  if (made && !old) InterlockedIncrement64(&hooks__outstanding);
  return made;
}

static int hooks__find(const char *name) {
  for (int i = 0; i < HOOKS_COUNT; i++)
    if (!strcmp(hooks__table[i].name, name)) return i;
  return -1;
}

int64_t WINIPC_CALL winipc_test_calls(const char *name) {
  int64_t sum = 0;
  if (name) return hooks__find(name) < 0 ? -1 : hooks__calls[hooks__find(name)];
  for (int i = 0; i < HOOKS_COUNT; i++)
    if (hooks__table[i].kernel) sum += hooks__calls[i];
  return sum;
}

int64_t WINIPC_CALL winipc_test_outstanding(void) {
  return hooks__outstanding;
}

const char *WINIPC_CALL winipc_test_name(uint32_t index, int32_t *fails) {
  if (index >= HOOKS_COUNT) return NULL;
  *fails = hooks__table[index].fails;
  return hooks__table[index].name;
}

void WINIPC_CALL winipc_test_fail(const char *name, uint32_t nth, uint32_t error) {
  hooks__faulty = -1;
  hooks__error = error;
  hooks__left = (LONG)nth;
  hooks__faulty = nth ? hooks__find(name) : -1;
}

int32_t WINIPC_CALL winipc_test_failed(void) {
  return hooks__faulty >= 0 && hooks__left <= 0;
}

void WINIPC_CALL winipc_test_reset(void) {
  hooks__faulty = -1;
  for (int i = 0; i < HOOKS_COUNT; i++) hooks__calls[i] = 0;
}
