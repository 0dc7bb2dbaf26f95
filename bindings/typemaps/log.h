/* The log callback.
 *
 * An error arises anywhere, also where the library holds a lock and another thread,
 * with the GIL, waits for that lock. So the callback does not ask for the GIL: it
 * leaves a copy with the interpreter, which delivers it on the main thread soon after.
 * The interpreter keeps only so many; what is too much is not delivered. */
#ifndef WINIPC_PYTHON_LOG_H
#define WINIPC_PYTHON_LOG_H

static PyObject *log_function; /* of Python's, or NULL */

static int log_deliver(void *copy) {
  winipc_error *error = copy;
  PyObject *function = Py_XNewRef(log_function); /* it may replace itself */
  PyObject *result =
      function ? PyObject_CallFunction(function, "iINN", error->status, error->win32,
                                       py_text(error->call), py_text(error->text))
               : NULL;
  if (function && !result) PyErr_WriteUnraisable(function);
  Py_XDECREF(result);
  Py_XDECREF(function);
  free(error);
  return 0;
}

static void WINIPC_CALL log_callback(const winipc_error *error, void *user) {
  winipc_error *copy = malloc(sizeof *copy);
  (void)user;
  if (!copy) return;
  *copy = *error;
  if (Py_AddPendingCall(log_deliver, copy) < 0) free(copy);
}

static PyObject *log_set(PyObject *module, PyObject *function) {
  (void)module;
  PyObject *old = log_function;
  log_function = function == Py_None ? NULL : Py_NewRef(function);
  winipc_log_set(log_function ? log_callback : NULL, NULL);
  Py_XDECREF(old);
  Py_RETURN_NONE;
}

static PyMethodDef log_functions[] = {
    {"log_set", log_set, METH_O,
     "log_set(function): function(status, win32, call, text) hears of every error"},
    {NULL, NULL, 0, NULL},
};

#endif
