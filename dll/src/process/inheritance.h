/* Which handles a child inherits: those on the list, and never what else happens to be
 * inheritable, or an end of a pipe would live on in a stranger and its peer never see
 * the end. */
#ifndef WINIPC_INHERITANCE_H
#define WINIPC_INHERITANCE_H

#include "core/win.h"

enum { INHERITANCE_STREAMS = 3 };

typedef struct inheritance {
  HANDLE parent; /* whose handles they are; NULL: ours */
  HANDLE *list;
  DWORD count;
  HANDLE temporary[INHERITANCE_STREAMS]; /* inheritable duplicates, in the parent */
  DWORD temporaries;
} inheritance;

/* Begins with the handles that the caller lists, which must be inheritable; with a
 * foreign `parent` they are that process's and cannot be checked. */
winipc_status inheritance_init(inheritance *i, HANDLE parent, void *const *listed,
                               uint32_t count);

/* Adds one of ours for a standard stream; `as` gets its value in the child. */
winipc_status inheritance_add_stream(inheritance *i, HANDLE handle, HANDLE *as);

void inheritance_free(inheritance *i);

#endif
