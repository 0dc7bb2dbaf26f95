#include "core/structure.h"

#include "core/status.h"

enum { STRUCTURE__SMALLEST = sizeof(uint32_t), STRUCTURE__LARGEST = 4096 };

static uint32_t structure__size(const void *structure) {
  uint32_t size;
  memcpy(&size, structure, sizeof size);
  return size;
}

static winipc_status structure__check_size(uint32_t size) {
  if (size >= STRUCTURE__SMALLEST && size <= STRUCTURE__LARGEST) return WINIPC_OK;
  return status_fail(WINIPC_E_INVALID_ARGUMENT,
                     "the structure's size member is %u: call its _init function",
                     size);
}

winipc_status structure_read(void *known, uint32_t known_size, const void *options) {
  if (!options) return WINIPC_OK;
  uint32_t size = structure__size(options);
  winipc_status status = structure__check_size(size);
  if (status) return status;
  for (uint32_t i = known_size; i < size; i++)
    if (((const char *)options)[i])
      return status_fail(WINIPC_E_INVALID_ARGUMENT,
                         "an option is set that this version does not know");
  memcpy(known, options, size < known_size ? size : known_size);
  memcpy(known, &known_size, sizeof known_size);
  return WINIPC_OK;
}

winipc_status structure_write(void *result, const void *known, uint32_t known_size) {
  if (!result) return status_fail(WINIPC_E_INVALID_ARGUMENT, "the result is NULL");
  uint32_t size = structure__size(result);
  winipc_status status = structure__check_size(size);
  if (status) return status;
  memset((char *)result + sizeof size, 0, size - sizeof size);
  uint32_t shared = size < known_size ? size : known_size;
  memcpy((char *)result + sizeof size, (const char *)known + sizeof size,
         shared - sizeof size);
  return WINIPC_OK;
}
