/* A console without a window, whose keyboard and screen are two pipes. Windows 10 1809
 * and newer have it. */
#ifndef WINIPC_PSEUDO_CONSOLE_H
#define WINIPC_PSEUDO_CONSOLE_H

#include "core/win.h"

struct pseudo_console;

/* `size`: columns << 16 | rows. The pipe ends stay the caller's. */
winipc_status pseudo_console_make(uint32_t size, HANDLE input, HANDLE output,
                                  struct pseudo_console **out);

/* The value for PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE. */
void *pseudo_console_value(const struct pseudo_console *console);

/* Ends the console when the process ends, so that its output comes to an end too. The
 * handle must stay open until pseudo_console_close. */
winipc_status pseudo_console_watch(struct pseudo_console *console, HANDLE process);

/* NULL is fine. Programs that are still in it are told to end. */
void pseudo_console_close(struct pseudo_console *console);

#endif
