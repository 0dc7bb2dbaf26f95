#include "process/environment_block.h"

#include "core/status.h"
#include "core/text.h"

/* The names of a drive's directories begin with a sign themselves: "=C:=C:\dir". */
static int environment_block__name_length(const wchar_t *entry) {
  const wchar_t *sign = *entry ? wcschr(entry + 1, L'=') : NULL;
  return sign ? (int)(sign - entry) : 0;
}

static int environment_block__compare(const void *a, const void *b) {
  const wchar_t *first = *(wchar_t *const *)a, *second = *(wchar_t *const *)b;
  return CompareStringOrdinal(first, environment_block__name_length(first), second,
                              environment_block__name_length(second), TRUE) -
         CSTR_EQUAL;
}

static winipc_status environment_block__convert(const char *const *entries,
                                                uint32_t count, wchar_t **wide) {
  winipc_status status = WINIPC_OK;
  for (uint32_t i = 0; !status && i < count; i++) {
    status = text_to_wide(entries[i], "an environment string", &wide[i]);
    if (!status && !environment_block__name_length(wide[i]))
      status = status_fail(WINIPC_E_INVALID_ARGUMENT,
                           "the environment string \"%.100s\" is not NAME=value",
                           entries[i]);
  }
  return status;
}

/* Sorted strings: those with the same name are neighbours. */
static winipc_status environment_block__check_names(wchar_t *const *wide,
                                                    uint32_t count) {
  for (uint32_t i = 1; i < count; i++)
    if (!environment_block__compare(&wide[i - 1], &wide[i]))
      return status_fail(WINIPC_E_INVALID_ARGUMENT,
                         "the environment has \"%.*ls\" twice",
                         environment_block__name_length(wide[i]), wide[i]);
  return WINIPC_OK;
}

static winipc_status environment_block__join(wchar_t *const *wide, uint32_t count,
                                             wchar_t **block) {
  size_t size = 2; /* an empty one has two NULs too */
  for (uint32_t i = 0; i < count; i++) size += wcslen(wide[i]) + 1;
  wchar_t *to = *block = calloc(size, sizeof *to);
  if (!to) return status_no_memory();
  for (uint32_t i = 0; i < count; i++) {
    size_t length = wcslen(wide[i]) + 1;
    memcpy(to, wide[i], length * sizeof *to);
    to += length;
  }
  return WINIPC_OK;
}

winipc_status environment_block_of(const char *const *entries, uint32_t count,
                                   wchar_t **block) {
  *block = NULL;
  wchar_t **wide = calloc((size_t)count + 1, sizeof *wide);
  if (!wide) return status_no_memory();
  winipc_status status = environment_block__convert(entries, count, wide);
  if (!status) {
    qsort(wide, count, sizeof *wide, environment_block__compare);
    status = environment_block__check_names(wide, count);
  }
  if (!status) status = environment_block__join(wide, count, block);
  for (uint32_t i = 0; i < count; i++) free(wide[i]);
  free(wide);
  return status;
}
