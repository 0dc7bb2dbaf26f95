/* The initialiser of shared memory: a callable that gets the address and the size. */
#ifndef WINIPC_PYTHON_MEMORY_H
#define WINIPC_PYTHON_MEMORY_H

/* The library calls it within our own call, on our thread; what it raises comes out of
 * that call. */
static winipc_status WINIPC_CALL py_initialise(void *address, uint64_t bytes,
                                               void *function) {
  PyGILState_STATE state = PyGILState_Ensure();
  PyObject *result = PyObject_CallFunction(function, "NK", PyLong_FromVoidPtr(address),
                                           (unsigned long long)bytes);
  Py_XDECREF(result);
  PyGILState_Release(state);
  return result ? WINIPC_OK : WINIPC_E_SYSTEM;
}

#endif
