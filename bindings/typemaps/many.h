/* send_many and receive_many by hand: the one has something to tell also when it fails,
 * and the other makes a list. */
#ifndef WINIPC_PYTHON_MANY_H
#define WINIPC_PYTHON_MANY_H

enum { MANY_MOST = 256 };

/* How many went goes with the exception, as its attribute `sent`. */
static void many_attach(uint32_t sent) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  PyObject *number = PyLong_FromUnsignedLong(sent);
  if (!number || PyObject_SetAttrString(value, "sent", number) < 0) PyErr_Clear();
  Py_XDECREF(number);
  PyErr_Restore(type, value, trace);
}

/* `at_once`: try without waiting first, which takes no system call and keeps the GIL.
 */
static winipc_status many_send_parts(void *connection, const py_parts *all, int at_once,
                                     uint32_t timeout_ms, uint32_t *sent) {
  winipc_status status = WINIPC_E_TIMEOUT;
  uint32_t more = 0;
  *sent = 0;
  if (at_once)
    status = winipc_send_many(connection, all->parts, all->count, WINIPC_NO_WAIT, sent);
  if (status != WINIPC_E_TIMEOUT || (at_once && !timeout_ms)) return status;
  py_wait wait = py_wait_of(&timeout_ms);
  do {
    Py_BEGIN_ALLOW_THREADS;
    status = winipc_send_many(connection, all->parts + *sent, all->count - *sent,
                              timeout_ms, &more);
    Py_END_ALLOW_THREADS;
    *sent += more;
  } while (py_again(status, &wait));
  return status;
}

static size_t many_largest(const py_parts *all) {
  size_t largest = 0;
  for (uint32_t i = 0; i < all->count; i++)
    if (all->parts[i].size > largest) largest = all->parts[i].size;
  return largest;
}

/* Messages up to `at_once` bytes are tried at once. */
static PyObject *many_send(void *connection, PyObject *messages, PyObject *timeout,
                           size_t at_once) {
  py_parts all = {0};
  uint32_t timeout_ms, sent;
  PyObject *result = NULL;
  if (py_timeout(timeout, &timeout_ms) && py_parts_hold(messages, &all)) {
    winipc_status status = many_send_parts(
        connection, &all, many_largest(&all) <= at_once, timeout_ms, &sent);
    if (verb_succeeded(status))
      result = PyLong_FromUnsignedLong(sent);
    else
      many_attach(sent);
  }
  py_parts_release(&all);
  return result;
}

static PyObject *many_list(const winipc_part *messages, uint32_t count) {
  PyObject *list = PyList_New(count);
  for (uint32_t i = 0; list && i < count; i++) {
    PyObject *one =
        PyBytes_FromStringAndSize(messages[i].data, (Py_ssize_t)messages[i].size);
    if (one)
      PyList_SetItem(list, i, one);
    else
      Py_CLEAR(list);
  }
  return list;
}

static PyObject *many_list_of(PyObject *message) {
  PyObject *list = message ? PyList_New(1) : NULL;
  if (list)
    PyList_SetItem(list, 0, message);
  else
    Py_XDECREF(message);
  return list;
}

static PyObject *many_receive(void *connection, uint32_t most, int at_once,
                              uint32_t timeout_ms) {
  char buffer[VERBS_FIRST_CAPACITY];
  winipc_part messages[MANY_MOST];
  winipc_status status = WINIPC_E_TIMEOUT;
  uint32_t count;
  py_wait wait = py_wait_of(&timeout_ms);
  messages[0].size = 0;
  if (at_once)
    status = winipc_receive_many(connection, buffer, sizeof buffer, messages, most,
                                 &count, WINIPC_NO_WAIT);
  if (status == WINIPC_E_TIMEOUT && !(at_once && !timeout_ms)) do {
      Py_BEGIN_ALLOW_THREADS;
      status = winipc_receive_many(connection, buffer, sizeof buffer, messages, most,
                                   &count, timeout_ms);
      Py_END_ALLOW_THREADS;
    } while (py_again(status, &wait));
  if (status == WINIPC_E_MESSAGE_TOO_LARGE && messages[0].size > sizeof buffer)
    return many_list_of(verb_receive_large(connection, messages[0].size, &wait));
  return verb_succeeded(status) ? many_list(messages, count) : NULL;
}

/* How many to receive: as many as a caller likes, and no more than we do. */
static int many_read_most(PyObject *most, uint32_t *number) {
  *number = MANY_MOST;
  if (most == Py_None) return 1;
  Py_ssize_t wanted = PyNumber_AsSsize_t(most, NULL);
  if (wanted == -1 && PyErr_Occurred()) return 0;
  if (wanted < 1) {
    PyErr_SetString(PyExc_ValueError, "most: one message at least");
    return 0;
  }
  if (wanted < MANY_MOST) *number = (uint32_t)wanted;
  return 1;
}

static PyObject *verb_send_many(PyObject *module, PyObject *const *arguments,
                                Py_ssize_t count) {
  void *connection;
  (void)module;
  if (!verb_arguments("send_many", count, 3) || !py_handle(arguments[0], &connection))
    return NULL;
  return many_send(connection, arguments[1], arguments[2], 0);
}

static PyObject *verb_receive_many(PyObject *module, PyObject *const *arguments,
                                   Py_ssize_t count) {
  void *connection;
  uint32_t most, timeout_ms;
  (void)module;
  if (!verb_arguments("receive_many", count, 3) ||
      !py_handle(arguments[0], &connection) || !many_read_most(arguments[1], &most) ||
      !py_timeout(arguments[2], &timeout_ms))
    return NULL;
  return many_receive(connection, most, 0, timeout_ms);
}

static PyMethodDef many_functions[] = {
    {"send_many", (PyCFunction)(void (*)(void))verb_send_many, METH_FASTCALL,
     "send_many(connection, messages, timeout) -> count"},
    {"receive_many", (PyCFunction)(void (*)(void))verb_receive_many, METH_FASTCALL,
     "receive_many(connection, most, timeout) -> list of bytes"},
    {NULL, NULL, 0, NULL},
};

#endif
