// Texts
%typemap(in) const char * { if (!py_utf8($input, (const char **)&$1)) SWIG_fail; }
%typemap(freearg) const char * ""
%typemap(in, numinputs=0) char **sddl (char *text = NULL), char **line (char *text = NULL) { $1 = &text; }
%typemap(argout) char **sddl, char **line { $result = py_add($result, py_take_text(text$argnum)); }
%typemap(in, numinputs=0) (char **names, uint32_t *count) (char *texts = NULL, uint32_t count = 0) {
  $1 = &texts;
  $2 = &count;
}
%typemap(argout) (char **names, uint32_t *count) {
  $result = py_add($result, py_take_texts(texts$argnum, count$argnum));
}

// Numbers that come out
%typemap(in, numinputs=0) uint32_t * (uint32_t value = 0), int32_t * (int32_t value = 0) { $1 = &value; }
%typemap(argout) uint32_t * { $result = py_add($result, PyLong_FromUnsignedLong(value$argnum)); }
%typemap(argout) int32_t * { $result = py_add($result, PyBool_FromLong(value$argnum)); }
%typemap(in, numinputs=0) uint64_t * (uint64_t value = 0) { $1 = &value; }
%typemap(argout) uint64_t * { $result = py_add($result, PyLong_FromUnsignedLongLong(value$argnum)); }

// Buffers, without a copy, held until the call is over. PyBuffer_Release leaves one alone that was not filled.
%define WINIPC_BUFFER(types, flags)
%typemap(in) types (Py_buffer view = {0}) {
  if (PyObject_GetBuffer($input, &view, flags) < 0) SWIG_fail;
  $1 = view.buf;
  $2 = (size_t)view.len;
}
%typemap(freearg) types { PyBuffer_Release(&view$argnum); }
%enddef

WINIPC_BUFFER(%arg((const void *data, size_t size)), PyBUF_SIMPLE)
WINIPC_BUFFER(%arg((void *buffer, size_t capacity)), PyBUF_WRITABLE)
%typemap(in, numinputs=0) size_t *size (size_t value = 0) { $1 = &value; }
%typemap(argout) size_t *size { $result = py_add($result, PyLong_FromSize_t(value$argnum)); }

%typemap(in) (const winipc_part *parts, uint32_t count) (py_parts all = {0}) {
  if (!py_parts_hold($input, &all)) SWIG_fail;
  $1 = all.parts;
  $2 = all.count;
}
%typemap(freearg) (const winipc_part *parts, uint32_t count) { py_parts_release(&all$argnum); }
%ignore winipc_part;
%ignore winipc_free; // whatever comes out is Python's already
