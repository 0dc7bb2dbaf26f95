/* The library as a whole: its version, its features, its entry point. */
#include "core/handle.h"
#include "core/platform.h"
#include "core/thread.h"
#include "core/win.h"

#define LIBRARY__TEXT(x) #x
#define LIBRARY__DOTTED(a, b, c) \
  LIBRARY__TEXT(a) "." LIBRARY__TEXT(b) "." LIBRARY__TEXT(c)

uint32_t WINIPC_CALL winipc_version(void) {
  return WINIPC_VERSION_MAJOR << 16 | WINIPC_VERSION_MINOR << 8 | WINIPC_VERSION_PATCH;
}

const char *WINIPC_CALL winipc_version_text(void) {
  return LIBRARY__DOTTED(WINIPC_VERSION_MAJOR, WINIPC_VERSION_MINOR,
                         WINIPC_VERSION_PATCH);
}

static const struct {
  const char *name;
  bool under_wine; /* Wine lacks what the others need of the system */
} library__features[] = {
    {"pipe", true},
    {"pipe.remote", false},
    {"pipe.list", false},
    {"pipe.enforced-security", false},
    {"pipe.first-instance", false},
    {"process", true},
    {"process.pseudo-console", false},
    {"memory", true},
    {"mutex", true},
    {"event", true},
    {"semaphore", true},
    {"channel", true},
};

int32_t WINIPC_CALL winipc_has(const char *feature) {
  if (!feature) return 0;
  for (size_t i = 0; i < sizeof library__features / sizeof *library__features; i++)
    if (!strcmp(library__features[i].name, feature))
      return library__features[i].under_wine || !platform_is_wine();
  return 0;
}

void WINIPC_CALL winipc_free(void *memory) {
  free(memory);
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID at_process_end) {
  (void)module;
  if (reason == DLL_PROCESS_ATTACH) return thread_slots_init();
  if (reason == DLL_PROCESS_DETACH && !at_process_end) {
    thread_slots_free();
    handle_table_free();
  }
  return TRUE;
}
