%ignore winipc_process_communicate;
%ignore winipc_output;
%init %{
  if (PyModule_AddFunctions(m, process_functions) < 0) return -1;
%}
%pythoncode %{
process_communicate = _winipc.process_communicate
%}
