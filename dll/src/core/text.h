/* UTF-8 outside, UTF-16 inside. */
#ifndef WINIPC_TEXT_H
#define WINIPC_TEXT_H

#include "core/win.h"

/* A new UTF-16 copy, to be freed by free(). `what` names the text in an error. */
winipc_status text_to_wide(const char *text, const char *what, wchar_t **wide);

/* A new UTF-8 copy, to be freed by free(). */
winipc_status text_from_wide(const wchar_t *wide, char **text);

/* A name for the text of an error: its beginning, as UTF-8 ("%ls" would go by the
 * locale of the C runtime). */
enum { TEXT_SHOWN = 121 };
#define TEXT_SHOW(wide) text_show((wide), (char[TEXT_SHOWN]){0})
const char *text_show(const wchar_t *wide, char shown[TEXT_SHOWN]);

/* A new copy of prefix + text. */
winipc_status text_join(const wchar_t *prefix, const wchar_t *text, wchar_t **joined);

/* True when the text begins so; ASCII, case does not count. */
bool text_begins(const char *text, const char *prefix);

#endif
