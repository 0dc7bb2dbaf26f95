#include "connection/framing.h"

#include "core/status.h"

enum {
  FRAMING__LENGTH = 4, /* the bytes of U32's length */
  /* What a stream is read by, at least. Half of a pipe's usual buffer, because a read
   * that waits takes its size off the room that the peer's NO_WAIT is told of. */
  FRAMING__CHUNK = 1 << 15,
  FRAMING__GROWTH = 1 << 20,   /* and at most: a claimed size is not yet a size */
  FRAMING__FIRST_GUESS = 4096, /* of a message whose size is not known */
  FRAMING__PATIENCE_MS = 1000, /* for the rest of a message whose head was read */
};

/* One write is one DWORD of bytes. */
static const size_t framing__largest = 0xFFFFFFFFu - FRAMING__LENGTH - 1;

/* ---- sending ---- */

winipc_status framing_total(const connection *c, const winipc_part *parts,
                            uint32_t count, size_t *total) {
  *total = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!parts[i].data && parts[i].size)
      return status_fail(WINIPC_E_INVALID_ARGUMENT, "data is NULL");
    if (parts[i].size > framing__largest - *total)
      return status_fail(WINIPC_E_TOO_LARGE, "more than 4 GiB in one send");
    *total += parts[i].size;
  }
  if (c->framing != WINIPC_FRAMING_NONE && *total > c->max_message)
    return status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                       "the message is larger than max_message");
  return WINIPC_OK;
}

static winipc_status framing__check_line(const winipc_part *parts, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (parts[i].size && memchr(parts[i].data, '\n', parts[i].size))
      return status_fail(WINIPC_E_INVALID_ARGUMENT,
                         "a newline inside a message of the framing `line`");
  return WINIPC_OK;
}

/* Puts the frame together in c->outgoing, as one write. */
static winipc_status framing__gather(connection *c, const winipc_part *parts,
                                     uint32_t count, size_t total) {
  char *to = buffer_room(&c->outgoing, total + FRAMING__LENGTH);
  if (!to) return WINIPC_E_OUT_OF_MEMORY;
  char *start = to;
  if (c->framing == WINIPC_FRAMING_U32)
    for (int i = 0; i < FRAMING__LENGTH; i++) *to++ = (char)(total >> 8 * i);
  for (uint32_t i = 0; i < count; i++) {
    if (parts[i].size) memcpy(to, parts[i].data, parts[i].size);
    to += parts[i].size;
  }
  if (c->framing == WINIPC_FRAMING_LINE) *to++ = '\n';
  buffer_grow(&c->outgoing, (size_t)(to - start));
  return WINIPC_OK;
}

/* WINIPC_E_INCOMPLETE: of a pipe that does not wait. */
static bool framing__ended_early(winipc_status status) {
  return status == WINIPC_E_TIMEOUT || status == WINIPC_E_CANCELLED ||
         status == WINIPC_E_CLOSED || status == WINIPC_E_INCOMPLETE;
}

static winipc_status framing__write(connection *c, const void *data, size_t size,
                                    const deadline *end) {
  const transport *t = c->transport;
  bool stream = c->framing != WINIPC_FRAMING_MESSAGE;
  if (stream && end->timeout_ms == WINIPC_NO_WAIT && t->has_room &&
      !t->has_room(c, size))
    return status_fail(WINIPC_E_TIMEOUT, "there is no room for it now");
  winipc_status status = t->write(c, data, size, end);
  if (!stream || !framing__ended_early(status)) return status;
  if (c->framing != WINIPC_FRAMING_NONE) c->out.broken = WINIPC_E_DISCONNECTED;
  return status_plain(WINIPC_E_INCOMPLETE);
}

winipc_status framing_send(connection *c, const winipc_part *parts, uint32_t count,
                           const deadline *end) {
  size_t total;
  winipc_status status = framing_total(c, parts, count, &total);
  if (!status && c->framing == WINIPC_FRAMING_LINE)
    status = framing__check_line(parts, count);
  if (status) return status;
  bool framed = c->framing == WINIPC_FRAMING_U32 || c->framing == WINIPC_FRAMING_LINE;
  if (count == 1 && !framed) return framing__write(c, parts->data, parts->size, end);
  status = framing__gather(c, parts, count, total);
  if (status) return status;
  status = framing__write(c, buffer_data(&c->outgoing), buffer_size(&c->outgoing), end);
  buffer_drop(&c->outgoing, buffer_size(&c->outgoing));
  return status;
}

/* ---- receiving: the pipe's own messages ---- */

/* The rest of a message lies in the pipe with its head, so there is nothing to wait
 * for, but where the pipe is another machine's. If it does not come, its sender has
 * given up and taken it back. */
static winipc_status message__read_rest(connection *c, void *data, size_t capacity,
                                        size_t *size) {
  deadline soon = deadline_in(FRAMING__PATIENCE_MS);
  winipc_status status = c->transport->read(c, data, capacity, size, &soon);
  if (status >= 0) c->message_open = status == WINIPC_MORE;
  if (status != WINIPC_E_TIMEOUT && status != WINIPC_E_WOULD_BLOCK) return status;
  buffer_drop(&c->kept, buffer_size(&c->kept));
  c->message_open = false;
  return status_fail(WINIPC_E_TRUNCATED, "the sender has taken the message back");
}

/* What was read as the rest, if anything, is a message of its own: that is what is kept
 * now. */
static winipc_status message__start_anew(connection *c, size_t head) {
  buffer_drop(&c->kept, head);
  return status_fail(WINIPC_E_TRUNCATED, "the sender has taken the message back");
}

/* Takes the rest out of the pipe too: there its sender could still take it back, and
 * the head that we have would be joined to another message. */
static winipc_status message__keep_rest(connection *c, size_t left) {
  size_t head = buffer_size(&c->kept), rest = 0;
  c->message_open = left != 0;
  if (!left) return message__start_anew(c, head);
  char *room = buffer_room(&c->kept, left);
  if (!room) return WINIPC_E_OUT_OF_MEMORY;
  winipc_status status = message__read_rest(c, room, left, &rest);
  if (status < 0) return status;
  buffer_grow(&c->kept, rest);
  return status || rest != left ? message__start_anew(c, head) : WINIPC_OK;
}

winipc_status framing_keep_head(connection *c, const void *data, size_t size,
                                size_t *needed) {
  transport_view view = {0};
  winipc_status status = buffer_append(&c->kept, data, size);
  c->message_open = true;
  if (!status) status = c->transport->peek(c, NULL, 0, &view);
  *needed = buffer_size(&c->kept) + view.message;
  if (!status && *needed <= c->max_message)
    status = message__keep_rest(c, view.message);
  if (status) return *needed = 0, status;
  return status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                     "the message is larger than the buffer");
}

static winipc_status message__check_rest(connection *c, size_t capacity, size_t *size) {
  transport_view view = {0};
  winipc_status status =
      c->message_open ? c->transport->peek(c, NULL, 0, &view) : WINIPC_OK;
  if (status) return status;
  *size = buffer_size(&c->kept) + view.message;
  if (*size <= capacity) return WINIPC_OK;
  return status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                     "the message is larger than the buffer");
}

/* The current message goes on: first what was kept, then what the pipe holds. */
static winipc_status message__go_on(connection *c, char *data, size_t capacity,
                                    size_t *size) {
  size_t head = buffer_take(&c->kept, data, capacity), rest = 0;
  *size = head;
  if (buffer_size(&c->kept)) return WINIPC_MORE;
  if (!c->message_open) return WINIPC_OK;
  if (head == capacity) return WINIPC_MORE;
  winipc_status status = message__read_rest(c, data + head, capacity - head, &rest);
  *size = status < 0 ? 0 : head + rest;
  if (status >= 0 || !c->message_open) return status;
  return buffer_append(&c->kept, data, head) ? WINIPC_E_OUT_OF_MEMORY : status;
}

static winipc_status message__receive(connection *c, void *data, size_t capacity,
                                      size_t *size, bool part, const deadline *end) {
  if (buffer_size(&c->kept) || c->message_open) {
    winipc_status status = part ? WINIPC_OK : message__check_rest(c, capacity, size);
    return status ? status : message__go_on(c, data, capacity, size);
  }
  winipc_status status = c->transport->read(c, data, capacity, size, end);
  if (status != WINIPC_MORE) return status;
  c->message_open = true;
  return part ? status : framing_keep_head(c, data, *size, size);
}

/* ---- receiving: streams ---- */

/* A zero-length message of a message pipe is nothing in a stream. */
static winipc_status stream__read(connection *c, void *data, size_t capacity,
                                  size_t *size, const deadline *end) {
  winipc_status status;
  do status = c->transport->read(c, data, capacity, size, end);
  while (status >= 0 && !*size);
  return status < 0 ? status : WINIPC_OK;
}

static winipc_status stream__receive(connection *c, void *data, size_t capacity,
                                     size_t *size, const deadline *end) {
  if (!capacity)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "a stream needs a buffer");
  *size = buffer_take(&c->kept, data, capacity);
  return *size ? WINIPC_OK : stream__read(c, data, capacity, size, end);
}

static winipc_status frame__too_large(connection *c) {
  c->in.broken = c->out.broken = WINIPC_E_DISCONNECTED;
  buffer_drop(&c->kept, buffer_size(&c->kept));
  return status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                     "the peer's message is larger than max_message; the connection "
                     "is broken");
}

/* Reads on until `c->kept` holds so many bytes. */
static winipc_status frame__fill(connection *c, size_t needed, const deadline *end) {
  while (buffer_size(&c->kept) < needed) {
    size_t chunk = needed - buffer_size(&c->kept), got = 0;
    if (chunk < FRAMING__CHUNK) chunk = FRAMING__CHUNK;
    if (chunk > FRAMING__GROWTH) chunk = FRAMING__GROWTH;
    char *room = buffer_room(&c->kept, chunk);
    if (!room) return WINIPC_E_OUT_OF_MEMORY;
    winipc_status status = stream__read(c, room, chunk, &got, end);
    if (!status)
      buffer_grow(&c->kept, got);
    else if (status != WINIPC_E_DISCONNECTED || !buffer_size(&c->kept))
      return status;
    else {
      c->in.broken = WINIPC_E_DISCONNECTED;
      buffer_drop(&c->kept, buffer_size(&c->kept));
      return status_plain(WINIPC_E_TRUNCATED);
    }
  }
  return WINIPC_OK;
}

static winipc_status frame__await_u32(connection *c, size_t *size,
                                      const deadline *end) {
  winipc_status status = frame__fill(c, FRAMING__LENGTH, end);
  if (status) return status;
  const unsigned char *length = (const unsigned char *)buffer_data(&c->kept);
  *size = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 |
          (size_t)length[3] << 24;
  if (*size > c->max_message) return frame__too_large(c);
  return frame__fill(c, FRAMING__LENGTH + *size, end);
}

static winipc_status frame__await_line(connection *c, size_t *size,
                                       const deadline *end) {
  for (;;) {
    size_t have = buffer_size(&c->kept);
    const char *data = have ? buffer_data(&c->kept) : NULL;
    const char *newline = have > c->line_scanned ? memchr(data + c->line_scanned, '\n',
                                                          have - c->line_scanned)
                                                 : NULL;
    *size = newline ? (size_t)(newline - data) : have;
    if (*size > c->max_message) return frame__too_large(c);
    if (newline) return WINIPC_OK;
    c->line_scanned = have;
    winipc_status status = frame__fill(c, have + 1, end);
    if (status) return status;
  }
}

/* Waits until the whole frame (or the rest of one that is given out in parts) is in
 * `c->kept`; its length prefix is gone then. */
static winipc_status frame__await(connection *c, size_t *size, const deadline *end) {
  *size = c->frame_left;
  if (c->frame_left) return WINIPC_OK;
  return c->framing == WINIPC_FRAMING_U32 ? frame__await_u32(c, size, end)
                                          : frame__await_line(c, size, end);
}

/* Gives out `count` bytes of a frame that has `size` left. */
static void frame__take(connection *c, void *data, size_t count, size_t size) {
  if (c->framing == WINIPC_FRAMING_U32 && !c->frame_left)
    buffer_drop(&c->kept, FRAMING__LENGTH);
  buffer_take(&c->kept, data, count);
  c->frame_left = size - count;
  c->line_scanned = 0;
  if (c->framing == WINIPC_FRAMING_LINE && !c->frame_left) buffer_drop(&c->kept, 1);
}

static winipc_status frame__receive(connection *c, void *data, size_t capacity,
                                    size_t *size, bool part, const deadline *end) {
  size_t whole;
  winipc_status status = frame__await(c, &whole, end);
  if (status) return status;
  *size = whole;
  if (whole <= capacity) return frame__take(c, data, whole, whole), WINIPC_OK;
  if (!part)
    return status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                       "the message is larger than the buffer");
  *size = capacity;
  if (capacity) frame__take(c, data, capacity, whole);
  return WINIPC_MORE;
}

winipc_status framing_receive(connection *c, void *data, size_t capacity, size_t *size,
                              bool part, const deadline *end) {
  switch (c->framing) {
  case WINIPC_FRAMING_MESSAGE:
    return message__receive(c, data, capacity, size, part, end);
  case WINIPC_FRAMING_NONE:
    return stream__receive(c, data, capacity, size, end);
  default:
    return frame__receive(c, data, capacity, size, part, end);
  }
}

/* ---- receiving into new memory ---- */

static winipc_status framing__first_capacity(connection *c, size_t *capacity,
                                             const deadline *end) {
  if (c->framing == WINIPC_FRAMING_MESSAGE)
    *capacity = FRAMING__FIRST_GUESS;
  else if (c->framing == WINIPC_FRAMING_NONE)
    *capacity = FRAMING__CHUNK;
  else
    return frame__await(c, capacity, end);
  return WINIPC_OK;
}

static winipc_status framing__resize(void **data, size_t capacity) {
  void *memory = realloc(*data, capacity + 1);
  if (!memory) return status_no_memory();
  *data = memory;
  return WINIPC_OK;
}

winipc_status framing_receive_alloc(connection *c, void **data, size_t *size,
                                    const deadline *end) {
  size_t capacity;
  winipc_status status = framing__first_capacity(c, &capacity, end);
  if (!status) status = framing__resize(data, capacity);
  if (!status) status = framing_receive(c, *data, capacity, size, false, end);
  while (status == WINIPC_E_MESSAGE_TOO_LARGE && !c->in.broken &&
         *size <= c->max_message) {
    capacity = *size;
    status = framing__resize(data, capacity);
    if (!status) status = framing_receive(c, *data, capacity, size, false, end);
  }
  if (!status) {
    ((char *)*data)[*size] = 0;
    framing__resize(data, *size); /* gives back what it did not need */
    return WINIPC_OK;
  }
  free(*data);
  *data = NULL;
  return status;
}
