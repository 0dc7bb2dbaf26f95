// Shared memory: the initialiser, and the mapped view
%typemap(in) (winipc_memory_initialise initialise, void *user) {
  if ($input != Py_None && !PyCallable_Check($input)) {
    PyErr_SetString(PyExc_TypeError, "an initialiser is a callable");
    SWIG_fail;
  }
  $1 = $input == Py_None ? NULL : py_initialise;
  $2 = $input;
}
%init %{
  {
    PyObject *type = PyType_FromSpec(&view_spec);
    int added = type ? PyModule_AddObjectRef(m, "View", type) : -1;
    Py_XDECREF(type);
    if (added < 0) return -1;
  }
%}
%pythoncode %{
View = _winipc.View
%}
