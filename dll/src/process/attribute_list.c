#include "process/attribute_list.h"

#include "core/status.h"

/* Some headers show them only to programs for the newest systems. */
#ifndef PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE
#define PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE 0x00020016
#endif
#ifndef PROC_THREAD_ATTRIBUTE_JOB_LIST
#define PROC_THREAD_ATTRIBUTE_JOB_LIST 0x0002000D
#endif

enum { ATTRIBUTE_LIST__MOST = 4 };

static winipc_status attribute_list__allocate(attribute_list *a) {
  SIZE_T size = 0;
  InitializeProcThreadAttributeList(NULL, ATTRIBUTE_LIST__MOST, 0, &size);
  LPPROC_THREAD_ATTRIBUTE_LIST list = malloc(size);
  if (!list) return status_no_memory();
  if (!InitializeProcThreadAttributeList(list, ATTRIBUTE_LIST__MOST, 0, &size)) {
    free(list);
    return status_from_last("InitializeProcThreadAttributeList");
  }
  a->list = list;
  return WINIPC_OK;
}

static BOOL attribute_list__set(attribute_list *a, DWORD_PTR what, void *value,
                                SIZE_T size) {
  return UpdateProcThreadAttribute(a->list, 0, what, value, size, NULL, NULL);
}

static winipc_status attribute_list__fill(attribute_list *a) {
  BOOL set = TRUE;
  if (a->handle_count)
    set = attribute_list__set(a, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, a->handles,
                              a->handle_count * sizeof *a->handles);
  if (set && a->parent)
    set = attribute_list__set(a, PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &a->parent,
                              sizeof a->parent);
  if (set && a->console) /* the value is the handle itself, not its address */
    set = attribute_list__set(a, PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, a->console,
                              sizeof a->console);
  return set ? WINIPC_OK : status_from_last("UpdateProcThreadAttribute");
}

winipc_status attribute_list_make(attribute_list *a) {
  winipc_status status = attribute_list__allocate(a);
  if (status) return status;
  status = attribute_list__fill(a);
  if (status)
    attribute_list_free(a);
  else
    a->job_left =
        !attribute_list__set(a, PROC_THREAD_ATTRIBUTE_JOB_LIST, &a->job, sizeof a->job);
  return status;
}

void attribute_list_free(attribute_list *a) {
  if (!a->list) return;
  DeleteProcThreadAttributeList(a->list);
  free(a->list);
  a->list = NULL;
}
