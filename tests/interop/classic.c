/* Plain Win32 programs of the textbook kind, which know nothing of winipc:
 *
 *   classic hello-server PIPE      message mode, 1,024-byte buffers: answers each
 * message with "hello, " before it, until the client leaves classic hello-client PIPE
 * sends "one", "two", "three" and prints the answers classic size-server PIPE byte
 * pipe, a DWORD length before each message: sends classic size-client PIPE       each
 * back upside down; the client sends three classic one-way-A PIPE-AB PIPE-BA     two
 * processes, a message pipe each way: A creates classic one-way-B PIPE-AB PIPE-BA both
 * and sends 1 to 5; B sends each back doubled classic slow-writer PIPE       byte
 * client: writes a framed message byte by byte classic dies PIPE              connects,
 * writes half a framed message, and dies classic silent PIPE            connects and
 * does nothing for a minute
 */
#include <stdio.h>
#include <string.h>

#include <windows.h>

enum { BUFFER = 1024, PATIENCE = 10000 };

static void die(const char *what) {
  printf("%s: Win32 error %lu\n", what, GetLastError());
  fflush(stdout);
  ExitProcess(1);
}

static HANDLE create(const char *name, DWORD access, DWORD mode) {
  HANDLE pipe = CreateNamedPipeA(name, access, mode, 1, BUFFER, BUFFER, 0, NULL);
  if (pipe == INVALID_HANDLE_VALUE) die("CreateNamedPipe");
  return pipe;
}

static void await_client(HANDLE pipe) {
  if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
    die("ConnectNamedPipe");
}

static HANDLE open_pipe(const char *name, DWORD access, DWORD mode) {
  HANDLE pipe = INVALID_HANDLE_VALUE;
  for (int i = 0; i < PATIENCE / 10 && pipe == INVALID_HANDLE_VALUE; i++) {
    pipe = CreateFileA(name, access, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE) Sleep(10);
  }
  if (pipe == INVALID_HANDLE_VALUE) die("CreateFile");
  if (mode && !SetNamedPipeHandleState(pipe, &mode, NULL, NULL)) die("SetState");
  return pipe;
}

static void put(HANDLE pipe, const void *data, DWORD size) {
  DWORD done;
  if (!WriteFile(pipe, data, size, &done, NULL) || done != size) die("WriteFile");
}

static void hello_server(char **names) {
  char text[BUFFER], answer[BUFFER + 8];
  DWORD size;
  HANDLE pipe = create(names[0], PIPE_ACCESS_DUPLEX,
                       PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT);
  await_client(pipe);
  while (ReadFile(pipe, text, sizeof text, &size, NULL)) {
    memcpy(answer, "hello, ", 7);
    memcpy(answer + 7, text, size);
    put(pipe, answer, size + 7);
  }
  if (GetLastError() != ERROR_BROKEN_PIPE) die("ReadFile");
}

static void hello_client(char **names) {
  static const char *const words[] = {"one", "two", "three"};
  char answer[BUFFER];
  DWORD size;
  HANDLE pipe =
      open_pipe(names[0], GENERIC_READ | GENERIC_WRITE, PIPE_READMODE_MESSAGE);
  for (int i = 0; i < 3; i++) {
    put(pipe, words[i], (DWORD)strlen(words[i]));
    if (!ReadFile(pipe, answer, sizeof answer, &size, NULL)) die("ReadFile");
    printf("%.*s\n", (int)size, answer);
  }
}

static int get_exactly(HANDLE pipe, void *data, DWORD size) {
  DWORD got;
  for (char *to = data; size; to += got, size -= got)
    if (!ReadFile(pipe, to, size, &got, NULL) || !got) return 0;
  return 1;
}

static void size_server(char **names) {
  char text[BUFFER], turned[BUFFER];
  DWORD size;
  HANDLE pipe = create(names[0], PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_WAIT);
  await_client(pipe);
  while (get_exactly(pipe, &size, sizeof size)) {
    if (size > BUFFER || !get_exactly(pipe, text, size)) die("the message");
    for (DWORD i = 0; i < size; i++) turned[i] = text[size - 1 - i];
    put(pipe, &size, sizeof size);
    put(pipe, turned, size);
  }
}

static void size_client(char **names) {
  static const char *const words[] = {"abc", "", "0123456789"};
  char text[BUFFER];
  DWORD size;
  HANDLE pipe = open_pipe(names[0], GENERIC_READ | GENERIC_WRITE, 0);
  for (int i = 0; i < 3; i++) {
    size = (DWORD)strlen(words[i]);
    put(pipe, &size, sizeof size);
    put(pipe, words[i], size);
    if (!get_exactly(pipe, &size, sizeof size) || size > BUFFER ||
        !get_exactly(pipe, text, size))
      die("the answer");
    printf("%.*s\n", (int)size, text);
  }
}

/* A: creates both pipes, writes into the first, reads from the second. */
static void one_way_a(char **names) {
  const DWORD mode = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT;
  HANDLE out = create(names[0], PIPE_ACCESS_OUTBOUND, mode);
  HANDLE in = create(names[1], PIPE_ACCESS_INBOUND, mode);
  DWORD size;
  await_client(out);
  await_client(in);
  for (int i = 1; i <= 5; i++) {
    int twice;
    put(out, &i, sizeof i);
    if (!ReadFile(in, &twice, sizeof twice, &size, NULL)) die("ReadFile");
    printf("%d\n", twice);
  }
}

static void one_way_b(char **names) {
  HANDLE in =
      open_pipe(names[0], GENERIC_READ | FILE_WRITE_ATTRIBUTES, PIPE_READMODE_MESSAGE);
  HANDLE out = open_pipe(names[1], GENERIC_WRITE, 0);
  DWORD size;
  for (int number; ReadFile(in, &number, sizeof number, &size, NULL);) {
    number *= 2;
    put(out, &number, sizeof number);
  }
}

static void slow_writer(char **names) {
  static const char framed[] = {5, 0, 0, 0, 's', 'l', 'o', 'w', 'y'};
  HANDLE pipe = open_pipe(names[0], GENERIC_WRITE, 0);
  for (size_t i = 0; i < sizeof framed; i++) {
    put(pipe, framed + i, 1);
    Sleep(20);
  }
}

static void dies(char **names) {
  static const char half[] = {10, 0, 0, 0, 'h', 'a', 'l', 'f'};
  put(open_pipe(names[0], GENERIC_WRITE, 0), half, sizeof half);
  TerminateProcess(GetCurrentProcess(), 3);
}

static void silent(char **names) {
  open_pipe(names[0], GENERIC_READ | GENERIC_WRITE, 0);
  printf("connected\n");
  fflush(stdout);
  Sleep(60000);
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    int arguments;
    void (*run)(char **names);
  } roles[] = {
      {"hello-server", 1, hello_server},
      {"hello-client", 1, hello_client},
      {"size-server", 1, size_server},
      {"size-client", 1, size_client},
      {"one-way-A", 2, one_way_a},
      {"one-way-B", 2, one_way_b},
      {"slow-writer", 1, slow_writer},
      {"dies", 1, dies},
      {"silent", 1, silent},
  };
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
    if (count == 2 + roles[i].arguments && !strcmp(arguments[1], roles[i].name)) {
      setvbuf(stdout, NULL, _IONBF, 0); /* the tests read along */
      roles[i].run(arguments + 2);
      return 0;
    }
  printf("usage: classic ROLE PIPE...; see the top of classic.c\n");
  return 2;
}
