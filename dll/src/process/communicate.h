#ifndef WINIPC_COMMUNICATE_H
#define WINIPC_COMMUNICATE_H

#include "process/process.h"

/* Ends what is being written, and closes our end of standard input, if it is ours. */
void communicate_close_input(process *p);

#endif
