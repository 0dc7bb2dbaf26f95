// Channels. As a raw function peek gives the address of the message, and its size; the types lend memory.
%typemap(in, numinputs=0) const void **data (const void *value = NULL) { $1 = ($1_ltype)&value; }
%typemap(argout) const void **data {
  $result = py_add($result, PyLong_FromVoidPtr((void *)(uintptr_t)value$argnum));
}
%ignore winipc_send_many; // by hand, like the next ones
%ignore winipc_receive_many;
%ignore winipc_channel_inspect;
%init %{
  if (PyModule_AddFunctions(m, many_functions) < 0 || PyModule_AddFunctions(m, channel_functions) < 0 ||
      channel_add_types(m) < 0)
    return -1;
%}
%pythoncode %{
send_many = _winipc.send_many
receive_many = _winipc.receive_many
channel_inspect = _winipc.channel_inspect
Channel = _winipc.Channel
Loan = _winipc.Loan
Reservation = _winipc.Reservation
%}
