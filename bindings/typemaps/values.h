/* Numbers, texts and buffers on their way in and out. */
#ifndef WINIPC_PYTHON_VALUES_H
#define WINIPC_PYTHON_VALUES_H

/* `value` (a new reference) joins the results of a function: alone, or in a tuple. */
static PyObject *py_add(PyObject *results, PyObject *value) {
  if (!results || !value || Py_IsNone(results)) {
    Py_XDECREF(results);
    return results ? value : NULL;
  }
  PyObject *first = PyTuple_Check(results) ? results : PyTuple_Pack(1, results);
  PyObject *second = PyTuple_Pack(1, value);
  PyObject *all = first && second ? PySequence_Concat(first, second) : NULL;
  if (first != results) Py_XDECREF(first);
  Py_XDECREF(second);
  Py_DECREF(results);
  Py_DECREF(value);
  return all;
}

static int py_handle(PyObject *number, void **handle) {
  *handle = NULL;
  if (number == Py_None) return 1;
  if (!PyLong_Check(number)) {
    PyErr_Format(PyExc_TypeError, "a handle is an int, not %R",
                 (PyObject *)Py_TYPE(number));
    return 0;
  }
  *handle = PyLong_AsVoidPtr(number);
  return !PyErr_Occurred();
}

/* The text lives as long as the str; None is NULL. */
static int py_utf8(PyObject *text, const char **utf8) {
  Py_ssize_t size = 0;
  *utf8 = NULL;
  if (text == Py_None) return 1;
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "a str is needed, not %R", (PyObject *)Py_TYPE(text));
    return 0;
  }
  *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
  if (*utf8 && strlen(*utf8) != (size_t)size) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return 0;
  }
  return *utf8 != NULL;
}

/* A text of the library's, which is freed. */
static PyObject *py_take_text(char *text) {
  PyObject *result = text ? py_text(text) : Py_NewRef(Py_None);
  winipc_free(text);
  return result;
}

/* `count` texts, each followed by a NUL, in memory of the library's, which is freed. */
static PyObject *py_take_texts(char *texts, uint32_t count) {
  PyObject *result = PyList_New(count);
  const char *text = texts;
  for (uint32_t i = 0; result && i < count; i++, text += strlen(text) + 1) {
    PyObject *one = py_text(text);
    if (one)
      PyList_SetItem(result, i, one);
    else
      Py_CLEAR(result);
  }
  winipc_free(texts);
  return result;
}

/* Buffers held for the time of a call, as many as there are parts. */
typedef struct py_parts {
  uint32_t count;
  winipc_part *parts;
  Py_buffer *views;
  PyObject *list;
} py_parts;

/* Into `view`, to be released. A bytes object needs no buffer: whoever has a reference
 * knows that it stays as it is. */
static int py_hold(PyObject *data, Py_buffer *view) {
  view->obj = NULL;
  if (!Py_IS_TYPE(data, &PyBytes_Type))
    return PyObject_GetBuffer(data, view, PyBUF_SIMPLE) == 0;
  view->buf = PyBytes_AsString(data);
  view->len = PyBytes_Size(data);
  return 1;
}

static void py_release(Py_buffer *view) {
  if (view->obj) PyBuffer_Release(view);
}

static void py_parts_release(py_parts *all) {
  for (uint32_t i = 0; i < all->count; i++) py_release(&all->views[i]);
  Py_XDECREF(all->list);
  PyMem_Free(all->views);
  PyMem_Free(all->parts);
}

static int py_parts_hold(PyObject *sequence, py_parts *all) {
  PyObject *list = all->list = PySequence_List(sequence);
  Py_ssize_t size = list ? PyList_Size(list) : 0;
  all->parts = PyMem_Calloc((size_t)size + 1, sizeof *all->parts);
  all->views = PyMem_Calloc((size_t)size + 1, sizeof *all->views);
  if (list && (!all->parts || !all->views)) PyErr_NoMemory();
  for (Py_ssize_t i = 0; i < size && all->parts && all->views; i++) {
    if (!py_hold(PyList_GetItem(list, i), &all->views[i])) break;
    all->parts[i].data = all->views[i].buf;
    all->parts[i].size = (size_t)all->views[i].len;
    all->count++;
  }
  return !PyErr_Occurred();
}

#endif
