/* Feeding a child and draining it at the same time, on one thread: an overlapped write
 * and two overlapped reads are under way at once, so that neither side ever waits for
 * the other with a full pipe.
 *
 * A write that the child has read a part of cannot be taken back, nor can one tell how
 * much was read. So it stays with the kernel when a call ends early, out of memory of
 * ours, and the next call goes on with it. A read can be taken back. */
#include "process/communicate.h"

#include <limits.h>

#include "core/cancel.h"
#include "core/status.h"
#include "core/structure.h"

enum {
  COMMUNICATE__CHUNK = 1 << 16,
  COMMUNICATE__ROUNDS_AT_ONCE = 64, /* for NO_WAIT, of a chunk each */
};

/* One call. */
typedef struct exchange {
  process *p;
  uint64_t limit;
  bool reading[PROCESS_STREAMS], ended[PROCESS_STREAMS];
} exchange;

static bool communicate__is_end(DWORD error) {
  return status_of_win32(error) == WINIPC_E_DISCONNECTED;
}

/* ---- standard input ---- */

static void feed__free(process_feed *f) {
  free(f->rest);
  free(f->chunk);
  f->rest = f->chunk = NULL;
  f->input = NULL;
  f->left = 0;
  f->writing = false;
}

void communicate_close_input(process *p) {
  connection *c = p->streams[WINIPC_STDIN];
  if (c) {
    if (p->feed.writing) operation_cancel(&c->out.op, c->handle);
    c->transport->close(c, false);
    connection_discard(c);
    p->streams[WINIPC_STDIN] = NULL;
  }
  feed__free(&p->feed);
}

/* A child that has closed its standard input wants no more: that is no error. */
static winipc_status feed__failed(process *p, DWORD error) {
  communicate_close_input(p);
  if (communicate__is_end(error)) return WINIPC_OK;
  if (error == ERROR_OPERATION_ABORTED) /* the thread that began the write has ended */
    return status_fail_win32(WINIPC_E_INCOMPLETE, error, "WriteFile",
                             "the input was cut off");
  return status_from_win32(error, "WriteFile");
}

static winipc_status feed__begin(process *p, const void *input, size_t size) {
  process_feed *f = &p->feed;
  bool gone = !p->streams[WINIPC_STDIN];
  if (size && f->begun)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "an earlier call has given the input already");
  if (size && gone)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "there is input, but standard input is no pipe or was taken");
  if (f->begun || gone) return WINIPC_OK;
  if (size && !(f->chunk = malloc(COMMUNICATE__CHUNK))) return status_no_memory();
  f->begun = true;
  f->input = input;
  f->left = size;
  return WINIPC_OK;
}

static winipc_status feed__start(process *p) {
  process_feed *f = &p->feed;
  connection *c = p->streams[WINIPC_STDIN];
  if (!c || f->writing) return WINIPC_OK;
  if (!f->left) return communicate_close_input(p), WINIPC_OK;
  DWORD size = f->left < COMMUNICATE__CHUNK ? (DWORD)f->left : COMMUNICATE__CHUNK;
  memcpy(f->chunk, f->input, size);
  BOOL done = WriteFile(c->handle, f->chunk, size, NULL, operation_begin(&c->out.op));
  if (!done && GetLastError() != ERROR_IO_PENDING)
    return feed__failed(p, GetLastError());
  f->writing = true;
  return WINIPC_OK;
}

static winipc_status feed__finish(process *p) {
  process_feed *f = &p->feed;
  connection *c = p->streams[WINIPC_STDIN];
  DWORD bytes = 0;
  if (!GetOverlappedResult(c->handle, &c->out.op.overlapped, &bytes, FALSE)) {
    if (GetLastError() == ERROR_IO_INCOMPLETE) return WINIPC_OK;
    DWORD error = GetLastError();
    f->writing = false;
    return feed__failed(p, error);
  }
  f->writing = false;
  f->input += bytes;
  f->left -= bytes;
  return WINIPC_OK;
}

/* The caller's memory is the caller's again: what is left of the input moves to ours.
 */
static winipc_status feed__keep_rest(process *p) {
  process_feed *f = &p->feed;
  if (!f->left || f->rest) return WINIPC_OK;
  char *rest = malloc(f->left);
  if (!rest) {
    communicate_close_input(p);
    return status_no_memory();
  }
  memcpy(rest, f->input, f->left);
  f->input = f->rest = rest;
  return WINIPC_OK;
}

/* ---- the outputs ---- */

/* The bytes go into the connection's own buffer, where a framing finds them if the
 * stream is taken later. */
static winipc_status drain__start(exchange *x, int i) {
  connection *c = x->p->streams[i];
  if (!c || x->reading[i] || x->ended[i]) return WINIPC_OK;
  char *room = buffer_room(&c->kept, COMMUNICATE__CHUNK);
  if (!room) return WINIPC_E_OUT_OF_MEMORY;
  x->reading[i] =
      ReadFile(c->handle, room, COMMUNICATE__CHUNK, NULL, operation_begin(&c->in.op)) ||
      GetLastError() == ERROR_IO_PENDING;
  x->ended[i] = !x->reading[i] && communicate__is_end(GetLastError());
  return x->reading[i] || x->ended[i] ? WINIPC_OK : status_from_last("ReadFile");
}

static winipc_status drain__finish(exchange *x, int i) {
  connection *c = x->p->streams[i];
  DWORD bytes = 0;
  if (GetOverlappedResult(c->handle, &c->in.op.overlapped, &bytes, FALSE)) {
    x->reading[i] = false;
    buffer_grow(&c->kept, bytes);
    return WINIPC_OK;
  }
  DWORD error = GetLastError();
  if (error == ERROR_IO_INCOMPLETE) return WINIPC_OK;
  x->reading[i] = false;
  x->ended[i] = communicate__is_end(error);
  if (x->ended[i] || error == ERROR_OPERATION_ABORTED) return WINIPC_OK;
  return status_from_win32(error, "ReadFile");
}

static void drain__stop(exchange *x, int i) {
  connection *c = x->p->streams[i];
  if (!x->reading[i]) return;
  operation_cancel(&c->in.op, c->handle);
  drain__finish(x, i);
}

static bool drain__is_over_limit(const exchange *x, int i) {
  const connection *c = x->p->streams[i];
  return c && x->limit && buffer_size(&c->kept) > x->limit;
}

/* Up to `limit` bytes, and a NUL behind them; more stays for the next call. */
static winipc_status drain__give(const exchange *x, int i, void **data, size_t *size) {
  connection *c = x->p->streams[i];
  if (!c) return WINIPC_OK;
  size_t count = drain__is_over_limit(x, i) ? (size_t)x->limit : buffer_size(&c->kept);
  buffer *b = &c->kept;
  char *memory = NULL;
  if (count == buffer_size(b) && !b->start) { /* all of it: no copy */
    memory = realloc(b->memory, count + 1);
    if (memory) *b = (buffer){0};
  } else {
    memory = malloc(count + 1);
    if (memory) buffer_take(b, memory, count);
  }
  if (!memory) return status_no_memory();
  memory[count] = 0;
  *data = memory;
  *size = count;
  return WINIPC_OK;
}

/* ---- both at once ---- */

static winipc_status exchange__start(exchange *x) {
  winipc_status status = feed__start(x->p);
  for (int i = WINIPC_STDOUT; !status && i < PROCESS_STREAMS; i++)
    status = drain__is_over_limit(x, i)
                 ? status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                               "standard %s is larger than the limit",
                               i == WINIPC_STDOUT ? "output" : "error")
                 : drain__start(x, i);
  return status;
}

static operation *exchange__operation(const exchange *x, int i) {
  connection *c = x->p->streams[i];
  if (i == WINIPC_STDIN) return x->p->feed.writing ? &c->out.op : NULL;
  return x->reading[i] ? &c->in.op : NULL;
}

static winipc_status exchange__finish(exchange *x) {
  winipc_status status = WINIPC_OK;
  for (int i = 0; !status && i < PROCESS_STREAMS; i++) {
    operation *op = exchange__operation(x, i);
    if (!op || WaitForSingleObject(op->event, 0) != WAIT_OBJECT_0) continue;
    status = i == WINIPC_STDIN ? feed__finish(x->p) : drain__finish(x, i);
  }
  return status;
}

static bool exchange__token_fired(void) {
  cancel_tokens tokens;
  cancel_tokens_acquire(&tokens);
  bool fired = cancel_tokens_fired(&tokens);
  cancel_tokens_release(&tokens);
  return fired;
}

/* A child that never stops writing never lets us wait, and so never lets the time run
 * out there. */
static winipc_status exchange__check_end(int round, const deadline *end) {
  if (exchange__token_fired())
    return status_fail(WINIPC_E_CANCELLED, "the cancel token fired");
  bool over = end->timeout_ms == WINIPC_NO_WAIT ? round > COMMUNICATE__ROUNDS_AT_ONCE
                                                : round && !deadline_left(end);
  return over ? status_plain(WINIPC_E_TIMEOUT) : WINIPC_OK;
}

static winipc_status exchange__wait(exchange *x, const HANDLE *events, DWORD count,
                                    const deadline *end) {
  waiters *const lists[PROCESS_STREAMS] = {&x->p->waiters};
  DWORD index;
  winipc_status status = waiters_wait_many(lists, events, count, false, end, &index);
  return status ? status : exchange__finish(x);
}

static winipc_status exchange__run(exchange *x, const deadline *end) {
  for (int round = 0;; round += round < INT_MAX) {
    HANDLE events[PROCESS_STREAMS];
    DWORD count = 0;
    winipc_status status = exchange__start(x);
    for (int i = 0; !status && i < PROCESS_STREAMS; i++)
      if (exchange__operation(x, i)) events[count++] = exchange__operation(x, i)->event;
    if (status || !count) return status;
    status = exchange__check_end(round, end);
    if (!status) status = exchange__wait(x, events, count, end);
    if (status) return status;
  }
}

static winipc_status exchange__end(exchange *x, winipc_output *output) {
  for (int i = WINIPC_STDOUT; i < PROCESS_STREAMS; i++) drain__stop(x, i);
  winipc_status status = drain__give(x, WINIPC_STDOUT, &output->out, &output->out_size);
  if (!status)
    status = drain__give(x, WINIPC_STDERR, &output->error, &output->error_size);
  winipc_status kept = feed__keep_rest(x->p);
  return status ? status : kept;
}

static winipc_status communicate__run(exchange *x, const void *input, size_t size,
                                      winipc_output *output, const deadline *end) {
  winipc_status status = feed__begin(x->p, input, size);
  if (status) return status;
  status = exchange__run(x, end);
  winipc_status ended = exchange__end(x, output);
  return status ? status : ended;
}

winipc_status WINIPC_CALL winipc_process_communicate(winipc_process *process_id,
                                                     const void *input,
                                                     size_t input_size, uint64_t limit,
                                                     winipc_output *output,
                                                     uint32_t timeout_ms) {
  winipc_output found = {.size = sizeof found};
  process *p;
  winipc_status status = structure_write(output, &found, sizeof found);
  if (status) return status;
  if (!input && input_size)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "input is NULL");
  status = process_enter(process_id, &p);
  if (status) return status;
  exchange x = {.p = p, .limit = limit};
  deadline end = deadline_for(&p->waiters, timeout_ms);
  status = communicate__run(&x, input, input_size, &found, &end);
  structure_write(output, &found, sizeof found);
  process_leave(process_id, p);
  return status;
}
