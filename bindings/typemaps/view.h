/* View: a part of shared memory, mapped, with the buffer protocol.
 *
 * Python's layer subclasses it to hold the memory object alive. The mapping ends with
 * close(), which is refused while a memoryview or the like still looks at it, or with
 * the object, which those hold alive. */
#ifndef WINIPC_PYTHON_VIEW_H
#define WINIPC_PYTHON_VIEW_H

typedef struct view {
  PyObject_HEAD winipc_memory *memory;
  void *address; /* NULL when closed */
  Py_ssize_t size, exports;
  int read_only;
} view;

static int view_is_open(const view *self) {
  if (!self->address) PyErr_SetString(PyExc_ValueError, "the view is closed");
  return self->address != NULL;
}

static int view_get_buffer(PyObject *object, Py_buffer *buffer, int flags) {
  view *self = (view *)object;
  buffer->obj = NULL;
  if (!view_is_open(self)) return -1;
  if (PyBuffer_FillInfo(buffer, object, self->address, self->size, self->read_only,
                        flags) < 0)
    return -1;
  self->exports++;
  return 0;
}

static void view_release_buffer(PyObject *object, Py_buffer *buffer) {
  (void)buffer;
  ((view *)object)->exports--;
}

static winipc_status view_unmap(view *self) {
  void *address = self->address;
  self->address = NULL;
  return address ? winipc_memory_unmap(self->memory, address) : WINIPC_OK;
}

static PyObject *view_close(PyObject *object, PyObject *nothing) {
  view *self = (view *)object;
  (void)nothing;
  if (self->exports)
    return PyErr_Format(PyExc_BufferError, "%zd views of the memory are in use",
                        self->exports);
  return verb_succeeded(view_unmap(self)) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *view_flush(PyObject *object, PyObject *nothing) {
  view *self = (view *)object;
  winipc_status status;
  (void)nothing;
  if (!view_is_open(self)) return NULL;
  self->exports++; /* nobody may unmap it meanwhile */
  Py_BEGIN_ALLOW_THREADS;
  status = winipc_memory_flush(self->memory, self->address, (uint64_t)self->size);
  Py_END_ALLOW_THREADS;
  self->exports--;
  return verb_succeeded(status) ? Py_NewRef(Py_None) : NULL;
}

/* View(memory, offset, size, protection) */
static PyObject *view_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  void *memory, *address;
  uint64_t offset, size, protection;
  PyObject *given[4];
  if (keywords && PyDict_Size(keywords))
    return PyErr_Format(PyExc_TypeError, "View takes no keywords");
  if (!PyArg_UnpackTuple(arguments, "View", 4, 4, &given[0], &given[1], &given[2],
                         &given[3]) ||
      !py_handle(given[0], &memory) ||
      !field_read_number(given[1], "offset", UINT64_MAX, &offset) ||
      !field_read_number(given[2], "size", PY_SSIZE_T_MAX, &size) ||
      !field_read_number(given[3], "protection", UINT32_MAX, &protection) ||
      !verb_succeeded(
          winipc_memory_map(memory, offset, size, (uint32_t)protection, &address)))
    return NULL;
  view *self = (view *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
  if (!self) return winipc_memory_unmap(memory, address), NULL;
  self->memory = memory;
  self->address = address;
  self->size = (Py_ssize_t)size;
  self->read_only =
      protection == WINIPC_MEMORY_READ || protection == WINIPC_MEMORY_EXECUTE_READ;
  return (PyObject *)self;
}

static void view_dealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  view_unmap((view *)object); /* nothing to unmap when the memory was closed before */
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

static Py_ssize_t view_length(PyObject *object) {
  return ((view *)object)->size;
}

static PyObject *view_exports(PyObject *object, void *unused) {
  (void)unused;
  return PyLong_FromSsize_t(((view *)object)->exports);
}

static PyMethodDef view_methods[] = {
    {"close", view_close, METH_NOARGS, "Unmap it; BufferError while it is in use."},
    {"flush", view_flush, METH_NOARGS, "Write changes to the file behind the memory."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef view_properties[] = {
    {"exports", view_exports, NULL, "How many buffers of it are in use.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot view_slots[] = {
    {Py_tp_doc,
     (void
          *)"A part of shared memory, mapped: View(memory, offset, size, protection)."},
    {Py_tp_new, (void *)view_new},
    {Py_tp_dealloc, (void *)view_dealloc},
    {Py_tp_methods, view_methods},
    {Py_tp_getset, view_properties},
    {Py_sq_length, (void *)view_length},
    {Py_bf_getbuffer, (void *)view_get_buffer},
    {Py_bf_releasebuffer, (void *)view_release_buffer},
    {0, NULL},
};
static PyType_Spec view_spec = {"winipc.native.View", sizeof(view), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, view_slots};

#endif
