/* What all named kernel objects share: their names, and the errors of opening them. */
#ifndef WINIPC_KERNEL_OBJECT_H
#define WINIPC_KERNEL_OBJECT_H

#include "core/win.h"

/* The name as the system wants it, to be freed by free(); NULL for an unnamed one. A
 * name of this logon session has no prefix, one of the whole machine "Global\". */
winipc_status kernel_object_name(const char *name, uint32_t scope, wchar_t **wide);

bool kernel_object_is_global(const wchar_t *wide);

/* A new name for an object that goes with another one: the same scope, `prefix`, and
 * the other's name. */
winipc_status kernel_object_companion(const wchar_t *wide, const wchar_t *prefix,
                                      wchar_t **companion);

/* Records that `call` could not create or open `what` ("a mutex") of that name. */
winipc_status kernel_object_failed(DWORD code, const char *call, const char *what,
                                   const wchar_t *wide);

/* Whether a HANDLE from outside is one of `type`, as the system calls it. */
winipc_status kernel_object_check(HANDLE handle, const wchar_t *type, const char *what);

#endif
