/* The manners of the ABI: versions, errors, handles, options, loading and unloading. */
#include "harness.h"

#include <tlhelp32.h>

static void the_version_is_the_headers(void) {
  CHECK_EQUAL(winipc_version(), WINIPC_VERSION_MAJOR << 16 | WINIPC_VERSION_MINOR << 8 |
                                    WINIPC_VERSION_PATCH);
  char text[32];
  snprintf(text, sizeof text, "%d.%d.%d", WINIPC_VERSION_MAJOR, WINIPC_VERSION_MINOR,
           WINIPC_VERSION_PATCH);
  CHECK(!strcmp(text, winipc_version_text()));
}

static void features_can_be_asked_for(void) {
  CHECK_EQUAL(winipc_has("pipe"), 1);
  CHECK_EQUAL(winipc_has("teleport"), 0);
  CHECK_EQUAL(winipc_has(NULL), 0);
}

static void every_status_has_a_name_and_a_text(void) {
#define CHECK_ENTRY(name, value, text)                        \
  CHECK_EQUAL(WINIPC_##name, value);                          \
  CHECK(!strcmp(winipc_status_name(value), "WINIPC_" #name)); \
  CHECK(strlen(winipc_status_text(value)) > 5);
  WINIPC_STATUS_TABLE(CHECK_ENTRY)
  CHECK(!strcmp(winipc_status_name(-12345), "WINIPC_E_UNKNOWN"));
}

static void the_last_error_tells_code_call_and_text(void) {
  winipc_error error = {.size = sizeof error};
  winipc_connection *none;
  CHECK_STATUS(winipc_connect("pipe:nobody-listens-here", NULL, 0, &none),
               WINIPC_E_NOT_FOUND);
  CHECK_OK(winipc_last_error(&error));
  CHECK_EQUAL(error.status, WINIPC_E_NOT_FOUND);
  CHECK_EQUAL(error.win32, ERROR_FILE_NOT_FOUND);
  CHECK(!strcmp(error.call, "CreateFile"));
  CHECK(strstr(error.text, "nobody-listens-here") != NULL);
}

static DWORD WINAPI fail_elsewhere(void *nothing) {
  winipc_cancel(nothing);
  return 0;
}

static void the_last_error_is_each_threads_own(void) {
  winipc_error error = {.size = sizeof error};
  winipc_connection *none;
  winipc_connect("nonsense", NULL, 0, &none);
  HANDLE thread = CreateThread(NULL, 0, fail_elsewhere, NULL, 0, NULL);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  winipc_last_error(&error);
  CHECK_EQUAL(error.status, WINIPC_E_INVALID_ARGUMENT);
}

static void an_older_or_newer_error_structure_is_served(void) {
  struct {
    winipc_error known;
    char more[16];
  } newer;
  winipc_connection *none;
  memset(&newer, 1, sizeof newer);
  newer.known.size = sizeof newer;
  winipc_connect("nonsense", NULL, 0, &none);
  CHECK_OK(winipc_last_error(&newer.known));
  CHECK_EQUAL(newer.known.status, WINIPC_E_INVALID_ARGUMENT);
  CHECK_EQUAL(newer.more[15], 0);
  winipc_error older = {.size = 2 * sizeof(uint32_t), .win32 = 77};
  CHECK_OK(winipc_last_error(&older));
  CHECK_EQUAL(older.win32, 77);
}

static void count_log(const winipc_error *error, void *count) {
  if (error->status == WINIPC_E_INVALID_ARGUMENT) ++*(int *)count;
}

static void the_log_hears_errors(void) {
  int count = 0;
  winipc_connection *none;
  CHECK_OK(winipc_log_set(count_log, &count));
  winipc_connect("nonsense", NULL, 0, &none);
  CHECK_OK(winipc_log_set(NULL, NULL));
  winipc_connect("nonsense", NULL, 0, &none);
  CHECK_EQUAL(count, 1);
}

static void wrong_handles_are_errors_not_crashes(void) {
  winipc_listener *listener;
  winipc_connection *none;
  CHECK_OK(winipc_listen(harness_name("pipe:", "handles"), NULL, &listener));
  void *wrong[] = {NULL,
                   (void *)1,
                   (void *)(intptr_t)-1,
                   &listener,
                   listener,
                   (char *)listener + 256,
                   (char *)listener + (1ll << 32)};
  char buffer[8];
  size_t size;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    winipc_connection *c = wrong[i];
    CHECK_STATUS(winipc_send(c, "x", 1, 0), WINIPC_E_INVALID_HANDLE);
    CHECK_STATUS(winipc_receive(c, buffer, 8, &size, 0), WINIPC_E_INVALID_HANDLE);
    CHECK_STATUS(winipc_connection_abort(c), WINIPC_E_INVALID_HANDLE);
    CHECK_STATUS(winipc_connection_close(c), c ? WINIPC_E_INVALID_HANDLE : WINIPC_OK);
  }
  CHECK_OK(winipc_listener_close(listener));
  CHECK_STATUS(winipc_listener_close(listener), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_accept(listener, 0, &none), WINIPC_E_INVALID_HANDLE);
}

static void a_slot_that_is_used_again_does_not_revive_old_handles(void) {
  winipc_cancel_token *first, *second;
  CHECK_OK(winipc_cancel_create(&first));
  CHECK_OK(winipc_cancel_close(first));
  CHECK_OK(winipc_cancel_create(&second));
  CHECK(first != second);
  CHECK_STATUS(winipc_cancel_fire(first), WINIPC_E_INVALID_HANDLE);
  CHECK_OK(winipc_cancel_fire(second));
  CHECK_OK(winipc_cancel_close(second));
}

static const char *what_connecting_says(const char *address) {
  static winipc_error error = {.size = sizeof error};
  winipc_connection *none;
  CHECK(winipc_connect(address, NULL, WINIPC_NO_WAIT, &none) < 0);
  CHECK_OK(winipc_last_error(&error));
  CHECK(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, error.text, -1, NULL, 0));
  return error.text;
}

static void the_text_of_an_error_is_utf8(void) {
  char address[100] = "bad:";
  CHECK(strstr(what_connecting_says("pipe:caf\xC3\xA9-\xE2\x82\xAC"),
               "caf\xC3\xA9-\xE2\x82\xAC"));
  while (strlen(address) < 90) strcat(address, "\xE2\x82\xAC");
  what_connecting_says(address);
  what_connecting_says("bad:\xFF\xC3");
}

static void thousands_of_objects_can_be_open(void) {
  enum { COUNT = 3000 };
  static winipc_cancel_token *tokens[COUNT];
  for (int i = 0; i < COUNT; i++) CHECK_OK(winipc_cancel_create(&tokens[i]));
  for (int i = 0; i < COUNT; i++) CHECK_OK(winipc_cancel_fire(tokens[i]));
  for (int i = 0; i < COUNT; i++) CHECK_OK(winipc_cancel_close(tokens[i]));
}

static void null_results_are_refused(void) {
  CHECK_STATUS(winipc_connect("pipe:x", NULL, 0, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_listen("pipe:x", NULL, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_accept(NULL, 0, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_cancel_create(NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_last_error(NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_receive(NULL, NULL, 0, NULL, 0), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_pipe_options_init(NULL), WINIPC_E_INVALID_ARGUMENT);
  winipc_free(NULL);
}

static void bad_addresses_are_refused(void) {
  static const char *bad[] = {
      "",  "pipe:",   "pipe://", "pipe://host",   "pipe://h/",    "pip:x",
      "x", "stdio:x", "\\\\.\\", "\\\\.\\pipe\\", "\\\\\\pipe\\x"};
  winipc_connection *connection;
  winipc_listener *listener;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK_STATUS(winipc_connect(bad[i], NULL, 0, &connection),
                 WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_connect(NULL, NULL, 0, &connection), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_connect("pipe:\xff\xfe", NULL, 0, &connection),
               WINIPC_E_INVALID_TEXT);
  CHECK_STATUS(winipc_listen("pipe://elsewhere/x", NULL, &listener),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_listen("stdio:", NULL, &listener), WINIPC_E_UNSUPPORTED);
  char longest[400] = "pipe:";
  memset(longest + 5, 'x', 300);
  CHECK_STATUS(winipc_listen(longest, NULL, &listener), WINIPC_E_INVALID_ARGUMENT);
}

static void options_of_a_newer_version_are_refused_when_set(void) {
  struct {
    winipc_connection_options known;
    uint64_t newer;
  } options;
  winipc_listener *listener;
  winipc_connection_options_init(&options.known);
  options.known.size = sizeof options;
  options.newer = 0;
  CHECK_OK(winipc_listen(harness_name("pipe:", "newer"), &options.known, &listener));
  CHECK_OK(winipc_listener_close(listener));
  options.newer = 1;
  CHECK_STATUS(winipc_listen(harness_name("pipe:", "newer"), &options.known, &listener),
               WINIPC_E_INVALID_ARGUMENT);
  options.known.size = 0;
  CHECK_STATUS(winipc_listen(harness_name("pipe:", "newer"), &options.known, &listener),
               WINIPC_E_INVALID_ARGUMENT);
}

static void options_that_are_out_of_range_are_refused(void) {
  winipc_pipe_options base;
  winipc_listener *listener;
  winipc_pipe_options_init(&base);
  uint32_t *const members[] = {
      &base.framing,     &base.direction,      &base.type,          &base.read_mode,
      &base.nowait,      &base.accept_remote,  &base.max_instances, &base.extra_access,
      &base.inheritable, &base.first_instance, &base.write_through, &base.security};
  for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
    uint32_t kept = *members[i];
    *members[i] = 0xFFFFFF;
    CHECK_STATUS(winipc_pipe_listen(harness_name("pipe:", "range"), &base, &listener),
                 WINIPC_E_INVALID_ARGUMENT);
    *members[i] = kept;
  }
  base.max_instances = 0;
  CHECK_STATUS(winipc_pipe_listen("pipe:x", &base, &listener),
               WINIPC_E_INVALID_ARGUMENT);
  winipc_pipe_options_init(&base);
  base.max_message = 0;
  CHECK_STATUS(winipc_pipe_listen("pipe:x", &base, &listener),
               WINIPC_E_INVALID_ARGUMENT);
  winipc_pipe_options_init(&base);
  base.sddl = "nonsense";
  CHECK_STATUS(winipc_pipe_listen("pipe:x", &base, &listener),
               WINIPC_E_INVALID_ARGUMENT);
  base.type = WINIPC_PIPE_BYTE;
  base.framing = WINIPC_FRAMING_MESSAGE;
  CHECK_STATUS(winipc_pipe_listen("pipe:x", &base, &listener), WINIPC_E_FRAMING);
}

/* ---- loading and unloading ---- */

static DWORD count_threads(void) {
  THREADENTRY32 entry = {.dwSize = sizeof entry};
  const DWORD self = GetCurrentProcessId();
  HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  DWORD count = 0;
  for (BOOL more = Thread32First(snapshot, &entry); more;
       more = Thread32Next(snapshot, &entry))
    if (entry.th32OwnerProcessID == self) count++;
  CloseHandle(snapshot);
  return count;
}

/* Bytes of the process heap that are in use. */
static size_t count_heap(void) {
  PROCESS_HEAP_ENTRY entry = {0};
  size_t used = 0;
  HANDLE heap = GetProcessHeap();
  HeapLock(heap);
  while (HeapWalk(heap, &entry))
    if (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) used += entry.cbData;
  HeapUnlock(heap);
  return used;
}

#define LOAD(dll, function) \
  ((__typeof__(&function))(void (*)(void))GetProcAddress((dll), #function))

/* Another file name is another module: this program itself has winipc.dll loaded. */
static const wchar_t copied_dll[] = L"winipc-contract-copy.dll";

static void load_use_and_free(void) {
  HMODULE dll = LoadLibraryW(copied_dll);
  winipc_listener *listener;
  winipc_connection *client, *server;
  char buffer[16];
  size_t size;
  CHECK(dll != NULL);
  if (!dll) return;
  const char *address = harness_name("pipe:", "load");
  CHECK_OK(LOAD(dll, winipc_listen)(address, NULL, &listener));
  CHECK_OK(LOAD(dll, winipc_connect)(address, NULL, SOON, &client));
  CHECK_OK(LOAD(dll, winipc_accept)(listener, SOON, &server));
  CHECK_OK(LOAD(dll, winipc_send)(client, "x", 1, SOON));
  CHECK_OK(LOAD(dll, winipc_receive)(server, buffer, 16, &size, SOON));
  CHECK_STATUS(LOAD(dll, winipc_receive)(server, buffer, 16, &size, 1),
               WINIPC_E_TIMEOUT);
  CHECK_OK(LOAD(dll, winipc_connection_close)(client));
  CHECK_OK(LOAD(dll, winipc_connection_close)(server));
  CHECK_OK(LOAD(dll, winipc_listener_close)(listener));
  CHECK(FreeLibrary(dll));
}

static void loading_a_thousand_times_leaks_nothing(void) {
  enum { ROUNDS = 1000, WARM_UP = 20, SLACK = 4096 };
  CHECK(CopyFileW(L"winipc.dll", copied_dll, FALSE));
  for (int i = 0; i < WARM_UP; i++) load_use_and_free();
  DWORD handles = harness_count_handles(), threads = count_threads();
  size_t heap = count_heap();
  for (int i = 0; i < ROUNDS && !harness__failures; i++) load_use_and_free();
  CHECK(GetModuleHandleW(copied_dll) == NULL);
  CHECK_EQUAL(harness_count_handles(), handles);
  CHECK_EQUAL(count_threads(), threads);
  CHECK(count_heap() <= heap + SLACK);
  DeleteFileW(copied_dll);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(the_version_is_the_headers),
      TEST(features_can_be_asked_for),
      TEST(every_status_has_a_name_and_a_text),
      TEST(the_last_error_tells_code_call_and_text),
      TEST(the_last_error_is_each_threads_own),
      TEST(an_older_or_newer_error_structure_is_served),
      TEST(the_log_hears_errors),
      TEST(wrong_handles_are_errors_not_crashes),
      TEST(a_slot_that_is_used_again_does_not_revive_old_handles),
      TEST(the_text_of_an_error_is_utf8),
      TEST(thousands_of_objects_can_be_open),
      TEST(null_results_are_refused),
      TEST(bad_addresses_are_refused),
      TEST(options_of_a_newer_version_are_refused_when_set),
      TEST(options_that_are_out_of_range_are_refused),
      TEST(loading_a_thousand_times_leaks_nothing),
      END,
  };
  return harness_main(argc, argv, tests);
}
