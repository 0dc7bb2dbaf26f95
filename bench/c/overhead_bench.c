/* What winipc adds to the system calls, in user mode: the calls themselves are left
 * out.
 *
 *   overhead_bench [--b DLL] [--only TEXT] [--seconds S] [--json]
 *
 * In winipc.dll's import table the system calls of the data path are replaced by
 * functions that return at once, as if the I/O had been done, or had been pending and
 * then done. The bare contestant makes the same calls to the same functions. The
 * kernel, or under Wine its server, has no part in the figures. */
#include "bench.h"

#include "winipc.h"

enum { CALLS = 4000, BYTES = 64 };

/* ---- the system calls that do nothing ---- */

static bool pending; /* how the I/O comes out */

static BOOL io(OVERLAPPED *overlapped, DWORD size) {
  overlapped->InternalHigh = size;
  overlapped->Internal = 0;
  if (!pending) return TRUE;
  SetLastError(ERROR_IO_PENDING);
  return FALSE;
}

static BOOL WINAPI read_nothing(HANDLE file, void *data, DWORD size, DWORD *done,
                                OVERLAPPED *overlapped) {
  (void)file, (void)data, (void)done;
  return io(overlapped, size);
}

static BOOL WINAPI write_nothing(HANDLE file, const void *data, DWORD size, DWORD *done,
                                 OVERLAPPED *overlapped) {
  (void)file, (void)data, (void)done;
  return io(overlapped, size);
}

static DWORD WINAPI wait_for_nothing(HANDLE handle, DWORD timeout) {
  (void)handle, (void)timeout;
  return WAIT_OBJECT_0;
}

static DWORD WINAPI wait_for_nothings(DWORD count, const HANDLE *handles, BOOL all,
                                      DWORD timeout) {
  (void)count, (void)handles, (void)all, (void)timeout;
  return WAIT_OBJECT_0;
}

/* Called through these, as through an import table. */
static __typeof__(&ReadFile) volatile bare_read = read_nothing;
static __typeof__(&WriteFile) volatile bare_write = write_nothing;
static __typeof__(&WaitForSingleObject) volatile bare_wait = wait_for_nothing;

/* ---- winipc.dll's import table ---- */

static void *replacement_of(const char *name) {
  static const struct {
    const char *name;
    void (*function)(void);
  } all[] = {
      {"ReadFile", (void (*)(void))read_nothing},
      {"WriteFile", (void (*)(void))write_nothing},
      {"WaitForSingleObject", (void (*)(void))wait_for_nothing},
      {"WaitForMultipleObjects", (void (*)(void))wait_for_nothings},
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (!strcmp(all[i].name, name)) return (void *)(uintptr_t)all[i].function;
  return NULL;
}

static void replace(void **entry, void *function) {
  DWORD old;
  if (!VirtualProtect(entry, sizeof *entry, PAGE_READWRITE, &old))
    die("VirtualProtect");
  *entry = function;
  VirtualProtect(entry, sizeof *entry, old, &old);
}

static int replace_imports_from(char *base, const IMAGE_IMPORT_DESCRIPTOR *from) {
  const IMAGE_THUNK_DATA *name =
      (const IMAGE_THUNK_DATA *)(base + from->OriginalFirstThunk);
  void **entry = (void **)(base + from->FirstThunk);
  int count = 0;
  for (; name->u1.AddressOfData; name++, entry++) {
    if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal)) continue;
    void *function = replacement_of(
        ((const IMAGE_IMPORT_BY_NAME *)(base + name->u1.AddressOfData))->Name);
    if (function) replace(entry, function);
    count += function != NULL;
  }
  return count;
}

static void replace_imports(HMODULE dll) {
  char *base = (char *)dll;
  const IMAGE_NT_HEADERS *headers =
      (const IMAGE_NT_HEADERS *)(base + ((const IMAGE_DOS_HEADER *)base)->e_lfanew);
  const IMAGE_IMPORT_DESCRIPTOR *from =
      (const IMAGE_IMPORT_DESCRIPTOR *)(base +
                                        headers->OptionalHeader
                                            .DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT]
                                            .VirtualAddress);
  int count = 0;
  for (; from->Name; from++) count += replace_imports_from(base, from);
  if (count < 4) die("only %d imports were found", count);
}

/* ---- the contestants ---- */

static HANDLE event;
static char data[BYTES];

static void bare_call(bool writes) {
  OVERLAPPED overlapped = {.hEvent = event};
  DWORD bytes;
  BOOL done = writes ? bare_write(NULL, data, BYTES, NULL, &overlapped)
                     : bare_read(NULL, data, BYTES, NULL, &overlapped);
  if (!done && GetLastError() != ERROR_IO_PENDING) die("not pending");
  if (!done && bare_wait(event, PATIENCE) != WAIT_OBJECT_0) die("no answer");
  if (!GetOverlappedResult(NULL, &overlapped, &bytes, FALSE) || bytes != BYTES)
    die("GetOverlappedResult");
}

static winipc_connection *connection;
static __typeof__(&winipc_send) dll_send;
static __typeof__(&winipc_receive) dll_receive;

static void winipc_call(bool writes) {
  size_t size = BYTES;
  winipc_status status = writes ? dll_send(connection, data, BYTES, PATIENCE)
                                : dll_receive(connection, data, BYTES, &size, PATIENCE);
  if (status || size != BYTES) die("winipc: status %d", status);
}

#define LOAD(function) \
  ((__typeof__(&function))(void (*)(void))GetProcAddress(dll, #function))

static void open_connection(const char *path) {
  HMODULE dll = LoadLibraryA(path);
  void *other;
  if (!dll) die("%s", path);
  winipc_pipe_options options;
  LOAD(winipc_pipe_options_init)(&options);
  options.type = WINIPC_PIPE_MESSAGE;
  if (LOAD(winipc_pipe_pair)(&options, &connection, &other)) die("winipc_pipe_pair");
  dll_send = LOAD(winipc_send);
  dll_receive = LOAD(winipc_receive);
  replace_imports(dll);
}

static double run_block(bool winipc, bool writes) {
  double start = now_us();
  if (winipc)
    for (int i = 0; i < CALLS; i++) winipc_call(writes);
  else
    for (int i = 0; i < CALLS; i++) bare_call(writes);
  return (now_us() - start) / CALLS;
}

static void measure(cell *c, bool writes, double seconds) {
  double end = now_us() + seconds * 1e6;
  for (int i = 0; i < 4; i++) run_block(i % 2, writes);
  for (c->pairs = 0; c->pairs < BENCH_MOST_PAIRS && now_us() < end; c->pairs++) {
    bool first = c->pairs % 2;
    double *figures[2] = {&c->a[c->pairs], &c->b[c->pairs]};
    *figures[first] = run_block(first, writes);
    *figures[!first] = run_block(!first, writes);
  }
}

int main(int count, char **arguments) {
  static cell c;
  settings s = read_settings(count - 1, arguments + 1);
  event = CreateEventW(NULL, TRUE, FALSE, NULL);
  open_connection(s.contestants[1]);
  for (int i = 0; i < 4; i++) {
    pending = i % 2;
    c.kind = pending ? "pending" : "at once";
    c.way = i / 2 ? "send" : "receive";
    c.bytes = BYTES;
    if (!is_wanted(&s, &c)) continue;
    measure(&c, i / 2, s.seconds);
    s.json ? print_json(&c) : print_summary(&c);
    fflush(stdout);
  }
  return 0;
}
