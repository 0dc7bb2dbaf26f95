// Which functions wait, and so let other threads run meanwhile. All others keep the GIL.
%init %{
  if (py_heed_interrupts() < 0) return -1;
%}

// SWIG gives every argument's locals a number, but for the names that begin like this one
%typemap(in) uint32_t timeout_ms (py_wait _global_wait) {
  if (!py_timeout($input, &$1)) SWIG_fail;
  _global_wait = py_wait_of(&$1);
}

%define WINIPC_WAITS(name)
%exception name {
  do {
    Py_BEGIN_ALLOW_THREADS
    $action
    Py_END_ALLOW_THREADS
  } while (py_again(result, &_global_wait));
}
%enddef

// No timeout and no cancelling, but it may take its time
%define WINIPC_TAKES_TIME(name)
%exception name {
  Py_BEGIN_ALLOW_THREADS
  $action
  Py_END_ALLOW_THREADS
}
%enddef

WINIPC_WAITS(winipc_accept)
WINIPC_WAITS(winipc_channel_connect)
WINIPC_WAITS(winipc_channel_from_handle)
WINIPC_WAITS(winipc_channel_open)
WINIPC_WAITS(winipc_channel_peek)
WINIPC_WAITS(winipc_channel_reserve)
WINIPC_WAITS(winipc_connect)
WINIPC_WAITS(winipc_drain)
WINIPC_WAITS(winipc_event_wait)
WINIPC_WAITS(winipc_memory_create_or_open)
WINIPC_WAITS(winipc_mutex_lock)
WINIPC_WAITS(winipc_pipe_connect)
WINIPC_WAITS(winipc_process_wait)
WINIPC_WAITS(winipc_receive_handle)
WINIPC_WAITS(winipc_receive_part)
WINIPC_WAITS(winipc_semaphore_acquire)
WINIPC_WAITS(winipc_send_handle)
WINIPC_WAITS(winipc_send_parts)
WINIPC_WAITS(winipc_wait)

WINIPC_TAKES_TIME(winipc_cancel_close)
WINIPC_TAKES_TIME(winipc_channel_create)
WINIPC_TAKES_TIME(winipc_channel_listen)
WINIPC_TAKES_TIME(winipc_connection_abort)
WINIPC_TAKES_TIME(winipc_connection_close)
WINIPC_TAKES_TIME(winipc_connection_detach)
WINIPC_TAKES_TIME(winipc_event_close)
WINIPC_TAKES_TIME(winipc_listener_close)
WINIPC_TAKES_TIME(winipc_memory_close)
WINIPC_TAKES_TIME(winipc_memory_create)
WINIPC_TAKES_TIME(winipc_memory_flush)
WINIPC_TAKES_TIME(winipc_memory_open)
WINIPC_TAKES_TIME(winipc_mutex_close)
WINIPC_TAKES_TIME(winipc_peek)
WINIPC_TAKES_TIME(winipc_pipe_exists)
WINIPC_TAKES_TIME(winipc_pipe_list)
WINIPC_TAKES_TIME(winipc_process_close)
WINIPC_TAKES_TIME(winipc_process_kill_tree)
WINIPC_TAKES_TIME(winipc_process_start)
WINIPC_TAKES_TIME(winipc_semaphore_close)

%ignore winipc_cancel_use_also; // Ctrl-C's, see waiting.h
