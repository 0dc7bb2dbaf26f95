// Handles, the library's and the system's, are ints.
%define WINIPC_HANDLE(type, out_type)
%typemap(in) type { if (!py_handle($input, (void **)&$1)) SWIG_fail; }
%typemap(in, numinputs=0) out_type (void *value = NULL) { $1 = ($1_ltype)&value; }
%typemap(argout) out_type { $result = py_add($result, PyLong_FromVoidPtr(value$argnum)); }
%enddef

WINIPC_HANDLE(winipc_connection *, winipc_connection **)
WINIPC_HANDLE(winipc_listener *, winipc_listener **)
WINIPC_HANDLE(winipc_cancel_token *, winipc_cancel_token **)
WINIPC_HANDLE(winipc_process *, winipc_process **)
WINIPC_HANDLE(winipc_memory *, winipc_memory **)
WINIPC_HANDLE(winipc_mutex *, winipc_mutex **)
WINIPC_HANDLE(winipc_event *, winipc_event **)
WINIPC_HANDLE(winipc_semaphore *, winipc_semaphore **)
%apply winipc_connection * { const void *object, void *handle, void *event, void *address }
%apply winipc_connection ** { void **handle, void **other_end, void **address, void **data }
