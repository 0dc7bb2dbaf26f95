%ignore winipc_log_set;
%ignore winipc_log_callback;
%init %{
  if (PyModule_AddFunctions(m, log_functions) < 0) return -1;
%}
%pythoncode %{
log_set = _winipc.log_set
%}
