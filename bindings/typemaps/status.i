// A status is no result: an error is raised, and only news (a positive status) is told, where there can be some.
%typemap(out) winipc_status {
  if (PyErr_Occurred()) SWIG_fail; // Ctrl-C
  if ($1 < 0) {
    py_raise($1);
    SWIG_fail;
  }
  $result = SWIG_Py_Void();
}

%define WINIPC_TELLS_NEWS(name)
%typemap(out) winipc_status name {
  if (PyErr_Occurred()) SWIG_fail;
  if ($1 < 0) {
    py_raise($1);
    SWIG_fail;
  }
  $result = PyLong_FromLong($1);
}
%enddef
WINIPC_TELLS_NEWS(winipc_send_parts)
WINIPC_TELLS_NEWS(winipc_receive_part)
WINIPC_TELLS_NEWS(winipc_connection_arm)
WINIPC_TELLS_NEWS(winipc_channel_peek)
WINIPC_TELLS_NEWS(winipc_mutex_lock)
WINIPC_TELLS_NEWS(winipc_wait)
