#include "core/platform.h"

#include <bcrypt.h>
#include <winternl.h>

#include "core/status.h"

bool platform_is_wine(void) {
  return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

SYSTEM_INFO platform_info(void) {
  SYSTEM_INFO info;
  GetNativeSystemInfo(&info);
  return info;
}

winipc_status platform_random(void *data, uint32_t size) {
  NTSTATUS result = BCryptGenRandom(NULL, data, size, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
  return result >= 0
             ? WINIPC_OK
             : status_from_win32(RtlNtStatusToDosError(result), "BCryptGenRandom");
}
