#include "process/pseudo_console.h"

#include "core/status.h"

typedef HRESULT(WINAPI *pseudo_console__create)(COORD size, HANDLE input, HANDLE output,
                                                DWORD flags, void **console);
typedef void(WINAPI *pseudo_console__end)(void *console);

typedef struct pseudo_console {
  void *volatile console; /* NULL once somebody has set about to end it */
  HANDLE watch;           /* of the thread pool */
} pseudo_console;

static FARPROC pseudo_console__find(const char *name) {
  return GetProcAddress(GetModuleHandleW(L"kernel32.dll"), name);
}

static HMODULE pseudo_console__module(void) {
  HMODULE self = NULL;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                         GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                     (LPCWSTR)(uintptr_t)&pseudo_console__module, &self);
  return self;
}

winipc_status pseudo_console_make(uint32_t size, HANDLE input, HANDLE output,
                                  struct pseudo_console **out) {
  COORD cells = {(SHORT)(size >> 16), (SHORT)(size & 0xFFFF)};
  pseudo_console__create create = (pseudo_console__create)(void (*)(
      void))pseudo_console__find("CreatePseudoConsole");
  if (!create || !pseudo_console__find("ClosePseudoConsole"))
    return status_fail(WINIPC_E_UNSUPPORTED, "this system has no pseudo-consoles");
  if (cells.X <= 0 || cells.Y <= 0)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "pseudo_console is not columns << 16 | rows, each 1 to 32767");
  pseudo_console *made = calloc(1, sizeof *made);
  if (!made) return status_no_memory();
  HRESULT result = create(cells, input, output, 0, (void **)&made->console);
  if (SUCCEEDED(result)) return *out = made, WINIPC_OK;
  free(made);
  return status_from_win32((DWORD)result & 0xFFFF, "CreatePseudoConsole");
}

void *pseudo_console_value(const struct pseudo_console *console) {
  return console->console;
}

static void CALLBACK pseudo_console__end_now(PTP_CALLBACK_INSTANCE instance,
                                             void *console) {
  (void)instance;
  pseudo_console__end end =
      (pseudo_console__end)(void (*)(void))pseudo_console__find("ClosePseudoConsole");
  end(console);
}

/* The system's call can wait until the console's output has been read, so it is made
 * where it holds up nobody; the DLL stays loaded for as long. */
static void pseudo_console__end_soon(pseudo_console *c) {
  void *console = InterlockedExchangePointer((void *volatile *)&c->console, NULL);
  if (!console) return;
  TP_CALLBACK_ENVIRON environment;
  InitializeThreadpoolEnvironment(&environment);
  SetThreadpoolCallbackLibrary(&environment, pseudo_console__module());
  if (!TrySubmitThreadpoolCallback(pseudo_console__end_now, console, &environment))
    pseudo_console__end_now(NULL, console);
  DestroyThreadpoolEnvironment(&environment);
}

static void CALLBACK pseudo_console__process_ended(void *context, BOOLEAN timed_out) {
  (void)timed_out;
  pseudo_console__end_soon(context);
}

winipc_status pseudo_console_watch(struct pseudo_console *console, HANDLE process) {
  if (RegisterWaitForSingleObject(&console->watch, process,
                                  pseudo_console__process_ended, console, INFINITE,
                                  WT_EXECUTEONLYONCE))
    return WINIPC_OK;
  return status_from_last("RegisterWaitForSingleObject");
}

void pseudo_console_close(struct pseudo_console *console) {
  if (!console) return;
  if (console->watch) UnregisterWaitEx(console->watch, INVALID_HANDLE_VALUE);
  pseudo_console__end_soon(console);
  free(console);
}
