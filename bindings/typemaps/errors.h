/* From a status to an exception: the classes are those of winipc.errors. */
#ifndef WINIPC_PYTHON_ERRORS_H
#define WINIPC_PYTHON_ERRORS_H

#include <string.h>

/* A text of the library's may have been cut within a character. */
static PyObject *py_text(const char *text) {
  return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static void py_raise_error(const winipc_error *error) {
  PyObject *module = PyImport_ImportModule("winipc.errors");
  if (!module) return;
  PyObject *exception =
      PyObject_CallMethod(module, "error_of", "iINN", error->status, error->win32,
                          py_text(error->call), py_text(error->text));
  if (exception) PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  Py_XDECREF(exception);
  Py_DECREF(module);
}

/* With the general text of the status. */
static void py_raise_plain(winipc_status status) {
  winipc_error error = {.size = sizeof error, .status = status};
  strncpy(error.text, winipc_status_text(status), sizeof error.text - 1);
  py_raise_error(&error);
}

/* With all that is known about this thread's last call of winipc, which returned
 * `status`. */
static void py_raise(winipc_status status) {
  winipc_error error = {.size = sizeof error};
  winipc_last_error(&error);
  if (error.status == status)
    py_raise_error(&error);
  else
    py_raise_plain(status);
}

#endif
