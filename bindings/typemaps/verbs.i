// The functions that are written by hand
%ignore winipc_send;
%ignore winipc_receive;
%ignore winipc_receive_alloc; // receive finds the memory itself
%ignore winipc_transact;
%init %{
  if (PyModule_AddFunctions(m, verbs) < 0) return -1;
%}
%pythoncode %{
send = _winipc.send
receive = _winipc.receive
receive_into = _winipc.receive_into
transact = _winipc.transact
%}
