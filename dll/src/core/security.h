/* Who may open what we create, and who the other side is. */
#ifndef WINIPC_SECURITY_H
#define WINIPC_SECURITY_H

#include "core/win.h"

enum { SECURITY_SID_TEXT = 192 }; /* room for a SID as text */

/* Fills `attributes` from a preset, or from `sddl` when it is not NULL. Undo it with
 * security_free once the object exists. */
winipc_status security_init(SECURITY_ATTRIBUTES *attributes, uint32_t preset,
                            const char *sddl, bool inheritable);
void security_free(SECURITY_ATTRIBUTES *attributes);

/* The user of this process, or of another, as a SID. */
winipc_status security_current_user(char sid[SECURITY_SID_TEXT]);
winipc_status security_user_of(DWORD pid, char sid[SECURITY_SID_TEXT]);

/* Owner, DACL and label of a kernel object as SDDL; free() it. */
winipc_status security_describe(HANDLE object, char **sddl);

#endif
