#ifndef WINIPC_ATTRIBUTE_LIST_H
#define WINIPC_ATTRIBUTE_LIST_H

#include "core/win.h"

/* What a new process gets beyond STARTUPINFO. All of it must live until the process
 * has been created. */
typedef struct attribute_list {
  HANDLE *handles; /* to inherit */
  DWORD handle_count;
  HANDLE parent; /* NULL: us */
  HANDLE job;
  void *console; /* a pseudo-console, or NULL */
  /* What attribute_list_make makes of it: */
  LPPROC_THREAD_ATTRIBUTE_LIST list;
  bool job_left; /* this system puts no process into a job at its creation */
} attribute_list;

winipc_status attribute_list_make(attribute_list *a);
void attribute_list_free(attribute_list *a);

#endif
