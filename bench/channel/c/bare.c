/* What a program would write by hand in plain Win32: named pipes, blocking and
 * overlapped, and TCP over the loopback. Nothing has a frame: the messages of a run are
 * all of one size, and the pipes are of message type. */
#include "harness.h"

enum { BUFFER = 65536, PATIENCE = 20000 };

typedef struct line {
  HANDLE pipe, reading, writing; /* events; NULL for a pipe that blocks */
  SOCKET socket;
  char *message;
} line;

static line *new_line(const job *j) {
  line *l = (line *)calloc(1, sizeof *l);
  l->message = new_message(j->size);
  return l;
}

/* ---- named pipes ---- */

typedef struct pipe_server {
  HANDLE next;
  DWORD flags;
} pipe_server;

static const char *pipe_path(const job *j) {
  static char path[128];
  snprintf(path, sizeof path, "\\\\.\\pipe\\%s", j->name);
  return path;
}

static HANDLE new_instance(const job *j, DWORD flags) {
  HANDLE pipe = CreateNamedPipeA(pipe_path(j), PIPE_ACCESS_DUPLEX | flags,
                                 PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE |
                                     PIPE_REJECT_REMOTE_CLIENTS,
                                 PIPE_UNLIMITED_INSTANCES, BUFFER, BUFFER, 0, NULL);
  if (pipe == INVALID_HANDLE_VALUE) broken("CreateNamedPipe");
  return pipe;
}

static void *serve_pipe(const job *j, DWORD flags) {
  pipe_server *s = (pipe_server *)calloc(1, sizeof *s);
  s->flags = flags;
  s->next = new_instance(j, flags);
  return s;
}

static line *new_pipe_line(const job *j, HANDLE pipe, DWORD flags) {
  line *l = new_line(j);
  l->pipe = pipe;
  if (flags & FILE_FLAG_OVERLAPPED) {
    l->reading = CreateEventA(NULL, TRUE, FALSE, NULL);
    l->writing = CreateEventA(NULL, TRUE, FALSE, NULL);
  }
  return l;
}

static DWORD finish(HANDLE pipe, BOOL done, OVERLAPPED *overlapped, const char *what) {
  DWORD bytes = 0;
  if (!done && GetLastError() != ERROR_IO_PENDING) broken("%s", what);
  if (!done && WaitForSingleObject(overlapped->hEvent, INFINITE))
    broken("WaitForSingleObject");
  if (!GetOverlappedResult(pipe, overlapped, &bytes, FALSE)) broken("%s", what);
  return bytes;
}

static void connect_pipe(line *l) {
  OVERLAPPED overlapped = {.hEvent = l->reading};
  BOOL done = ConnectNamedPipe(l->pipe, l->reading ? &overlapped : NULL);
  if (done || GetLastError() == ERROR_PIPE_CONNECTED) return;
  if (!l->reading) broken("ConnectNamedPipe");
  finish(l->pipe, done, &overlapped, "ConnectNamedPipe");
}

static void *accept_pipe(void *server, const job *j) {
  pipe_server *s = (pipe_server *)server;
  line *l = new_pipe_line(j, s->next, s->flags);
  connect_pipe(l);
  s->next = new_instance(j, s->flags);
  return l;
}

static void *join_pipe(const job *j, DWORD flags) {
  HANDLE pipe = INVALID_HANDLE_VALUE;
  DWORD mode = PIPE_READMODE_MESSAGE;
  for (int i = 0; i < PATIENCE && pipe == INVALID_HANDLE_VALUE; i += 5) {
    pipe = CreateFileA(pipe_path(j), GENERIC_READ | GENERIC_WRITE, 0, NULL,
                       OPEN_EXISTING, flags, NULL);
    if (pipe == INVALID_HANDLE_VALUE) Sleep(5);
  }
  if (pipe == INVALID_HANDLE_VALUE) broken("CreateFile");
  if (!SetNamedPipeHandleState(pipe, &mode, NULL, NULL))
    broken("SetNamedPipeHandleState");
  return new_pipe_line(j, pipe, flags);
}

static void *serve_blocking(const job *j) {
  return serve_pipe(j, 0);
}

static void *join_blocking(const job *j) {
  return join_pipe(j, 0);
}

static void *serve_overlapped(const job *j) {
  return serve_pipe(j, FILE_FLAG_OVERLAPPED);
}

static void *join_overlapped(const job *j) {
  return join_pipe(j, FILE_FLAG_OVERLAPPED);
}

static void send_blocking(void *link, const void *data, uint32_t size) {
  DWORD written;
  if (!WriteFile(((line *)link)->pipe, data, size, &written, NULL) || written != size)
    broken("WriteFile");
}

static const void *receive_blocking(void *link, uint32_t size) {
  line *l = (line *)link;
  DWORD got;
  if (!ReadFile(l->pipe, l->message, size, &got, NULL) || got != size)
    broken("ReadFile");
  return l->message;
}

static void send_overlapped(void *link, const void *data, uint32_t size) {
  line *l = (line *)link;
  OVERLAPPED overlapped = {.hEvent = l->writing};
  BOOL done = WriteFile(l->pipe, data, size, NULL, &overlapped);
  if (finish(l->pipe, done, &overlapped, "WriteFile") != size) broken("a short write");
}

static const void *receive_overlapped(void *link, uint32_t size) {
  line *l = (line *)link;
  OVERLAPPED overlapped = {.hEvent = l->reading};
  BOOL done = ReadFile(l->pipe, l->message, size, NULL, &overlapped);
  if (finish(l->pipe, done, &overlapped, "ReadFile") != size) broken("a short read");
  return l->message;
}

/* ---- TCP ---- */

static SOCKET new_socket(void) {
  static WSADATA data;
  if (WSAStartup(MAKEWORD(2, 2), &data)) broken("WSAStartup");
  SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
  if (s == INVALID_SOCKET) broken("socket");
  return s;
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((u_short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static void *serve_tcp(const job *j) {
  struct sockaddr_in address = loopback(0);
  int size = sizeof address;
  SOCKET *s = (SOCKET *)malloc(sizeof *s);
  *s = new_socket();
  if (bind(*s, (struct sockaddr *)&address, size) || listen(*s, j->clients) ||
      getsockname(*s, (struct sockaddr *)&address, &size))
    broken("bind, listen");
  snprintf(peer_address, sizeof peer_address, "%d", ntohs(address.sin_port));
  return s;
}

static line *new_tcp_line(const job *j, SOCKET s) {
  BOOL yes = TRUE;
  line *l = new_line(j);
  l->socket = s;
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&yes, sizeof yes);
  return l;
}

static void *accept_tcp(void *server, const job *j) {
  SOCKET s = accept(*(SOCKET *)server, NULL, NULL);
  if (s == INVALID_SOCKET) broken("accept");
  return new_tcp_line(j, s);
}

static void *join_tcp(const job *j) {
  struct sockaddr_in address = loopback(atoi(j->name));
  SOCKET s = new_socket();
  if (connect(s, (struct sockaddr *)&address, sizeof address)) broken("connect");
  return new_tcp_line(j, s);
}

static void send_tcp(void *link, const void *data, uint32_t size) {
  const char *bytes = (const char *)data;
  for (uint32_t sent = 0; sent < size;) {
    int done = send(((line *)link)->socket, bytes + sent, (int)(size - sent), 0);
    if (done <= 0) broken("send");
    sent += (uint32_t)done;
  }
}

static const void *receive_tcp(void *link, uint32_t size) {
  line *l = (line *)link;
  for (uint32_t got = 0; got < size;) {
    int done = recv(l->socket, l->message + got, (int)(size - got), 0);
    if (done <= 0) broken(done ? "recv" : "recv: the end");
    got += (uint32_t)done;
  }
  return l->message;
}

static const peer peers[] = {{.name = "pipe_blocking",
                              .serve = serve_blocking,
                              .accept = accept_pipe,
                              .join = join_blocking,
                              .send = send_blocking,
                              .receive = receive_blocking},
                             {.name = "pipe_overlapped",
                              .serve = serve_overlapped,
                              .accept = accept_pipe,
                              .join = join_overlapped,
                              .send = send_overlapped,
                              .receive = receive_overlapped},
                             {.name = "tcp",
                              .serve = serve_tcp,
                              .accept = accept_tcp,
                              .join = join_tcp,
                              .send = send_tcp,
                              .receive = receive_tcp}};

int main(int words, char **arguments) {
  return harness_main(peers, sizeof peers / sizeof *peers, words, arguments);
}
