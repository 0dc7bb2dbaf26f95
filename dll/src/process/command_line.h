/* Argument lists as one line of text, as the Microsoft C runtimes and
 * CommandLineToArgvW take it apart. */
#ifndef WINIPC_COMMAND_LINE_H
#define WINIPC_COMMAND_LINE_H

#include "core/buffer.h"
#include "core/win.h"

/* Appends one argument; `quoted` even if it need not be. */
winipc_status command_line_append(buffer *line, const char *argument, bool quoted);

/* The line of the arguments, the first of which is the program; free() it. */
winipc_status command_line_of(const char *const *arguments, uint32_t count,
                              char **line);

/* WINIPC_E_INVALID_ARGUMENT unless there are so many arguments, and at least one. */
winipc_status command_line_check(const char *const *arguments, uint32_t count);

#endif
