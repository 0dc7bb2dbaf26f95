/* Structures: options come as a dict, what is told leaves as one. A table names the
 * fields of each. */
#ifndef WINIPC_PYTHON_FIELDS_H
#define WINIPC_PYTHON_FIELDS_H

#include <stddef.h>

typedef enum field_kind {
  FIELD_NUMBER,  /* uint32_t */
  FIELD_STATUS,  /* int32_t */
  FIELD_SIZE,    /* uint64_t */
  FIELD_TEXT,    /* const char * */
  FIELD_CHARS,   /* char [], only out */
  FIELD_HANDLE,  /* void * */
  FIELD_TEXTS,   /* const char *const *, and a count */
  FIELD_HANDLES, /* void *const *, and a count */
  FIELD_STREAMS, /* winipc_stream [3] */
} field_kind;

typedef struct field {
  const char *name;
  size_t offset;
  field_kind kind;
  size_t count; /* FIELD_TEXTS, FIELD_HANDLES: offset of the number of them */
} field;

#define FIELD(type, name, kind) {#name, offsetof(type, name), kind, 0}
#define FIELD_COUNTED(type, name, kind, count) \
  {#name, offsetof(type, name), kind, offsetof(type, count)}
#define FIELDS_END {NULL, 0, FIELD_NUMBER, 0}

static int fields_read(PyObject *dict, void *structure, const field *fields,
                       PyObject *keep);

/* ---- in: `keep` is a list of what the structure points into ---- */

static int field_read_number(PyObject *value, const char *name, uint64_t limit,
                             uint64_t *number) {
  *number = PyLong_AsUnsignedLongLong(value);
  int outside =
      PyErr_Occurred() ? PyErr_ExceptionMatches(PyExc_OverflowError) : *number > limit;
  if (outside) PyErr_Format(PyExc_ValueError, "%s: %R is out of range", name, value);
  return !PyErr_Occurred();
}

/* Memory that lives as long as `keep`. */
static void *field_memory(size_t size, PyObject *keep) {
  PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
  int kept = bytes && PyList_Append(keep, bytes) == 0;
  Py_XDECREF(bytes);
  return kept ? PyBytes_AsString(bytes) : NULL;
}

/* A sequence of str or of handles, as an array of pointers. */
static int field_read_array(PyObject *value, field_kind kind, void ***array,
                            uint32_t *count, PyObject *keep) {
  PyObject *items = PySequence_Tuple(value); /* keeps the texts alive */
  if (!items || PyList_Append(keep, items) < 0) return Py_XDECREF(items), 0;
  Py_DECREF(items);
  *count = (uint32_t)PyTuple_Size(items);
  *array = field_memory((*count + 1) * sizeof **array, keep);
  for (uint32_t i = 0; *array && i < *count; i++) {
    PyObject *item = PyTuple_GetItem(items, i);
    int fine = kind == FIELD_TEXTS ? py_utf8(item, (const char **)&(*array)[i])
                                   : py_handle(item, &(*array)[i]);
    if (!fine) return 0;
  }
  return *array != NULL;
}

static const field stream_fields[] = {
    FIELD(winipc_stream, kind, FIELD_NUMBER),
    FIELD(winipc_stream, framing, FIELD_NUMBER),
    FIELD(winipc_stream, path, FIELD_TEXT),
    FIELD(winipc_stream, handle, FIELD_HANDLE),
    FIELDS_END,
};

static int field_read_streams(PyObject *value, winipc_stream *streams, PyObject *keep) {
  PyObject *items = PySequence_Tuple(value);
  int fine = items && PyList_Append(keep, items) == 0 && PyTuple_Size(items) == 3;
  for (int i = 0; fine && i < 3; i++)
    fine = fields_read(PyTuple_GetItem(items, i), &streams[i], stream_fields, keep);
  Py_XDECREF(items);
  if (!fine && !PyErr_Occurred())
    PyErr_SetString(PyExc_ValueError, "streams: three of them");
  return fine;
}

static int field_read(PyObject *value, void *structure, const field *f,
                      PyObject *keep) {
  char *base = structure;
  void *place = base + f->offset;
  uint64_t number;
  switch (f->kind) {
  case FIELD_NUMBER:
    if (!field_read_number(value, f->name, UINT32_MAX, &number)) return 0;
    *(uint32_t *)place = (uint32_t)number;
    return 1;
  case FIELD_SIZE:
    return field_read_number(value, f->name, UINT64_MAX, place);
  case FIELD_TEXT:
    return py_utf8(value, place);
  case FIELD_HANDLE:
    return py_handle(value, place);
  case FIELD_TEXTS:
  case FIELD_HANDLES:
    return field_read_array(value, f->kind, place, (uint32_t *)(base + f->count), keep);
  case FIELD_STREAMS:
    return field_read_streams(value, place, keep);
  default:
    break;
  }
  PyErr_Format(PyExc_TypeError, "%s is only told", f->name);
  return 0;
}

static const field *field_find(PyObject *name, const field *fields) {
  const char *text = NULL;
  if (!py_utf8(name, &text)) return NULL;
  while (fields->name && (!text || strcmp(fields->name, text))) fields++;
  if (!fields->name) PyErr_Format(PyExc_TypeError, "no option is called %R", name);
  return fields->name ? fields : NULL;
}

/* None stands for the default, which is there already. The structure points into a copy
 * of the dict. */
static int fields_read(PyObject *dict, void *structure, const field *fields,
                       PyObject *keep) {
  PyObject *name, *value, *copy = PyDict_Copy(dict);
  Py_ssize_t position = 0;
  int fine = copy && PyList_Append(keep, copy) == 0;
  Py_XDECREF(copy);
  while (fine && PyDict_Next(copy, &position, &name, &value)) {
    const field *f = field_find(name, fields);
    fine = f && (value == Py_None || field_read(value, structure, f, keep));
  }
  return fine;
}

/* A new list that has to outlive the structure, or NULL. */
static PyObject *fields_fill(PyObject *dict, void *structure, const field *fields) {
  PyObject *keep = PyList_New(0);
  if (keep && !PyDict_Check(dict))
    PyErr_SetString(PyExc_TypeError, "options are a dict");
  if (keep && (PyErr_Occurred() || !fields_read(dict, structure, fields, keep)))
    Py_CLEAR(keep);
  return keep;
}

/* ---- out ---- */

static PyObject *field_told(const void *structure, const field *f) {
  const void *place = (const char *)structure + f->offset;
  switch (f->kind) {
  case FIELD_NUMBER:
    return PyLong_FromUnsignedLong(*(const uint32_t *)place);
  case FIELD_STATUS:
    return PyLong_FromLong(*(const int32_t *)place);
  case FIELD_SIZE:
    return PyLong_FromUnsignedLongLong(*(const uint64_t *)place);
  default:
    return py_text(place);
  }
}

static PyObject *fields_told(const void *structure, const field *fields) {
  PyObject *dict = PyDict_New();
  for (; dict && fields->name; fields++) {
    PyObject *value = field_told(structure, fields);
    if (!value || PyDict_SetItemString(dict, fields->name, value) < 0) Py_CLEAR(dict);
    Py_XDECREF(value);
  }
  return dict;
}

/* ---- the tables ---- */

static const field connection_options_fields[] = {
    FIELD(winipc_connection_options, framing, FIELD_NUMBER),
    FIELD(winipc_connection_options, max_message, FIELD_SIZE),
    FIELDS_END,
};

static const field pipe_options_fields[] = {
    FIELD(winipc_pipe_options, framing, FIELD_NUMBER),
    FIELD(winipc_pipe_options, max_message, FIELD_SIZE),
    FIELD(winipc_pipe_options, direction, FIELD_NUMBER),
    FIELD(winipc_pipe_options, type, FIELD_NUMBER),
    FIELD(winipc_pipe_options, read_mode, FIELD_NUMBER),
    FIELD(winipc_pipe_options, nowait, FIELD_NUMBER),
    FIELD(winipc_pipe_options, accept_remote, FIELD_NUMBER),
    FIELD(winipc_pipe_options, max_instances, FIELD_NUMBER),
    FIELD(winipc_pipe_options, out_buffer, FIELD_NUMBER),
    FIELD(winipc_pipe_options, in_buffer, FIELD_NUMBER),
    FIELD(winipc_pipe_options, default_timeout_ms, FIELD_NUMBER),
    FIELD(winipc_pipe_options, first_instance, FIELD_NUMBER),
    FIELD(winipc_pipe_options, inheritable, FIELD_NUMBER),
    FIELD(winipc_pipe_options, write_through, FIELD_NUMBER),
    FIELD(winipc_pipe_options, extra_access, FIELD_NUMBER),
    FIELD(winipc_pipe_options, security, FIELD_NUMBER),
    FIELD(winipc_pipe_options, sddl, FIELD_TEXT),
    FIELDS_END,
};

static const field pipe_client_options_fields[] = {
    FIELD(winipc_pipe_client_options, framing, FIELD_NUMBER),
    FIELD(winipc_pipe_client_options, max_message, FIELD_SIZE),
    FIELD(winipc_pipe_client_options, direction, FIELD_NUMBER),
    FIELD(winipc_pipe_client_options, read_mode, FIELD_NUMBER),
    FIELD(winipc_pipe_client_options, nowait, FIELD_NUMBER),
    FIELD(winipc_pipe_client_options, impersonation, FIELD_NUMBER),
    FIELD(winipc_pipe_client_options, inheritable, FIELD_NUMBER),
    FIELD(winipc_pipe_client_options, must_exist, FIELD_NUMBER),
    FIELD(winipc_pipe_client_options, write_through, FIELD_NUMBER),
    FIELD(winipc_pipe_client_options, server_user, FIELD_TEXT),
    FIELDS_END,
};

static const field error_fields[] = {
    FIELD(winipc_error, status, FIELD_STATUS),
    FIELD(winipc_error, win32, FIELD_NUMBER),
    FIELD(winipc_error, call, FIELD_CHARS),
    FIELD(winipc_error, text, FIELD_CHARS),
    FIELDS_END,
};

static const field peer_fields[] = {
    FIELD(winipc_peer, pid, FIELD_NUMBER),
    FIELD(winipc_peer, session, FIELD_NUMBER),
    FIELD(winipc_peer, user, FIELD_CHARS),
    FIELDS_END,
};

static const field peek_info_fields[] = {
    FIELD(winipc_peek_info, waiting, FIELD_NUMBER),
    FIELD(winipc_peek_info, copied, FIELD_SIZE),
    FIELD(winipc_peek_info, message, FIELD_SIZE),
    FIELD(winipc_peek_info, available, FIELD_SIZE),
    FIELDS_END,
};

static const field connection_info_fields[] = {
    FIELD(winipc_connection_info, framing, FIELD_NUMBER),
    FIELD(winipc_connection_info, max_message, FIELD_SIZE),
    FIELD(winipc_connection_info, server, FIELD_NUMBER),
    FIELD(winipc_connection_info, overlapped, FIELD_NUMBER),
    FIELDS_END,
};

static const field pipe_info_fields[] = {
    FIELD(winipc_pipe_info, type, FIELD_NUMBER),
    FIELD(winipc_pipe_info, read_mode, FIELD_NUMBER),
    FIELD(winipc_pipe_info, nowait, FIELD_NUMBER),
    FIELD(winipc_pipe_info, max_instances, FIELD_NUMBER),
    FIELD(winipc_pipe_info, instances, FIELD_NUMBER),
    FIELD(winipc_pipe_info, out_buffer, FIELD_NUMBER),
    FIELD(winipc_pipe_info, in_buffer, FIELD_NUMBER),
    FIELDS_END,
};

static const field process_options_fields[] = {
    FIELD_COUNTED(winipc_process_options, arguments, FIELD_TEXTS, argument_count),
    FIELD(winipc_process_options, command_line, FIELD_TEXT),
    FIELD(winipc_process_options, application, FIELD_TEXT),
    FIELD(winipc_process_options, directory, FIELD_TEXT),
    FIELD_COUNTED(winipc_process_options, environment, FIELD_TEXTS, environment_count),
    FIELD(winipc_process_options, creation_flags, FIELD_NUMBER),
    FIELD(winipc_process_options, streams, FIELD_STREAMS),
    FIELD_COUNTED(winipc_process_options, inherited, FIELD_HANDLES, inherited_count),
    FIELD(winipc_process_options, kill_with_parent, FIELD_NUMBER),
    FIELD(winipc_process_options, startup_flags, FIELD_NUMBER),
    FIELD(winipc_process_options, show_window, FIELD_NUMBER),
    FIELD(winipc_process_options, window_x, FIELD_NUMBER),
    FIELD(winipc_process_options, window_y, FIELD_NUMBER),
    FIELD(winipc_process_options, window_width, FIELD_NUMBER),
    FIELD(winipc_process_options, window_height, FIELD_NUMBER),
    FIELD(winipc_process_options, console_columns, FIELD_NUMBER),
    FIELD(winipc_process_options, console_rows, FIELD_NUMBER),
    FIELD(winipc_process_options, console_fill, FIELD_NUMBER),
    FIELD(winipc_process_options, pseudo_console, FIELD_NUMBER),
    FIELD(winipc_process_options, title, FIELD_TEXT),
    FIELD(winipc_process_options, desktop, FIELD_TEXT),
    FIELD(winipc_process_options, process_sddl, FIELD_TEXT),
    FIELD(winipc_process_options, thread_sddl, FIELD_TEXT),
    FIELD(winipc_process_options, process_inheritable, FIELD_NUMBER),
    FIELD(winipc_process_options, thread_inheritable, FIELD_NUMBER),
    FIELD(winipc_process_options, parent, FIELD_HANDLE),
    FIELDS_END,
};

static const field memory_options_fields[] = {
    FIELD(winipc_memory_options, protection, FIELD_NUMBER),
    FIELD(winipc_memory_options, scope, FIELD_NUMBER),
    FIELD(winipc_memory_options, inheritable, FIELD_NUMBER),
    FIELD(winipc_memory_options, path, FIELD_TEXT),
    FIELD(winipc_memory_options, large_pages, FIELD_NUMBER),
    FIELD(winipc_memory_options, security, FIELD_NUMBER),
    FIELD(winipc_memory_options, sddl, FIELD_TEXT),
    FIELDS_END,
};

static const field memory_info_fields[] = {
    FIELD(winipc_memory_info, exact, FIELD_NUMBER),
    FIELD(winipc_memory_info, bytes, FIELD_SIZE),
    FIELD(winipc_memory_info, creator, FIELD_NUMBER),
    FIELD(winipc_memory_info, created, FIELD_NUMBER),
    FIELDS_END,
};

static const field channel_options_fields[] = {
    FIELD(winipc_channel_options, role, FIELD_NUMBER),
    FIELD(winipc_channel_options, max_message, FIELD_SIZE),
    FIELD(winipc_channel_options, capacity, FIELD_SIZE),
    FIELD(winipc_channel_options, capacity_limit, FIELD_SIZE),
    FIELD(winipc_channel_options, full, FIELD_NUMBER),
    FIELD(winipc_channel_options, fields, FIELD_NUMBER),
    FIELD(winipc_channel_options, spin_us, FIELD_NUMBER),
    FIELD(winipc_channel_options, from_oldest, FIELD_NUMBER),
    FIELD(winipc_channel_options, max_peers, FIELD_NUMBER),
    FIELD(winipc_channel_options, scope, FIELD_NUMBER),
    FIELD(winipc_channel_options, large_pages, FIELD_NUMBER),
    FIELD(winipc_channel_options, prefault, FIELD_NUMBER),
    FIELD(winipc_channel_options, numa_node, FIELD_NUMBER),
    FIELD(winipc_channel_options, security, FIELD_NUMBER),
    FIELD(winipc_channel_options, sddl, FIELD_TEXT),
    FIELD(winipc_channel_options, server_user, FIELD_TEXT),
    FIELDS_END,
};

static const field message_info_fields[] = {
    FIELD(winipc_message_info, sender, FIELD_NUMBER),
    FIELD(winipc_message_info, lost, FIELD_SIZE),
    FIELD(winipc_message_info, sequence, FIELD_SIZE),
    FIELD(winipc_message_info, time, FIELD_SIZE),
    FIELD(winipc_message_info, tag, FIELD_SIZE),
    FIELDS_END,
};

static const field channel_member_fields[] = {
    FIELD(winipc_channel_member, role, FIELD_NUMBER),
    FIELD(winipc_channel_member, pid, FIELD_NUMBER),
    FIELD(winipc_channel_member, waiting, FIELD_NUMBER),
    FIELD(winipc_channel_member, since, FIELD_SIZE),
    FIELD(winipc_channel_member, capacity, FIELD_SIZE),
    FIELD(winipc_channel_member, messages, FIELD_SIZE),
    FIELD(winipc_channel_member, bytes, FIELD_SIZE),
    FIELD(winipc_channel_member, dropped, FIELD_SIZE),
    FIELD(winipc_channel_member, unread, FIELD_SIZE),
    FIELD(winipc_channel_member, lost, FIELD_SIZE),
    FIELD(winipc_channel_member, sleeps, FIELD_SIZE),
    FIELD(winipc_channel_member, wakes, FIELD_SIZE),
    FIELD(winipc_channel_member, image, FIELD_CHARS),
    FIELDS_END,
};

static const field lock_options_fields[] = {
    FIELD(winipc_lock_options, mode, FIELD_NUMBER),
    FIELD(winipc_lock_options, scope, FIELD_NUMBER),
    FIELD(winipc_lock_options, inheritable, FIELD_NUMBER),
    FIELD(winipc_lock_options, security, FIELD_NUMBER),
    FIELD(winipc_lock_options, sddl, FIELD_TEXT),
    FIELDS_END,
};

#endif
