/* process_communicate by hand: it has output to give also when it fails. */
#ifndef WINIPC_PYTHON_PROCESS_H
#define WINIPC_PYTHON_PROCESS_H

typedef struct exchange {
  void *process;
  Py_buffer input;
  uint64_t limit;
  uint32_t timeout_ms;
  PyObject *out, *error; /* bytes so far */
} exchange;

static int exchange_begin(exchange *x, PyObject *arguments) {
  PyObject *process, *input, *limit, *timeout;
  x->out = PyBytes_FromStringAndSize(NULL, 0);
  x->error = Py_XNewRef(x->out);
  return x->out &&
         PyArg_UnpackTuple(arguments, "process_communicate", 4, 4, &process, &input,
                           &limit, &timeout) &&
         py_handle(process, &x->process) &&
         field_read_number(limit, "limit", UINT64_MAX, &x->limit) &&
         py_timeout(timeout, &x->timeout_ms) &&
         (input == Py_None || PyObject_GetBuffer(input, &x->input, PyBUF_SIMPLE) == 0);
}

/* Appends memory of the library's, which is freed. */
static void exchange_append(PyObject **bytes, void *data, size_t size) {
  PyObject *more = PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
  PyObject *all = *bytes && more ? PySequence_Concat(*bytes, more) : NULL;
  Py_XDECREF(more);
  Py_XDECREF(*bytes);
  *bytes = all;
  winipc_free(data);
}

/* Each call of the library gives what came since the last, and takes input but once. */
static winipc_status exchange_run(exchange *x) {
  winipc_status status;
  py_wait wait = py_wait_of(&x->timeout_ms);
  size_t size = (size_t)x->input.len;
  do {
    winipc_output output = {.size = sizeof output};
    Py_BEGIN_ALLOW_THREADS;
    status = winipc_process_communicate(x->process, x->input.buf, size, x->limit,
                                        &output, x->timeout_ms);
    Py_END_ALLOW_THREADS;
    exchange_append(&x->out, output.out, output.out_size);
    exchange_append(&x->error, output.error, output.error_size);
    size = 0;
  } while (x->out && x->error && py_again(status, &wait));
  return status;
}

/* What came goes with the exception, as its attribute `output`. */
static void exchange_attach(const exchange *x) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  PyObject *output = PyTuple_Pack(2, x->out, x->error);
  if (!output || PyObject_SetAttrString(value, "output", output) < 0) PyErr_Clear();
  Py_XDECREF(output);
  PyErr_Restore(type, value, trace);
}

static PyObject *process_communicate(PyObject *module, PyObject *arguments) {
  exchange x = {0};
  PyObject *result = NULL;
  (void)module;
  if (exchange_begin(&x, arguments)) {
    winipc_status status = exchange_run(&x);
    if (x.out && x.error && verb_succeeded(status))
      result = PyTuple_Pack(2, x.out, x.error);
    else if (x.out && x.error)
      exchange_attach(&x);
  }
  PyBuffer_Release(&x.input);
  Py_XDECREF(x.out);
  Py_XDECREF(x.error);
  return result;
}

static PyMethodDef process_functions[] = {
    {"process_communicate", process_communicate, METH_VARARGS,
     "process_communicate(process, input, limit, timeout) -> (out, error)"},
    {NULL, NULL, 0, NULL},
};

#endif
