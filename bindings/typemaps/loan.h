/* Loans: Reservation, room in the ring for a message to be built in, and Loan, a
 * message where it lies. Both lend their memory by the buffer protocol.
 *
 * A loan ends when its user says so, if nothing looks at the memory any more. Else that
 * is a BufferError, and it ends as soon as the last buffer of it is released. Until
 * then the channel is not closed: the memory stays mapped, and nobody else writes
 * there. */
#ifndef WINIPC_PYTHON_LOAN_H
#define WINIPC_PYTHON_LOAN_H

typedef enum loan_state {
  LOAN_OPEN,
  LOAN_PENDING, /* it ends with its last buffer */
  LOAN_ENDED
} loan_state;

enum { LOAN_RESERVATION, LOAN_MESSAGE }; /* where the channel notes it */
enum { LOAN_TRIES = 100 };

typedef struct loan {
  PyObject_HEAD channel *channel; /* kept alive */
  int kind;
  loan_state state;
  void *address;
  Py_ssize_t size, exports;
  Py_ssize_t committed; /* bytes that the commit is going to send */
  PyObject *view;       /* the memoryview of a `with` statement, or NULL */
} loan;

static PyTypeObject *loan_types[2];
static PyObject *loan_release_name; /* "release" */

/* ---- ending ---- */

static void loan_forget(loan *self) {
  self->state = LOAN_ENDED;
  self->channel->loans[self->kind] = NULL;
}

static winipc_status loan_return(const loan *self, int commit) {
  winipc_connection *id = self->channel->id;
  if (self->kind == LOAN_MESSAGE) return winipc_channel_release(id);
  return commit ? winipc_channel_commit(id, (size_t)self->committed)
                : winipc_channel_abandon(id);
}

/* A thread that wrongly sends meanwhile is told so at once, but is in the way for that
 * moment. */
static winipc_status loan_finish(loan *self, int commit) {
  winipc_status status = loan_return(self, commit);
  for (int i = 0; i < LOAN_TRIES && status == WINIPC_E_BUSY; i++) {
    SwitchToThread();
    status = loan_return(self, commit);
  }
  if (status != WINIPC_E_BUSY) loan_forget(self);
  return status;
}

static int loan_is_open(const loan *self) {
  if (self->state != LOAN_OPEN)
    PyErr_SetString(PyExc_ValueError, self->kind == LOAN_MESSAGE
                                          ? "the message was released"
                                          : "the reservation has ended");
  return self->state == LOAN_OPEN;
}

/* Nonzero when somebody still looks, besides the memoryview that we gave. */
static int loan_in_use(loan *self) {
  if (self->view) {
    PyObject *released =
        PyObject_CallMethodObjArgs(self->view, loan_release_name, NULL);
    if (!released) PyErr_Clear(); /* somebody looks through it */
    Py_XDECREF(released);
    Py_CLEAR(self->view);
  }
  if (self->exports) self->state = LOAN_PENDING;
  return self->exports != 0;
}

static PyObject *loan_raise_in_use(const loan *self) {
  return PyErr_Format(PyExc_BufferError,
                      self->kind == LOAN_MESSAGE
                          ? "%zd views of the message are in use; it is released "
                            "when they are gone"
                          : "%zd views of the reservation are in use; it was not sent, "
                            "and is abandoned when they are gone",
                      self->exports);
}

static PyObject *loan_end(loan *self, int commit) {
  if (!loan_is_open(self)) return NULL;
  if (loan_in_use(self)) return loan_raise_in_use(self);
  return verb_succeeded(loan_finish(self, commit)) ? Py_NewRef(Py_None) : NULL;
}

/* After an exception: a reservation is not sent. What was overwritten while it was read
 * may be why there was one, which is news. */
static PyObject *loan_end_failed(loan *self, PyObject *kind) {
  if (loan_in_use(self)) Py_RETURN_NONE;
  winipc_status status = loan_finish(self, 0);
  int ordinary = PyObject_IsSubclass(kind, PyExc_Exception);
  if (ordinary > 0 && status == WINIPC_E_OVERRUN) py_raise(status);
  return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* ---- the buffer protocol ---- */

static int loan_get_buffer(PyObject *object, Py_buffer *buffer, int flags) {
  loan *self = (loan *)object;
  buffer->obj = NULL;
  if (!loan_is_open(self) ||
      PyBuffer_FillInfo(buffer, object, self->address, self->size,
                        self->kind == LOAN_MESSAGE, flags) < 0)
    return -1;
  self->exports++;
  return 0;
}

static void loan_release_buffer(PyObject *object, Py_buffer *buffer) {
  loan *self = (loan *)object;
  (void)buffer;
  if (!--self->exports && self->state == LOAN_PENDING) loan_finish(self, 0);
}

static Py_ssize_t loan_length(PyObject *object) {
  return ((loan *)object)->size;
}

/* ---- methods ---- */

static PyObject *loan_enter(PyObject *object, PyObject *nothing) {
  loan *self = (loan *)object;
  (void)nothing;
  if (!self->view) self->view = PyMemoryView_FromObject(object);
  return Py_XNewRef(self->view);
}

/* __exit__(type, value, traceback) */
static PyObject *loan_exit(PyObject *object, PyObject *const *given, Py_ssize_t count) {
  loan *self = (loan *)object;
  if (!verb_arguments("__exit__", count, 3)) return NULL;
  if (self->state != LOAN_OPEN) Py_RETURN_NONE;
  return given[0] == Py_None ? loan_end(self, 1) : loan_end_failed(self, given[0]);
}

static PyObject *loan_release(PyObject *object, PyObject *nothing) {
  (void)nothing;
  return loan_end((loan *)object, 0);
}

static PyObject *loan_get_size(PyObject *object, void *unused) {
  (void)unused;
  return PyLong_FromSsize_t(((loan *)object)->committed);
}

static int loan_set_size(PyObject *object, PyObject *number, void *unused) {
  loan *self = (loan *)object;
  (void)unused;
  if (!number) return PyErr_SetString(PyExc_TypeError, "the size stays"), -1;
  Py_ssize_t size = PyNumber_AsSsize_t(number, PyExc_OverflowError);
  if (size == -1 && PyErr_Occurred()) return -1;
  if (size < 0 || size > self->size) {
    PyErr_Format(PyExc_ValueError, "size is %zd: not within 0 and the %zd reserved",
                 size, self->size);
    return -1;
  }
  self->committed = size;
  return 0;
}

static PyObject *loan_commit(PyObject *object, PyObject *const *given, Py_ssize_t count,
                             PyObject *keywords) {
  static const signature takes = {1, 0, {ARGUMENT_SIZE}};
  PyObject *size = Py_None;
  if (!channel_arguments(&takes, given, count, keywords, &size) ||
      (size != Py_None && loan_set_size(object, size, NULL) < 0))
    return NULL;
  return loan_end((loan *)object, 1);
}

static void loan_dealloc(PyObject *object) {
  loan *self = (loan *)object;
  PyTypeObject *type = Py_TYPE(object);
  if (self->channel && self->state != LOAN_ENDED) loan_finish(self, 0);
  Py_XDECREF((PyObject *)self->channel);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

/* ---- making ---- */

static loan *loan_new(channel *owner, int kind) {
  PyTypeObject *type = loan_types[kind];
  loan *self = (loan *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
  if (!self) return NULL;
  self->kind = kind;
  self->state = LOAN_ENDED; /* until there is something to lend */
  self->channel = (channel *)Py_NewRef((PyObject *)owner);
  return self;
}

/* A call has waited without the GIL. When the channel was closed meanwhile the memory
 * is gone, whatever the call came to. */
static PyObject *loan_made(loan *self, const winipc_connection *id,
                           winipc_status status, const void *data, size_t size) {
  if (status >= 0 && self->channel->id != id) {
    status = WINIPC_E_CLOSED;
    py_raise_plain(status);
  }
  if (!verb_succeeded(status)) {
    Py_DECREF((PyObject *)self);
    return NULL;
  }
  self->address = data ? (void *)(uintptr_t)data : "";
  self->size = self->committed = (Py_ssize_t)size;
  self->state = LOAN_OPEN;
  self->channel->loans[self->kind] = (PyObject *)self;
  return (PyObject *)self;
}

static winipc_status loan_await_message(channel *owner, winipc_connection *id,
                                        uint32_t timeout_ms, const void **data,
                                        size_t *size) {
  winipc_status status = winipc_channel_peek(id, WINIPC_NO_WAIT, data, size);
  if (status != WINIPC_E_TIMEOUT || !timeout_ms) return status;
  py_wait wait = py_wait_of(&timeout_ms);
  owner->peeking = 1;
  do {
    Py_BEGIN_ALLOW_THREADS;
    status = winipc_channel_peek(id, timeout_ms, data, size);
    Py_END_ALLOW_THREADS;
  } while (py_again(status, &wait));
  owner->peeking = 0;
  return status;
}

/* The library would lend the same message twice. */
static PyObject *channel_peek(PyObject *object, PyObject *const *given,
                              Py_ssize_t count, PyObject *keywords) {
  static const signature takes = {1, 0, {ARGUMENT_TIMEOUT}};
  channel *owner = (channel *)object;
  PyObject *timeout = Py_None;
  uint32_t timeout_ms;
  const void *data;
  size_t size;
  if (!channel_arguments(&takes, given, count, keywords, &timeout) ||
      !py_timeout(timeout, &timeout_ms))
    return NULL;
  if (owner->peeking || owner->loans[LOAN_MESSAGE])
    return py_raise_plain(WINIPC_E_BUSY), NULL;
  loan *self = loan_new(owner, LOAN_MESSAGE);
  if (!self) return NULL;
  winipc_connection *id = owner->id;
  winipc_status status = loan_await_message(owner, id, timeout_ms, &data, &size);
  return loan_made(self, id, status, data, size);
}

static winipc_status loan_await_room(winipc_connection *id, size_t size,
                                     uint32_t timeout_ms, void **data) {
  winipc_status status = winipc_channel_reserve(id, size, WINIPC_NO_WAIT, data);
  if (status != WINIPC_E_TIMEOUT || !timeout_ms) return status;
  py_wait wait = py_wait_of(&timeout_ms);
  do {
    Py_BEGIN_ALLOW_THREADS;
    status = winipc_channel_reserve(id, size, timeout_ms, data);
    Py_END_ALLOW_THREADS;
  } while (py_again(status, &wait));
  return status;
}

static PyObject *channel_reserve(PyObject *object, PyObject *const *given,
                                 Py_ssize_t count, PyObject *keywords) {
  static const signature takes = {2, 1, {ARGUMENT_SIZE, ARGUMENT_TIMEOUT}};
  channel *owner = (channel *)object;
  PyObject *values[] = {NULL, Py_None};
  uint32_t timeout_ms;
  void *data;
  if (!channel_arguments(&takes, given, count, keywords, values) ||
      !py_timeout(values[1], &timeout_ms))
    return NULL;
  Py_ssize_t size = PyNumber_AsSsize_t(values[0], PyExc_OverflowError);
  if (size < 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "size is negative");
    return NULL;
  }
  loan *self = loan_new(owner, LOAN_RESERVATION);
  if (!self) return NULL;
  winipc_connection *id = owner->id;
  winipc_status status = loan_await_room(id, (size_t)size, timeout_ms, &data);
  return loan_made(self, id, status, data, (size_t)size);
}

/* ---- closing ---- */

/* Nonzero: nothing looks at the memory, and the loans have ended. */
static int channel_end_loans(channel *self) {
  for (int i = 0; i < 2; i++) {
    const loan *lent = (loan *)self->loans[i];
    if (!lent || !lent->exports) continue;
    PyErr_Format(PyExc_BufferError, "%zd views of the channel's memory are in use",
                 lent->exports);
    return 0;
  }
  for (int i = 0; i < 2; i++)
    if (self->loans[i]) loan_forget((loan *)self->loans[i]);
  return 1;
}

static PyObject *channel_close(PyObject *object, PyObject *nothing) {
  channel *self = (channel *)object;
  winipc_connection *id = self->id;
  winipc_status status;
  (void)nothing;
  if (!channel_end_loans(self)) return NULL;
  self->id = NULL;
  if (!id) Py_RETURN_NONE;
  Py_BEGIN_ALLOW_THREADS;
  status = winipc_connection_close(id);
  Py_END_ALLOW_THREADS;
  return verb_succeeded(status) ? Py_NewRef(Py_None) : NULL;
}

#endif
