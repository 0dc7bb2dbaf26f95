/* Programs that are batch files: cmd.exe runs them, and reads their arguments by rules
 * of its own. What a caller meant as text must not become a command there. */
#ifndef WINIPC_BATCH_FILE_H
#define WINIPC_BATCH_FILE_H

#include "core/win.h"

/* The path of the batch file that the program's name stands for, to be freed by
 * free(), or NULL when it is none. `searched`: the name is looked up as CreateProcess
 * does, and then with .bat and .cmd behind it. */
winipc_status batch_file_find(const char *program, bool searched, wchar_t **path);

/* How cmd.exe is started for it. arguments[0] is not looked at. Both results are to be
 * freed by free(). */
winipc_status batch_file_command(const wchar_t *path, const char *const *arguments,
                                 uint32_t count, wchar_t **application, char **line);

#endif
