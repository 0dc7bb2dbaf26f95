/* The types Channel, Loan and Reservation. */
#ifndef WINIPC_PYTHON_CHANNEL_TYPES_H
#define WINIPC_PYTHON_CHANNEL_TYPES_H

#define FAST_METHOD(name, function, text) \
  {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL | METH_KEYWORDS, text}

static PyMethodDef channel_methods[] = {
    FAST_METHOD("send", channel_send,
                "Send one message: True, or False when the channel has dropped it."),
    FAST_METHOD("send_many", channel_send_many, "Send several messages together."),
    FAST_METHOD("receive", channel_receive, "Receive one message."),
    FAST_METHOD("receive_into", channel_receive_into,
                "Receive one message into a writable buffer, and return its size."),
    FAST_METHOD("receive_many", channel_receive_many,
                "Wait for a message, and receive as many as there are."),
    FAST_METHOD("reserve", channel_reserve,
                "Room in the ring for a message to be built in place."),
    FAST_METHOD("peek", channel_peek, "The next message where it lies."),
    {"close", channel_close, METH_NOARGS,
     "Close; BufferError while a view of a loan is in use."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef channel_properties[] = {
    {"_id", channel_get_id, channel_set_id, "The library's handle.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot channel_slots[] = {
    {Py_tp_doc, (void *)"What is fast about a channel."},
    {Py_tp_methods, channel_methods},
    {Py_tp_getset, channel_properties},
    {Py_tp_iternext, (void *)channel_next},
    {0, NULL},
};

static PyMethodDef loan_methods[] = {
    {"__enter__", loan_enter, METH_NOARGS, "A memoryview of the message, read-only."},
    {"__exit__", (PyCFunction)(void (*)(void))loan_exit, METH_FASTCALL,
     "Release the message."},
    {"release", loan_release, METH_NOARGS,
     "Give the message back: Overrun when it was overwritten meanwhile."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot loan_slots[] = {
    {Py_tp_doc, (void *)"A message where it lies, until release()."},
    {Py_tp_dealloc, (void *)loan_dealloc},
    {Py_tp_methods, loan_methods},
    {Py_sq_length, (void *)loan_length},
    {Py_bf_getbuffer, (void *)loan_get_buffer},
    {Py_bf_releasebuffer, (void *)loan_release_buffer},
    {0, NULL},
};

static PyMethodDef reservation_methods[] = {
    {"__enter__", loan_enter, METH_NOARGS, "A writable memoryview of the room."},
    {"__exit__", (PyCFunction)(void (*)(void))loan_exit, METH_FASTCALL,
     "Commit, or abandon after an exception."},
    FAST_METHOD("commit", loan_commit,
                "Send the first `size` bytes; all, if not told."),
    {"abandon", loan_release, METH_NOARGS, "Give the room back."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef reservation_properties[] = {
    {"size", loan_get_size, loan_set_size, "How many bytes the commit sends.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot reservation_slots[] = {
    {Py_tp_doc, (void *)"Room in the ring for a message, until commit() or abandon()."},
    {Py_tp_dealloc, (void *)loan_dealloc},
    {Py_tp_methods, reservation_methods},
    {Py_tp_getset, reservation_properties},
    {Py_sq_length, (void *)loan_length},
    {Py_bf_getbuffer, (void *)loan_get_buffer},
    {Py_bf_releasebuffer, (void *)loan_release_buffer},
    {0, NULL},
};

static PyType_Spec channel_spec = {"winipc.native.Channel", sizeof(channel), 0,
                                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                   channel_slots};
static PyType_Spec loan_spec = {"winipc.native.Loan", sizeof(loan), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                loan_slots};
static PyType_Spec reservation_spec = {
    "winipc.native.Reservation", sizeof(loan), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, reservation_slots};

static PyTypeObject *channel_add_type(PyObject *module, const char *name,
                                      PyType_Spec *spec) {
  PyObject *type = PyType_FromSpec(spec);
  if (type && PyModule_AddObjectRef(module, name, type) < 0) Py_CLEAR(type);
  return (PyTypeObject *)type;
}

static int channel_add_types(PyObject *module) {
  loan_release_name = PyUnicode_InternFromString("release");
  if (!loan_release_name || channel_intern_names() < 0) return -1;
  PyTypeObject *type = channel_add_type(module, "Channel", &channel_spec);
  loan_types[LOAN_MESSAGE] = channel_add_type(module, "Loan", &loan_spec);
  loan_types[LOAN_RESERVATION] =
      channel_add_type(module, "Reservation", &reservation_spec);
  Py_XDECREF((PyObject *)type);
  return type && loan_types[LOAN_MESSAGE] && loan_types[LOAN_RESERVATION] ? 0 : -1;
}

#endif
