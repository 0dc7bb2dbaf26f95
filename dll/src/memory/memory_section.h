/* The system's sections: made, opened and measured. */
#ifndef WINIPC_MEMORY_SECTION_H
#define WINIPC_MEMORY_SECTION_H

#include "core/win.h"

/* What a WINIPC_MEMORY_... protection is to each call of the system. */
typedef struct memory_protection {
  DWORD page; /* CreateFileMapping */
  DWORD view; /* MapViewOfFile */
  DWORD open; /* OpenFileMapping */
  DWORD file; /* CreateFile */
  bool writes, executes;
} memory_protection;

/* NULL for a value that is not known. */
const memory_protection *memory_protection_of(uint32_t protection);

/* Opens the section with exactly the rights of the protection. Returns a Win32 code
 * and records nothing: a name that does not exist may be no error. */
DWORD memory_section_open(const wchar_t *name, const winipc_memory_options *options,
                          HANDLE *section);

/* Creates one of `bytes` bytes, 0 for the size of options->path. When the name is taken
 * that is an error, unless it `may_open`: then `created` tells. */
winipc_status memory_section_create(const wchar_t *name, uint64_t bytes,
                                    const winipc_memory_options *options, bool may_open,
                                    HANDLE *section, bool *created);

/* How large it is, and whether a file is behind it. The size of one without a file is
 * whole pages. `exact` tells whether that of one with a file is so to the byte. */
typedef struct memory_section_size {
  uint64_t bytes;
  bool file, exact;
} memory_section_size;

winipc_status memory_section_measure(HANDLE section, memory_section_size *size);

#endif
