/* Channel: what is fast about a channel, as methods written in C. Python's layer makes
 * its Channel of this and of Connection.
 *
 * A try that does not wait takes no system call on a channel, so it keeps the GIL; only
 * to wait, and for a message large enough to be worth it, the GIL is released. Whoever
 * has the GIL and sees an id knows that the channel is open and stays so meanwhile:
 * close() takes the id away before it lets go of the GIL. */
#ifndef WINIPC_PYTHON_CHANNEL_H
#define WINIPC_PYTHON_CHANNEL_H

enum {
  CHANNEL_SMALL = 4096,     /* a message up to this is received into the stack */
  CHANNEL_AT_ONCE = 65536,  /* copied with the GIL: a few microseconds */
  CHANNEL_RECORD_EXTRA = 64 /* of a message in the ring, at most */
};

typedef struct channel {
  PyObject_HEAD winipc_connection *id; /* NULL when closed */
  size_t at_once;     /* messages up to this are sent at once or not at all */
  int peeking;        /* a thread waits for a message to peek at */
  PyObject *loans[2]; /* borrowed: the reservation and the peeked message, or NULL */
} channel;

/* Arguments as a caller may name them. Names in a program are interned, as are ours:
 * the same text is mostly the same object. */
enum {
  ARGUMENT_BUFFER,
  ARGUMENT_DATA,
  ARGUMENT_MESSAGES,
  ARGUMENT_MOST,
  ARGUMENT_SIZE,
  ARGUMENT_TIMEOUT,
  ARGUMENTS
};
static const char *const channel_name_texts[ARGUMENTS] = {"buffer", "data", "messages",
                                                          "most",   "size", "timeout"};
static PyObject *channel_names[ARGUMENTS];

static int channel_intern_names(void) {
  for (int i = 0; i < ARGUMENTS; i++)
    if (!(channel_names[i] = PyUnicode_InternFromString(channel_name_texts[i])))
      return -1;
  return 0;
}

/* What a method takes: arguments by name, of which so many have no default. */
typedef struct signature {
  int known, required;
  unsigned char names[2];
} signature;

static int channel_find_name(const signature *s, PyObject *name) {
  int i = 0;
  while (i < s->known && channel_names[s->names[i]] != name) i++;
  if (i < s->known) return i;
  for (i = 0; i < s->known; i++)
    if (!PyUnicode_Compare(channel_names[s->names[i]], name)) break;
  return i;
}

static int channel_keyword_arguments(const signature *s, PyObject *const *given,
                                     Py_ssize_t count, PyObject *keywords,
                                     PyObject **values) {
  Py_ssize_t more = PyTuple_Size(keywords);
  for (Py_ssize_t k = 0; k < more; k++) {
    PyObject *name = PyTuple_GetItem(keywords, k);
    int i = channel_find_name(s, name);
    if (i >= s->known || i < count) {
      PyErr_Format(PyExc_TypeError, "unexpected argument %R", name);
      return 0;
    }
    values[i] = given[count + k];
  }
  return 1;
}

/* `values` has the defaults, and gets what was given. */
static int channel_arguments(const signature *s, PyObject *const *given,
                             Py_ssize_t count, PyObject *keywords, PyObject **values) {
  if (count > s->known) {
    PyErr_Format(PyExc_TypeError, "%d arguments at most, not %zd", s->known, count);
    return 0;
  }
  for (Py_ssize_t i = 0; i < count; i++) values[i] = given[i];
  if (keywords && !channel_keyword_arguments(s, given, count, keywords, values))
    return 0;
  for (int i = 0; i < s->required; i++)
    if (!values[i]) {
      PyErr_Format(PyExc_TypeError, "argument %s is missing",
                   channel_name_texts[s->names[i]]);
      return 0;
    }
  return 1;
}

/* ---- send ---- */

static winipc_status channel_send_bytes(const channel *self, const Py_buffer *data,
                                        uint32_t timeout_ms) {
  winipc_connection *id = self->id;
  size_t size = (size_t)data->len;
  if (size <= self->at_once) {
    winipc_status status = winipc_send(id, data->buf, size, WINIPC_NO_WAIT);
    if (status != WINIPC_E_TIMEOUT || !timeout_ms) return status;
  }
  winipc_status status;
  py_wait wait = py_wait_of(&timeout_ms);
  do {
    Py_BEGIN_ALLOW_THREADS;
    status = winipc_send(id, data->buf, size, timeout_ms);
    Py_END_ALLOW_THREADS;
  } while (py_again(status, &wait));
  return status;
}

static PyObject *channel_send(PyObject *object, PyObject *const *given,
                              Py_ssize_t count, PyObject *keywords) {
  static const signature takes = {2, 1, {ARGUMENT_DATA, ARGUMENT_TIMEOUT}};
  PyObject *values[] = {NULL, Py_None};
  Py_buffer data;
  uint32_t timeout_ms;
  if (!channel_arguments(&takes, given, count, keywords, values) ||
      !py_timeout(values[1], &timeout_ms) || !py_hold(values[0], &data))
    return NULL;
  winipc_status status = channel_send_bytes((channel *)object, &data, timeout_ms);
  py_release(&data);
  return verb_sent(status);
}

static PyObject *channel_send_many(PyObject *object, PyObject *const *given,
                                   Py_ssize_t count, PyObject *keywords) {
  static const signature takes = {2, 1, {ARGUMENT_MESSAGES, ARGUMENT_TIMEOUT}};
  PyObject *values[] = {NULL, Py_None};
  if (!channel_arguments(&takes, given, count, keywords, values)) return NULL;
  const channel *self = (channel *)object;
  return many_send(self->id, values[0], values[1], self->at_once);
}

/* ---- receive ---- */

/* Into a buffer that is small enough to be filled with the GIL. */
static winipc_status channel_receive_bytes(winipc_connection *id, void *buffer,
                                           size_t capacity, size_t *size,
                                           py_wait *wait) {
  winipc_status status = winipc_receive(id, buffer, capacity, size, WINIPC_NO_WAIT);
  if (status != WINIPC_E_TIMEOUT || !*wait->timeout_ms) return status;
  *wait = py_wait_of(wait->timeout_ms);
  return verb_receive_bytes(id, buffer, capacity, size, wait);
}

static PyObject *channel_receive_message(const channel *self, uint32_t timeout_ms,
                                         winipc_status *status) {
  char buffer[CHANNEL_SMALL];
  size_t size;
  py_wait wait = {&timeout_ms, 0};
  winipc_connection *id = self->id;
  *status = channel_receive_bytes(id, buffer, sizeof buffer, &size, &wait);
  if (*status == WINIPC_E_MESSAGE_TOO_LARGE && !wait.began)
    wait = py_wait_of(&timeout_ms);
  if (*status == WINIPC_E_DISCONNECTED) return NULL;
  return verb_received(id, *status, buffer, sizeof buffer, size, &wait);
}

static PyObject *channel_receive(PyObject *object, PyObject *const *given,
                                 Py_ssize_t count, PyObject *keywords) {
  static const signature takes = {1, 0, {ARGUMENT_TIMEOUT}};
  PyObject *timeout = Py_None;
  uint32_t timeout_ms;
  winipc_status status;
  if (!channel_arguments(&takes, given, count, keywords, &timeout) ||
      !py_timeout(timeout, &timeout_ms))
    return NULL;
  PyObject *message = channel_receive_message((channel *)object, timeout_ms, &status);
  if (status == WINIPC_E_DISCONNECTED) py_raise(status);
  return message;
}

/* The end of iteration is NULL without an exception. */
static PyObject *channel_next(PyObject *object) {
  winipc_status status;
  return channel_receive_message((channel *)object, WINIPC_FOREVER, &status);
}

static PyObject *channel_receive_into(PyObject *object, PyObject *const *given,
                                      Py_ssize_t count, PyObject *keywords) {
  static const signature takes = {2, 1, {ARGUMENT_BUFFER, ARGUMENT_TIMEOUT}};
  PyObject *values[] = {NULL, Py_None};
  Py_buffer data;
  uint32_t timeout_ms;
  size_t size;
  if (!channel_arguments(&takes, given, count, keywords, values) ||
      !py_timeout(values[1], &timeout_ms) ||
      PyObject_GetBuffer(values[0], &data, PyBUF_WRITABLE) < 0)
    return NULL;
  winipc_connection *id = ((channel *)object)->id;
  size_t capacity = (size_t)data.len;
  py_wait wait = py_wait_of(&timeout_ms);
  winipc_status status =
      capacity > CHANNEL_AT_ONCE
          ? verb_receive_bytes(id, data.buf, capacity, &size, &wait)
          : channel_receive_bytes(id, data.buf, capacity, &size, &wait);
  PyBuffer_Release(&data);
  return verb_succeeded(status) ? PyLong_FromSize_t(size) : NULL;
}

static PyObject *channel_receive_many(PyObject *object, PyObject *const *given,
                                      Py_ssize_t count, PyObject *keywords) {
  static const signature takes = {2, 0, {ARGUMENT_MOST, ARGUMENT_TIMEOUT}};
  PyObject *values[] = {Py_None, Py_None};
  uint32_t most, timeout_ms;
  if (!channel_arguments(&takes, given, count, keywords, values) ||
      !many_read_most(values[0], &most) || !py_timeout(values[1], &timeout_ms))
    return NULL;
  return many_receive(((channel *)object)->id, most, 1, timeout_ms);
}

/* ---- the id ---- */

/* A message that has to go in several pieces is no matter of one try. */
static size_t channel_find_at_once(winipc_connection *id) {
  winipc_channel_member end = {.size = sizeof end};
  if (!id || winipc_channel_get_info(id, &end) < 0 || !end.capacity) return 0;
  uint64_t most = end.capacity / 4 - CHANNEL_RECORD_EXTRA;
  return most < CHANNEL_AT_ONCE ? (size_t)most : CHANNEL_AT_ONCE;
}

static PyObject *channel_get_id(PyObject *object, void *unused) {
  (void)unused;
  return PyLong_FromVoidPtr(((channel *)object)->id);
}

static int channel_set_id(PyObject *object, PyObject *number, void *unused) {
  channel *self = (channel *)object;
  void *id;
  (void)unused;
  if (!number || !py_handle(number, &id)) return -1;
  self->id = id;
  self->at_once = channel_find_at_once(id);
  return 0;
}

/* ---- who is there ---- */

static PyObject *channel_list_members(const winipc_channel_member *members,
                                      uint32_t count) {
  PyObject *list = PyList_New(count);
  for (uint32_t i = 0; list && i < count; i++) {
    PyObject *one = fields_told(&members[i], channel_member_fields);
    if (one)
      PyList_SetItem(list, i, one);
    else
      Py_CLEAR(list);
  }
  return list;
}

typedef struct inspection {
  const char *address;
  winipc_channel_options options;
  uint32_t timeout_ms, count;
  winipc_channel_member *members; /* from PyMem */
} inspection;

static winipc_status channel_inspect_once(inspection *x, uint32_t capacity) {
  winipc_status status;
  py_wait wait = py_wait_of(&x->timeout_ms);
  PyMem_Free(x->members);
  x->members = PyMem_Calloc(capacity, sizeof *x->members);
  if (!x->members) return PyErr_NoMemory(), WINIPC_E_OUT_OF_MEMORY;
  x->members[0].size = sizeof *x->members;
  do {
    Py_BEGIN_ALLOW_THREADS;
    status = winipc_channel_inspect(x->address, &x->options, x->timeout_ms, x->members,
                                    capacity, &x->count);
    Py_END_ALLOW_THREADS;
  } while (py_again(status, &wait));
  return status;
}

/* With room for as many as the last look found, and some that may come meanwhile. */
static winipc_status channel_inspect_all(inspection *x) {
  winipc_status status;
  x->count = 16;
  do status = channel_inspect_once(x, x->count * 2);
  while (status == WINIPC_E_BUFFER_TOO_SMALL);
  return status;
}

/* channel_inspect(address, options, timeout) -> list of dicts */
static PyObject *channel_inspect(PyObject *module, PyObject *const *arguments,
                                 Py_ssize_t count) {
  inspection x = {0};
  PyObject *keep = NULL, *result = NULL;
  (void)module;
  winipc_channel_options_init(&x.options);
  if (!verb_arguments("channel_inspect", count, 3) ||
      !py_utf8(arguments[0], &x.address) || !py_timeout(arguments[2], &x.timeout_ms))
    return NULL;
  if (arguments[1] != Py_None &&
      !(keep = fields_fill(arguments[1], &x.options, channel_options_fields)))
    return NULL;
  if (verb_succeeded(channel_inspect_all(&x)))
    result = channel_list_members(x.members, x.count);
  PyMem_Free(x.members);
  Py_XDECREF(keep);
  return result;
}

static PyMethodDef channel_functions[] = {
    {"channel_inspect", (PyCFunction)(void (*)(void))channel_inspect, METH_FASTCALL,
     "channel_inspect(address, options, timeout) -> list of dicts"},
    {NULL, NULL, 0, NULL},
};

#endif
