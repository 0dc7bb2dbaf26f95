/* send, receive, receive_into and transact by hand: they run for every message. */
#ifndef WINIPC_PYTHON_VERBS_H
#define WINIPC_PYTHON_VERBS_H

enum { VERBS_FIRST_CAPACITY = 65536 };

static int verb_arguments(const char *name, Py_ssize_t given, Py_ssize_t wanted) {
  if (given == wanted) return 1;
  PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, not %zd", name, wanted, given);
  return 0;
}

/* Nonzero when the call succeeded; else an exception is set. It may be there already: a
 * handler of Ctrl-C's, after a call that was cancelled. */
static int verb_succeeded(winipc_status status) {
  if (status >= 0) return 1;
  if (!PyErr_Occurred()) py_raise(status);
  return 0;
}

/* False: the message is lost, as the options of the connection want it. */
static PyObject *verb_sent(winipc_status status) {
  return verb_succeeded(status) ? PyBool_FromLong(status != WINIPC_LOST) : NULL;
}

static PyObject *verb_send(PyObject *module, PyObject *const *arguments,
                           Py_ssize_t count) {
  void *connection;
  Py_buffer data;
  uint32_t timeout_ms;
  winipc_status status;
  (void)module;
  if (!verb_arguments("send", count, 3) || !py_handle(arguments[0], &connection) ||
      !py_timeout(arguments[2], &timeout_ms) ||
      PyObject_GetBuffer(arguments[1], &data, PyBUF_SIMPLE) < 0)
    return NULL;
  py_wait wait = py_wait_of(&timeout_ms);
  do {
    Py_BEGIN_ALLOW_THREADS;
    status = winipc_send(connection, data.buf, (size_t)data.len, timeout_ms);
    Py_END_ALLOW_THREADS;
  } while (py_again(status, &wait));
  PyBuffer_Release(&data);
  return verb_sent(status);
}

static winipc_status verb_receive_bytes(winipc_connection *connection, void *buffer,
                                        size_t capacity, size_t *size, py_wait *wait) {
  winipc_status status;
  do {
    Py_BEGIN_ALLOW_THREADS;
    status = winipc_receive(connection, buffer, capacity, size, *wait->timeout_ms);
    Py_END_ALLOW_THREADS;
  } while (py_again(status, wait));
  return status;
}

static PyObject *verb_receive_into(PyObject *module, PyObject *const *arguments,
                                   Py_ssize_t count) {
  void *connection;
  Py_buffer data;
  uint32_t timeout_ms;
  size_t size;
  (void)module;
  if (!verb_arguments("receive_into", count, 3) ||
      !py_handle(arguments[0], &connection) || !py_timeout(arguments[2], &timeout_ms) ||
      PyObject_GetBuffer(arguments[1], &data, PyBUF_WRITABLE) < 0)
    return NULL;
  py_wait wait = py_wait_of(&timeout_ms);
  winipc_status status =
      verb_receive_bytes(connection, data.buf, (size_t)data.len, &size, &wait);
  PyBuffer_Release(&data);
  return verb_succeeded(status) ? PyLong_FromSize_t(size) : NULL;
}

/* A message that the first buffer did not hold waits in the connection, and `size` is
 * known now. It may be larger than max_message, and is then not worth the memory. */
static PyObject *verb_receive_large(winipc_connection *connection, size_t size,
                                    py_wait *wait) {
  winipc_connection_info info = {.size = sizeof info};
  if (!verb_succeeded(winipc_connection_get_info(connection, &info))) return NULL;
  if (size > info.max_message) return py_raise_plain(WINIPC_E_MESSAGE_TOO_LARGE), NULL;
  PyObject *message = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
  if (!message) return NULL;
  char *data = PyBytes_AsString(message);
  winipc_status status = verb_receive_bytes(connection, data, size, &size, wait);
  if (!verb_succeeded(status)) Py_CLEAR(message);
  /* Another thread may have been faster, and this is the next message. */
  if (message && size != (size_t)PyBytes_Size(message)) {
    PyObject *shorter = PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    Py_DECREF(message);
    message = shorter;
  }
  return message;
}

/* What a call has received into a buffer of `capacity` bytes, or would have. */
static PyObject *verb_received(winipc_connection *connection, winipc_status status,
                               const char *buffer, size_t capacity, size_t size,
                               py_wait *wait) {
  if (status == WINIPC_E_MESSAGE_TOO_LARGE && size > capacity && !PyErr_Occurred())
    return verb_receive_large(connection, size, wait);
  return verb_succeeded(status) ? PyBytes_FromStringAndSize(buffer, (Py_ssize_t)size)
                                : NULL;
}

static PyObject *verb_receive(PyObject *module, PyObject *const *arguments,
                              Py_ssize_t count) {
  void *connection;
  uint32_t timeout_ms;
  char buffer[VERBS_FIRST_CAPACITY];
  size_t size;
  (void)module;
  if (!verb_arguments("receive", count, 2) || !py_handle(arguments[0], &connection) ||
      !py_timeout(arguments[1], &timeout_ms))
    return NULL;
  py_wait wait = py_wait_of(&timeout_ms);
  winipc_status status =
      verb_receive_bytes(connection, buffer, sizeof buffer, &size, &wait);
  return verb_received(connection, status, buffer, sizeof buffer, size, &wait);
}

static PyObject *verb_transact(PyObject *module, PyObject *const *arguments,
                               Py_ssize_t count) {
  void *connection;
  Py_buffer request;
  uint32_t timeout_ms;
  char reply[VERBS_FIRST_CAPACITY];
  size_t size;
  winipc_status status;
  (void)module;
  if (!verb_arguments("transact", count, 3) || !py_handle(arguments[0], &connection) ||
      !py_timeout(arguments[2], &timeout_ms) ||
      PyObject_GetBuffer(arguments[1], &request, PyBUF_SIMPLE) < 0)
    return NULL;
  py_wait wait = py_wait_of(&timeout_ms);
  Py_BEGIN_ALLOW_THREADS;
  status = winipc_transact(connection, request.buf, (size_t)request.len, reply,
                           sizeof reply, &size, timeout_ms);
  Py_END_ALLOW_THREADS;
  PyBuffer_Release(&request);
  if (py_again(status, &wait)) /* the request has gone */
    status = verb_receive_bytes(connection, reply, sizeof reply, &size, &wait);
  return verb_received(connection, status, reply, sizeof reply, size, &wait);
}

static PyMethodDef verbs[] = {
    {"send", (PyCFunction)(void (*)(void))verb_send, METH_FASTCALL,
     "send(connection, data, timeout) -> bool"},
    {"receive", (PyCFunction)(void (*)(void))verb_receive, METH_FASTCALL,
     "receive(connection, timeout) -> bytes"},
    {"receive_into", (PyCFunction)(void (*)(void))verb_receive_into, METH_FASTCALL,
     "receive_into(connection, buffer, timeout) -> size"},
    {"transact", (PyCFunction)(void (*)(void))verb_transact, METH_FASTCALL,
     "transact(connection, request, timeout) -> bytes"},
    {NULL, NULL, 0, NULL},
};

#endif
