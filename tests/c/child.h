/* Children of a test that are started by winipc: this same program again. */
#ifndef WINIPC_TEST_CHILD_H
#define WINIPC_TEST_CHILD_H

#include <fcntl.h>
#include <io.h>

#include "harness.h"

typedef struct program {
  winipc_process_options options;
  const char *arguments[8];
} program;

static inline const char *own_path(void) {
  static char path[MAX_PATH];
  GetModuleFileNameA(NULL, path, sizeof path);
  return path;
}

/* Options that start the child; the streams of the given kinds. */
static inline program *child_program(const char *child, const char *argument,
                                     uint32_t in, uint32_t out, uint32_t error) {
  static program programs[4];
  static int next;
  program *made = &programs[next++ % 4];
  CHECK_OK(winipc_process_options_init(&made->options));
  made->arguments[0] = own_path();
  made->arguments[1] = child;
  made->arguments[2] = argument;
  made->options.arguments = made->arguments;
  made->options.argument_count = 3;
  made->options.streams[WINIPC_STDIN].kind = in;
  made->options.streams[WINIPC_STDOUT].kind = out;
  made->options.streams[WINIPC_STDERR].kind = error;
  return made;
}

static inline winipc_process *start(const program *p) {
  winipc_process *process = NULL;
  CHECK_OK(winipc_process_start(&p->options, &process));
  return process;
}

/* With pipes for input and output. */
static inline winipc_process *start_child(const char *child, const char *argument) {
  return start(child_program(child, argument, WINIPC_STREAM_PIPE, WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_INHERIT));
}

/* Waits for its end, checks the exit code and closes it. */
#define CHECK_EXIT(process, expected) check_exit(__LINE__, (process), (expected))

static inline void check_exit(int line, winipc_process *process, uint32_t expected) {
  uint32_t code = 0;
  winipc_status status = winipc_process_wait(process, SOON, &code);
  if (status || code != expected)
    harness_fail(__FILE__, line, "wait: %s, exit code %u, not %u",
                 winipc_status_name(status), code, expected);
  CHECK_OK(winipc_process_close(process));
}

static inline winipc_connection *take(winipc_process *process, uint32_t stream) {
  winipc_connection *connection = NULL;
  CHECK_OK(winipc_process_take_stream(process, stream, &connection));
  return connection;
}

/* Runs a child to its end and checks what it wrote to standard output. */
static inline void check_output(const program *p, const char *expected) {
  winipc_output output = {.size = sizeof output};
  winipc_process *process = start(p);
  CHECK_OK(winipc_process_communicate(process, NULL, 0, 0, &output, SOON));
  if (!output.out || strcmp(output.out, expected))
    harness_fail(__FILE__, __LINE__, "the output is \"%s\", not \"%s\"",
                 output.out ? (char *)output.out : "NULL", expected);
  winipc_free(output.out);
  winipc_free(output.error);
  CHECK_EXIT(process, 0);
}

static inline void binary_streams(void) {
  _setmode(0, _O_BINARY);
  _setmode(1, _O_BINARY);
  _setmode(2, _O_BINARY);
}

/* Whether the text of the last error has this in it. */
static inline bool last_error_names(const char *text) {
  winipc_error error = {.size = sizeof error};
  winipc_last_error(&error);
  return strstr(error.text, text) != NULL;
}

#endif
