/* Calls that wait: timeouts in seconds, and Ctrl-C.
 *
 * CPython's handler of SIGINT sets a flag and then an event, and leaves the rest to the
 * main thread. That event, as a cancel token, ends what the main thread waits in;
 * py_again then has Python run the handler.
 */
#ifndef WINIPC_PYTHON_WAITING_H
#define WINIPC_PYTHON_WAITING_H

#include <math.h>
#include <windows.h>

typedef struct py_wait {
  uint32_t *timeout_ms; /* of the call, counted down when it is made again */
  ULONGLONG began;
} py_wait;

static HANDLE py_interrupt_event; /* NULL where this Python does not show it */
static winipc_cancel_token *py_interrupt_token;
static DWORD py_main_thread;

/* None is for ever, and so is infinity; a fraction of a millisecond counts as a whole
 * one. */
static int py_timeout(PyObject *seconds, uint32_t *timeout_ms) {
  *timeout_ms = WINIPC_FOREVER;
  if (seconds == Py_None) return 1;
  double value = PyFloat_AsDouble(seconds);
  if (value == -1.0 && PyErr_Occurred()) return 0;
  if (!(value >= 0)) {
    PyErr_SetString(PyExc_ValueError,
                    "a timeout is None or a number of seconds, 0 or more");
    return 0;
  }
  if (isinf(value)) return 1;
  double ms = ceil(value * 1000);
  *timeout_ms = ms < WINIPC_FOREVER ? (uint32_t)ms : WINIPC_FOREVER - 1;
  return 1;
}

static py_wait py_wait_of(uint32_t *timeout_ms) {
  py_wait wait = {timeout_ms, GetTickCount64()};
  return wait;
}

static void py_count_down(py_wait *wait) {
  ULONGLONG now = GetTickCount64(), passed = now - wait->began;
  if (*wait->timeout_ms == WINIPC_FOREVER) return;
  *wait->timeout_ms -=
      passed < *wait->timeout_ms ? (uint32_t)passed : *wait->timeout_ms;
  wait->began = now;
}

/* After a call: nonzero when Ctrl-C ended it and Python's handler raised nothing, so
 * that it has to be made again (PEP 475). The event is reset before the flag is looked
 * at: a Ctrl-C in between leaves it set. */
static int py_again(winipc_status status, py_wait *wait) {
  if (status != WINIPC_E_CANCELLED || GetCurrentThreadId() != py_main_thread) return 0;
  if (!py_interrupt_event ||
      WaitForSingleObject(py_interrupt_event, 0) != WAIT_OBJECT_0)
    return 0;
  ResetEvent(py_interrupt_event);
  if (PyErr_CheckSignals() < 0) return 0;
  py_count_down(wait);
  return 1;
}

static DWORD py_find_main_thread(void) {
  PyObject *threading = PyImport_ImportModule("threading");
  PyObject *thread =
      threading ? PyObject_CallMethod(threading, "main_thread", NULL) : NULL;
  PyObject *ident = thread ? PyObject_GetAttrString(thread, "ident") : NULL;
  DWORD id = ident ? PyLong_AsUnsignedLong(ident) : 0;
  Py_XDECREF(ident);
  Py_XDECREF(thread);
  Py_XDECREF(threading);
  return id;
}

static HANDLE py_find_interrupt_event(void) {
  typedef void *(__cdecl * getter)(void);
  PyObject *dll = PySys_GetObject("dllhandle"); /* python3XX.dll, under whatever name */
  HMODULE module = dll ? PyLong_AsVoidPtr(dll) : NULL;
  getter get =
      module ? (getter)(void *)GetProcAddress(module, "_PyOS_SigintEvent") : NULL;
  return get ? get() : NULL;
}

/* Importing on another thread than the main one leaves Ctrl-C to end no waits. */
static int py_heed_interrupts(void) {
  py_main_thread = py_find_main_thread();
  if (PyErr_Occurred()) return -1;
  py_interrupt_event = py_find_interrupt_event();
  if (PyErr_Occurred()) return -1;
  if (!py_interrupt_event ||
      winipc_cancel_from_event(py_interrupt_event, &py_interrupt_token))
    return 0;
  if (GetCurrentThreadId() == py_main_thread)
    winipc_cancel_use_also(py_interrupt_token);
  return 0;
}

#endif
