// An options structure is a dict of what differs from the defaults, or None. What a function tells in a
// structure leaves as a dict.
%define WINIPC_OPTIONS(name)
%typemap(in) const winipc_##name * (winipc_##name value, PyObject *keep = NULL) {
  winipc_##name##_init(&value);
  $1 = &value;
  if ($input != Py_None && !(keep = fields_fill($input, &value, name##_fields))) SWIG_fail;
}
%typemap(freearg) const winipc_##name * { Py_XDECREF(keep$argnum); }
%ignore winipc_##name;
%ignore winipc_##name##_init;
%enddef

%define WINIPC_TELLS(name)
%typemap(in, numinputs=0) winipc_##name * (winipc_##name value) {
  memset(&value, 0, sizeof value);
  value.size = sizeof value;
  $1 = &value;
}
%typemap(argout) winipc_##name * { $result = py_add($result, fields_told(&value$argnum, name##_fields)); }
%ignore winipc_##name;
%enddef

WINIPC_OPTIONS(connection_options)
WINIPC_OPTIONS(pipe_options)
WINIPC_OPTIONS(pipe_client_options)
WINIPC_OPTIONS(process_options)
WINIPC_OPTIONS(memory_options)
WINIPC_OPTIONS(lock_options)
WINIPC_OPTIONS(channel_options)
WINIPC_TELLS(error)
WINIPC_TELLS(peer)
WINIPC_TELLS(peek_info)
WINIPC_TELLS(connection_info)
WINIPC_TELLS(pipe_info)
WINIPC_TELLS(memory_info)
WINIPC_TELLS(message_info)
WINIPC_TELLS(channel_member)
%ignore winipc_stream;

// Sequences of texts or of handles
%define WINIPC_SEQUENCE(types, kind)
%typemap(in) types (PyObject *keep = NULL) {
  keep = PyList_New(0);
  if (!keep || !field_read_array($input, kind, (void ***)&$1, &$2, keep)) SWIG_fail;
}
%typemap(freearg) types { Py_XDECREF(keep$argnum); }
%enddef
WINIPC_SEQUENCE(%arg((const char *const *arguments, uint32_t count)), FIELD_TEXTS)
WINIPC_SEQUENCE(%arg((const void *const *objects, uint32_t count)), FIELD_HANDLES)
