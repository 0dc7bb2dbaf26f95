/* Shared memory. */
#include "harness.h"

#include <sddl.h>
#include <winioctl.h>

#define MIB (1024ull * 1024)
#define GIB (1024 * MIB)

static winipc_memory_options defaults(void) {
  winipc_memory_options options;
  winipc_memory_options_init(&options);
  return options;
}

static const char *error_text(void) {
  static winipc_error error;
  error.size = sizeof error;
  winipc_last_error(&error);
  return error.text;
}

static winipc_memory *create(const char *name, uint64_t bytes) {
  winipc_memory *memory = NULL;
  CHECK_OK(winipc_memory_create(name, bytes, NULL, &memory));
  return memory;
}

static winipc_memory *open_existing(const char *name) {
  winipc_memory *memory = NULL;
  CHECK_OK(winipc_memory_open(name, NULL, &memory));
  return memory;
}

static char *map(winipc_memory *memory, uint64_t offset, uint64_t bytes) {
  void *address = NULL;
  CHECK_OK(
      winipc_memory_map(memory, offset, bytes, WINIPC_MEMORY_READ_WRITE, &address));
  return address;
}

static winipc_memory_info info_of(winipc_memory *memory) {
  winipc_memory_info info = {.size = sizeof info};
  CHECK_OK(winipc_memory_get_info(memory, &info));
  return info;
}

static void close_memory(winipc_memory *memory) {
  CHECK_OK(winipc_memory_close(memory));
}

static uint64_t section_bytes(HANDLE section) {
  MEMORY_BASIC_INFORMATION region = {0};
  char *view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
  VirtualQuery(view, &region, sizeof region);
  UnmapViewOfFile(view);
  return region.RegionSize;
}

static const char *test_file(const char *stem) {
  static char path[MAX_PATH];
  char folder[MAX_PATH];
  GetTempPathA(sizeof folder, folder);
  snprintf(path, sizeof path, "%s%s-%lu.bin", folder, stem, GetCurrentProcessId());
  return path;
}

/* ---- what is shared ---- */

static void child_answers(const char *name) {
  winipc_memory *memory = open_existing(name);
  char *bytes = map(memory, 0, 0);
  CHECK(!strcmp(bytes, "question"));
  strcpy(bytes, "answer");
  close_memory(memory);
}

static void two_processes_see_the_same_bytes(void) {
  const char *name = harness_name("", "shared");
  winipc_memory *memory = create(name, 100);
  char *bytes = map(memory, 0, 0);
  for (int i = 0; i < 100; i++) CHECK_EQUAL(bytes[i], 0);
  strcpy(bytes, "question");
  CHECK_CHILD(harness_spawn("child_answers", name));
  CHECK(!strcmp(bytes, "answer"));
  close_memory(memory);
}

static void plain_win32_programs_share_memory_that_winipc_made(void) {
  const char *name = harness_name("", "ours");
  winipc_memory *memory = create(name, 5000);
  char *bytes = map(memory, 0, 0);
  HANDLE section = OpenFileMappingA(FILE_MAP_WRITE, FALSE, name);
  char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 5000);
  CHECK(view);
  bytes[0] = 'a';
  bytes[4999] = 'b';
  CHECK_EQUAL(view[0], 'a'); /* byte 0 is byte 0 */
  CHECK_EQUAL(view[4999], 'b');
  view[1] = 'c';
  CHECK_EQUAL(bytes[1], 'c');
  UnmapViewOfFile(view);
  CloseHandle(section);
  close_memory(memory);
}

static void winipc_shares_memory_that_a_plain_win32_program_made(void) {
  const char *name = harness_name("", "theirs");
  HANDLE section =
      CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 5000, name);
  char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
  strcpy(view, "hello");
  winipc_memory *memory = open_existing(name);
  CHECK(!strcmp(map(memory, 0, 0), "hello"));
  winipc_memory_info info = info_of(memory);
  CHECK_EQUAL(info.exact, 0);
  CHECK_EQUAL(info.bytes, 8192); /* whole pages: the system knows no better */
  CHECK_EQUAL(info.creator, 0);
  CHECK_EQUAL(info.created, 0);
  close_memory(memory);
  UnmapViewOfFile(view);
  CloseHandle(section);
}

/* ---- the size ---- */

static void the_exact_size_reaches_other_processes(void) {
  static const uint64_t sizes[] = {1,    100,  4031, 4032,  4033,
                                   4096, 8128, 8129, 12345, 3 * MIB + 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const char *name = harness_name("", "exact");
    winipc_memory *a = create(name, sizes[i]), *b = open_existing(name);
    winipc_memory_info info = info_of(b);
    CHECK_EQUAL(info.exact, 1);
    CHECK_EQUAL(info.bytes, sizes[i]);
    CHECK_EQUAL(info.creator, GetCurrentProcessId());
    CHECK_EQUAL(info.created, 0);
    CHECK_EQUAL(info_of(a).bytes, sizes[i]);
    CHECK_EQUAL(info_of(a).exact, 1);
    CHECK_EQUAL(info_of(a).created, 1);
    close_memory(a);
    close_memory(b);
  }
}

static void an_extra_page_is_only_taken_where_it_is_needed(void) {
  static const uint64_t sizes[][2] = {
      {1, 4096}, {4032, 4096}, {4033, 8192}, {4096, 8192}, {8128, 8192}};
  for (int i = 0; i < 5; i++) {
    void *section;
    winipc_memory *memory = create(NULL, sizes[i][0]);
    CHECK_OK(winipc_native_handle(memory, &section));
    CHECK_EQUAL(section_bytes(section), sizes[i][1]);
    close_memory(memory);
  }
}

static void a_damaged_trailer_is_not_believed(void) {
  const char *name = harness_name("", "damaged");
  winipc_memory *memory = create(name, 100);
  HANDLE section = OpenFileMappingA(FILE_MAP_WRITE, FALSE, name);
  unsigned char *page = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
  for (int i = 4096 - 64; i < 4096 - 4; i++) {
    page[i] ^= 0x10;
    winipc_memory *other = open_existing(name);
    CHECK_EQUAL(info_of(other).exact, 0);
    CHECK_EQUAL(info_of(other).bytes, 4096);
    close_memory(other);
    page[i] ^= 0x10;
  }
  winipc_memory *other = open_existing(name);
  CHECK_EQUAL(info_of(other).exact, 1);
  close_memory(other);
  UnmapViewOfFile(page);
  CloseHandle(section);
  close_memory(memory);
}

static void a_trailer_that_cannot_be_true_is_not_believed(void) {
  const char *name = harness_name("", "lie");
  winipc_memory *small = create(NULL, 100);
  void *from;
  CHECK_OK(winipc_native_handle(small, &from));
  char *page = MapViewOfFile(from, FILE_MAP_READ, 0, 0, 0);
  HANDLE section =
      CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 65536, name);
  char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
  memcpy(view + 65536 - 64, page + 4096 - 64, 64); /* "100 bytes", of 16 pages */
  winipc_memory *memory = open_existing(name);
  CHECK_EQUAL(info_of(memory).exact, 0);
  CHECK_EQUAL(info_of(memory).bytes, 65536);
  close_memory(memory);
  UnmapViewOfFile(view);
  UnmapViewOfFile(page);
  CloseHandle(section);
  close_memory(small);
}

static void a_section_that_is_only_reserved_can_be_opened(void) {
  const char *name = harness_name("", "reserved");
  HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
                                      PAGE_READWRITE | SEC_RESERVE, 0, 1 << 20, name);
  char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
  CHECK(VirtualAlloc(view + 65536, 4096, MEM_COMMIT, PAGE_READWRITE));
  winipc_memory *memory = open_existing(name);
  CHECK_EQUAL(info_of(memory).bytes, 1 << 20);
  CHECK_EQUAL(info_of(memory).exact, 0);
  close_memory(memory);
  UnmapViewOfFile(view);
  CloseHandle(section);
}

/* ---- large ---- */

static void memory_beyond_4_gib_is_reached_at_any_offset(void) {
  const char *name = harness_name("", "large");
  const uint64_t bytes = 5 * GIB + 12345, offset = 4 * GIB + 300 * MIB + 7;
  winipc_memory *a = create(name, bytes), *b = open_existing(name);
  CHECK_EQUAL(info_of(b).bytes, bytes);
  char *high = map(a, offset, 100), *low = map(a, offset - 4 * GIB, 100);
  strcpy(high, "above");
  strcpy(low, "below");
  CHECK(!strcmp(map(b, offset, 6), "above"));
  CHECK(!strcmp(map(b, offset - 4 * GIB, 6), "below"));
  char *whole = map(b, 0, 0);
  CHECK(!strcmp(whole + offset, "above"));
  whole[bytes - 1] = 'z';
  CHECK_EQUAL(*map(a, bytes - 1, 1), 'z');
  close_memory(a);
  close_memory(b);
}

static void a_sparse_file_of_6_gib_is_memory_too(void) {
  const char *path = test_file("winipc-sparse");
  const uint64_t offset = 5 * GIB + 3;
  DWORD done;
  HANDLE file =
      CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 7, NULL, CREATE_ALWAYS, 0, NULL);
  CHECK(DeviceIoControl(file, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &done, NULL));
  winipc_memory_options options = defaults();
  options.path = path;
  winipc_memory *memory;
  CHECK_OK(winipc_memory_create(NULL, 6 * GIB, &options, &memory));
  CHECK_EQUAL(info_of(memory).bytes, 6 * GIB);
  char *view = map(memory, offset, 4);
  memcpy(view, "deep", 4);
  CHECK_OK(winipc_memory_flush(memory, view, 0));
  char read[4];
  LARGE_INTEGER position = {.QuadPart = (LONGLONG)offset};
  CHECK(SetFilePointerEx(file, position, NULL, FILE_BEGIN));
  CHECK(ReadFile(file, read, 4, &done, NULL) && !memcmp(read, "deep", 4));
  close_memory(memory);
  CloseHandle(file);
  DeleteFileA(path);
}

static void large_pages_need_a_privilege_or_are_given(void) {
  winipc_memory_options options = defaults();
  winipc_memory *memory;
  options.large_pages = 1;
  winipc_status status = winipc_memory_create(NULL, 3 * MIB, &options, &memory);
  if (status == WINIPC_E_PRIVILEGE) {
    CHECK(strstr(error_text(), "SeLockMemoryPrivilege"));
    return;
  }
  if (status == WINIPC_E_UNSUPPORTED) return; /* of the machine */
  CHECK_OK(status);
  CHECK_EQUAL(info_of(memory).bytes, 3 * MIB);
  char *whole = map(memory, 0, 0), *part = map(memory, 2 * MIB + 5, 100);
  whole[2 * MIB + 5] = 'p';
  CHECK_EQUAL(*part, 'p');
  close_memory(memory);
}

/* ---- views ---- */

static void a_view_may_begin_at_any_byte_and_there_may_be_many(void) {
  enum { SIZE = 300000, VIEWS = 100 };
  winipc_memory *memory = create(NULL, SIZE);
  char *whole = map(memory, 0, 0), *views[VIEWS];
  for (int i = 0; i < SIZE; i++) whole[i] = (char)(i * 31 >> 3);
  for (int i = 0; i < VIEWS; i++) {
    uint64_t offset = (uint64_t)i * 2999;
    views[i] = map(memory, offset, 100);
    CHECK(!memcmp(views[i], whole + offset, 100));
  }
  for (int i = 0; i < VIEWS; i += 2) CHECK_OK(winipc_memory_unmap(memory, views[i]));
  CHECK_STATUS(winipc_memory_unmap(memory, views[0]), WINIPC_E_INVALID_ARGUMENT);
  for (int i = 1; i < VIEWS; i += 2) CHECK_EQUAL(*views[i], whole[i * 2999]);
  close_memory(memory);
}

static bool is_mapped(const void *address) {
  MEMORY_BASIC_INFORMATION region;
  return VirtualQuery(address, &region, sizeof region) && region.State != MEM_FREE;
}

static void close_and_unmap_end_views(void) {
  winipc_memory *memory = create(NULL, 1 << 20);
  char *a = map(memory, 0, 0), *b = map(memory, 70000, 1), *c = map(memory, 5, 5);
  CHECK(is_mapped(a) && is_mapped(b) && is_mapped(c));
  CHECK_OK(winipc_memory_unmap(memory, b));
  CHECK(!is_mapped(b));
  close_memory(memory);
  CHECK(!is_mapped(a) && !is_mapped(c));
}

static void a_view_past_the_end_is_refused(void) {
  winipc_memory *memory = create(NULL, 5000);
  void *address = (void *)1;
  static const uint64_t ranges[][2] = {{5000, 0}, {5000, 1},       {4999, 2},
                                       {0, 5001}, {UINT64_MAX, 2}, {1, UINT64_MAX}};
  for (int i = 0; i < 6; i++) {
    CHECK_STATUS(winipc_memory_map(memory, ranges[i][0], ranges[i][1],
                                   WINIPC_MEMORY_READ, &address),
                 WINIPC_E_TOO_LARGE);
    CHECK(!address);
  }
  CHECK(strstr(error_text(), "5000"));
  CHECK_OK(winipc_memory_map(memory, 4999, 1, WINIPC_MEMORY_READ, &address));
  close_memory(memory);
}

static DWORD protection_at(const void *address) {
  MEMORY_BASIC_INFORMATION region = {0};
  VirtualQuery(address, &region, sizeof region);
  return region.Protect;
}

static const DWORD protections[] = {
    [WINIPC_MEMORY_READ_WRITE] = PAGE_READWRITE,
    [WINIPC_MEMORY_READ] = PAGE_READONLY,
    [WINIPC_MEMORY_COPY_ON_WRITE] = PAGE_WRITECOPY,
    [WINIPC_MEMORY_EXECUTE_READ] = PAGE_EXECUTE_READ,
    [WINIPC_MEMORY_EXECUTE_READ_WRITE] = PAGE_EXECUTE_READWRITE,
    [WINIPC_MEMORY_EXECUTE_COPY_ON_WRITE] = PAGE_EXECUTE_WRITECOPY};

static bool writes(uint32_t protection) {
  return protection == WINIPC_MEMORY_READ_WRITE ||
         protection == WINIPC_MEMORY_EXECUTE_READ_WRITE;
}

static bool executes(uint32_t protection) {
  return protection >= WINIPC_MEMORY_EXECUTE_READ;
}

static void every_protection_allows_the_views_it_should_and_no_others(void) {
  for (uint32_t has = 0; has < 6; has++) {
    winipc_memory_options options = defaults();
    winipc_memory *memory;
    options.protection = has;
    CHECK_OK(winipc_memory_create(NULL, 5000, &options, &memory));
    CHECK_EQUAL(info_of(memory).bytes, 5000);
    for (uint32_t asked = 0; asked < 6; asked++) {
      void *view;
      bool fits =
          (writes(has) || !writes(asked)) && (executes(has) || !executes(asked));
      CHECK_STATUS(winipc_memory_map(memory, 0, 0, asked, &view),
                   fits ? WINIPC_OK : WINIPC_E_ACCESS_DENIED);
      if (fits) CHECK_EQUAL(protection_at(view), protections[asked]);
    }
    close_memory(memory);
  }
}

static void child_writes_to_a_view_for_reading(const char *name) {
  winipc_memory_options options = defaults();
  winipc_memory *memory;
  void *view;
  options.protection = WINIPC_MEMORY_READ;
  CHECK_OK(winipc_memory_open(name, &options, &memory));
  CHECK_OK(winipc_memory_map(memory, 0, 0, WINIPC_MEMORY_READ, &view));
  CHECK(!strcmp(view, "mine"));
  SetErrorMode(SEM_NOGPFAULTERRORBOX);
  *(volatile char *)view = 'x';
}

static LONG CALLBACK end_by_exception(EXCEPTION_POINTERS *exception) {
  TerminateProcess(GetCurrentProcess(), exception->ExceptionRecord->ExceptionCode);
  return EXCEPTION_CONTINUE_SEARCH;
}

static void child_faults(const char *name) {
  AddVectoredExceptionHandler(1, end_by_exception);
  child_writes_to_a_view_for_reading(name);
}

static void a_view_for_reading_faults_on_a_write(void) {
  const char *name = harness_name("", "readonly");
  winipc_memory *memory = create(name, 100);
  char *bytes = map(memory, 0, 0);
  DWORD code = 0;
  strcpy(bytes, "mine");
  HANDLE child = harness_spawn("child_faults", name);
  WaitForSingleObject(child, INFINITE);
  GetExitCodeProcess(child, &code);
  CloseHandle(child);
  CHECK_EQUAL(code, (DWORD)EXCEPTION_ACCESS_VIOLATION);
  CHECK(!strcmp(bytes, "mine"));
  close_memory(memory);
}

static void what_was_opened_for_reading_cannot_be_mapped_for_writing(void) {
  const char *name = harness_name("", "rights");
  winipc_memory *a = create(name, 100), *b;
  winipc_memory_options options = defaults();
  void *view, *native;
  options.protection = WINIPC_MEMORY_READ;
  CHECK_OK(winipc_memory_open(name, &options, &b));
  CHECK_EQUAL(info_of(b).bytes, 100);
  CHECK_STATUS(winipc_memory_map(b, 0, 0, WINIPC_MEMORY_READ_WRITE, &view),
               WINIPC_E_ACCESS_DENIED);
  CHECK_OK(winipc_native_handle(b, &native));
  CHECK(!MapViewOfFile(native, FILE_MAP_WRITE, 0, 0, 0)); /* the system's word, too */
  close_memory(a);
  close_memory(b);
}

static void copy_on_write_keeps_changes_to_itself(void) {
  winipc_memory *memory = create(NULL, 100);
  char *bytes = map(memory, 0, 0);
  void *view;
  strcpy(bytes, "theirs");
  CHECK_OK(winipc_memory_map(memory, 0, 0, WINIPC_MEMORY_COPY_ON_WRITE, &view));
  strcpy(view, "my own");
  CHECK(!strcmp(bytes, "theirs"));
  CHECK(!strcmp(view, "my own"));
  close_memory(memory);
}

/* ---- files ---- */

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  fputs(text, file);
  fclose(file);
}

static uint64_t file_size(const char *path) {
  WIN32_FILE_ATTRIBUTE_DATA data = {0};
  GetFileAttributesExA(path, GetFileExInfoStandard, &data);
  return (uint64_t)data.nFileSizeHigh << 32 | data.nFileSizeLow;
}

static void a_file_is_memory_of_its_own_size_and_gets_the_changes(void) {
  const char *path = test_file("winipc-file");
  char read[16] = "";
  winipc_memory_options options = defaults();
  winipc_memory *memory;
  write_file(path, "0123456789");
  options.path = path;
  CHECK_OK(winipc_memory_create(NULL, 0, &options, &memory));
  winipc_memory_info info = info_of(memory);
  CHECK_EQUAL(info.bytes, 10);
  CHECK_EQUAL(info.exact, 1);
  char *bytes = map(memory, 3, 0);
  CHECK(!memcmp(bytes, "3456789", 7));
  memcpy(bytes, "abc", 3);
  CHECK_OK(winipc_memory_flush(memory, bytes, 3));
  CHECK_OK(winipc_memory_flush(memory, bytes + 2, 0));
  CHECK_STATUS(winipc_memory_flush(memory, bytes, 8), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_memory_flush(memory, bytes - 1, 1), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_memory_flush(memory, NULL, 1), WINIPC_E_INVALID_ARGUMENT);
  close_memory(memory);
  FILE *file = fopen(path, "rb");
  CHECK_EQUAL(fread(read, 1, sizeof read, file), 10); /* no trailer in it */
  CHECK(!strcmp(read, "012abc6789"));
  fclose(file);
  DeleteFileA(path);
}

static void a_named_file_memory_is_opened_by_its_name_with_its_size(void) {
  const char *path = test_file("winipc-named"), *name = harness_name("", "filed");
  winipc_memory_options options = defaults();
  winipc_memory *a, *b;
  int32_t created;
  options.path = path;
  CHECK_OK(
      winipc_memory_create_or_open(name, 5000, &options, NULL, NULL, 0, &created, &a));
  CHECK_EQUAL(created, 1);
  CHECK_EQUAL(file_size(path), 5000); /* made, and extended */
  b = open_existing(name);
  CHECK_EQUAL(info_of(b).bytes, 5000);
  CHECK_EQUAL(info_of(b).exact, 1);
  strcpy(map(a, 4990, 10), "the end");
  CHECK(!strcmp(map(b, 4990, 0), "the end"));
  close_memory(b);
  CHECK_OK(
      winipc_memory_create_or_open(name, 0, &options, NULL, NULL, 0, &created, &b));
  CHECK_EQUAL(created, 0);
  close_memory(b);
  close_memory(a);
  CHECK_OK(winipc_memory_create(NULL, 100, &options, &a)); /* a part of it */
  CHECK_EQUAL(info_of(a).bytes, 100);
  close_memory(a);
  CHECK_EQUAL(file_size(path), 5000);
  DeleteFileA(path);
}

static void files_that_cannot_be_mapped_are_told_apart(void) {
  const char *path = test_file("winipc-empty");
  winipc_memory_options options = defaults();
  winipc_memory *memory = (winipc_memory *)1;
  options.path = path;
  CHECK_STATUS(winipc_memory_create(NULL, 0, &options, &memory), WINIPC_E_NOT_FOUND);
  CHECK(!memory);
  CHECK(GetFileAttributesA(path) == INVALID_FILE_ATTRIBUTES); /* and was not made */
  write_file(path, "");
  CHECK_STATUS(winipc_memory_create(NULL, 0, &options, &memory), WINIPC_E_EMPTY_FILE);
  CHECK(strstr(error_text(), "zero length"));
  options.protection = WINIPC_MEMORY_READ;
  CHECK_STATUS(winipc_memory_create(NULL, 0, &options, &memory), WINIPC_E_EMPTY_FILE);
  write_file(path, "ten bytes!");
  CHECK_STATUS(winipc_memory_create(NULL, 11, &options, &memory), WINIPC_E_TOO_LARGE);
  CHECK_OK(winipc_memory_create(NULL, 10, &options, &memory));
  close_memory(memory);
  CHECK_STATUS(winipc_memory_open("x", &options, &memory), WINIPC_E_INVALID_ARGUMENT);
  options.large_pages = 1;
  CHECK_STATUS(winipc_memory_create(NULL, 10, &options, &memory),
               WINIPC_E_INVALID_ARGUMENT);
  DeleteFileA(path);
}

/* ---- names ---- */

static void create_and_open_do_as_they_say(void) {
  const char *name = harness_name("", "modes");
  winipc_memory *a, *b = (winipc_memory *)1;
  int32_t created = 9;
  CHECK_STATUS(winipc_memory_open(name, NULL, &b), WINIPC_E_NOT_FOUND);
  CHECK(!b);
  CHECK(strstr(error_text(), name));
  CHECK_OK(winipc_memory_create_or_open(name, 100, NULL, NULL, NULL, 0, &created, &a));
  CHECK_EQUAL(created, 1);
  CHECK_STATUS(winipc_memory_create(name, 100, NULL, &b), WINIPC_E_EXISTS);
  CHECK_OK(winipc_memory_create_or_open(name, 60, NULL, NULL, NULL, 0, &created, &b));
  CHECK_EQUAL(created, 0);
  CHECK_EQUAL(info_of(b).bytes, 100); /* less is fine, more is not there */
  close_memory(b);
  CHECK_STATUS(winipc_memory_create_or_open(name, 101, NULL, NULL, NULL, 0, NULL, &b),
               WINIPC_E_TOO_LARGE);
  CHECK(strstr(error_text(), "exists"));
  close_memory(a);
  CHECK_STATUS(winipc_memory_open(name, NULL, &b), WINIPC_E_NOT_FOUND);
}

static void a_scope_may_stand_in_the_options_or_in_the_name(void) {
  char local[160], global[160];
  const char *name = harness_name("", "scope");
  winipc_memory_options options = defaults();
  winipc_memory *a, *b;
  snprintf(local, sizeof local, "Local\\%s", name);
  snprintf(global, sizeof global, "Global\\%s", name);
  a = create(name, 10);
  b = open_existing(local);
  close_memory(b);
  CHECK_STATUS(winipc_memory_open(global, NULL, &b), WINIPC_E_NOT_FOUND);
  options.scope = WINIPC_SCOPE_GLOBAL;
  CHECK_OK(winipc_memory_create(name, 20, &options, &b));
  close_memory(a);
  a = open_existing(global);
  CHECK_EQUAL(info_of(a).bytes, 20);
  close_memory(a);
  close_memory(b);
}

static void bad_names_are_refused_with_a_reason(void) {
  const char *name = harness_name("", "event");
  winipc_memory *memory;
  CHECK_STATUS(winipc_memory_create("a\\b", 1, NULL, &memory),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK(strstr(error_text(), "backslash"));
  CHECK_STATUS(winipc_memory_open("", NULL, &memory), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_memory_open(NULL, NULL, &memory), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_memory_create("\xC3(", 1, NULL, &memory), WINIPC_E_INVALID_TEXT);
  HANDLE event = CreateEventA(NULL, FALSE, FALSE, name);
  CHECK_STATUS(winipc_memory_create(name, 1, NULL, &memory), WINIPC_E_EXISTS);
  CHECK(strstr(error_text(), "another kind"));
  CHECK_STATUS(winipc_memory_open(name, NULL, &memory), WINIPC_E_EXISTS);
  CloseHandle(event);
}

static void sizes_that_cannot_be_are_refused(void) {
  winipc_memory *memory = (winipc_memory *)1;
  CHECK_STATUS(winipc_memory_create(NULL, 0, NULL, &memory), WINIPC_E_INVALID_ARGUMENT);
  CHECK(!memory);
  winipc_status status = winipc_memory_create(NULL, 1ull << 62, NULL, &memory);
  if (status) { /* Wine 10 promises even that, as long as nobody touches it */
    CHECK_STATUS(status, WINIPC_E_TOO_LARGE);
    CHECK(strstr(error_text(), "no room"));
  }
  CHECK_OK(winipc_memory_close(memory));
  CHECK_STATUS(winipc_memory_create(NULL, INT64_MAX, NULL, &memory),
               WINIPC_E_TOO_LARGE);
  CHECK_STATUS(winipc_memory_create(NULL, UINT64_MAX, NULL, &memory),
               WINIPC_E_TOO_LARGE);
}

static void the_dacl_is_what_was_asked_and_is_heeded(void) {
  const char *name = harness_name("", "dacl");
  winipc_memory_options options = defaults();
  winipc_memory *a, *b;
  char security[512];
  DWORD size;
  options.sddl = "D:P(A;;0x4;;;WD)"; /* SECTION_MAP_READ, not even the size */
  CHECK_OK(winipc_memory_create(name, 100, &options, &a));
  CHECK_STATUS(winipc_memory_open(name, NULL, &b), WINIPC_E_ACCESS_DENIED);
  options.sddl = NULL;
  options.protection = WINIPC_MEMORY_READ;
  CHECK_OK(winipc_memory_open(name, &options, &b));
  CHECK_EQUAL(info_of(b).bytes, 100); /* which is found all the same */
  CHECK_EQUAL(info_of(b).exact, 1);
  close_memory(b);
  close_memory(a);
  a = create(name, 100);
  HANDLE native = OpenFileMappingA(READ_CONTROL, FALSE, name);
  char *sddl = NULL;
  CHECK(GetKernelObjectSecurity(native, DACL_SECURITY_INFORMATION, security,
                                sizeof security, &size));
  CHECK(ConvertSecurityDescriptorToStringSecurityDescriptorA(
      security, 1, DACL_SECURITY_INFORMATION, &sddl, NULL));
  CHECK(strstr(sddl, "(A;") && strstr(sddl, ";;;S-1-5-21") && !strstr(sddl, "WD)"));
  LocalFree(sddl);
  CloseHandle(native);
  close_memory(a);
}

/* ---- handles ---- */

static void a_handle_with_no_right_but_to_read_can_be_adopted(void) {
  winipc_memory *a = create(NULL, 5000), *b;
  void *native;
  HANDLE copy;
  strcpy(map(a, 0, 0), "read me");
  CHECK_OK(winipc_native_handle(a, &native));
  CHECK(DuplicateHandle(GetCurrentProcess(), native, GetCurrentProcess(), &copy,
                        FILE_MAP_READ, FALSE, 0));
  CHECK_OK(winipc_memory_from_handle(copy, NULL, &b));
  CHECK_EQUAL(info_of(b).bytes, 5000);
  CHECK_EQUAL(info_of(b).exact, 1);
  CHECK_EQUAL(info_of(b).created, 0);
  void *view;
  CHECK_OK(winipc_memory_map(b, 0, 0, WINIPC_MEMORY_READ, &view));
  CHECK(!strcmp(view, "read me"));
  CHECK_STATUS(winipc_memory_map(b, 0, 0, WINIPC_MEMORY_READ_WRITE, &view),
               WINIPC_E_ACCESS_DENIED);
  CHECK_OK(winipc_native_handle(b, &native));
  CHECK(native == copy);
  close_memory(a);
  close_memory(b);
}

static void the_handle_of_a_file_that_may_only_be_read_can_be_adopted(void) {
  const char *path = test_file("winipc-adopt");
  winipc_memory_options options = defaults();
  winipc_memory *a, *b;
  void *native;
  HANDLE copy;
  write_file(path, "0123456789");
  options.path = path;
  CHECK_OK(winipc_memory_create(NULL, 0, &options, &a));
  CHECK_OK(winipc_native_handle(a, &native));
  CHECK(DuplicateHandle(GetCurrentProcess(), native, GetCurrentProcess(), &copy,
                        FILE_MAP_READ, FALSE, 0));
  CHECK_OK(winipc_memory_from_handle(copy, NULL, &b));
  CHECK_EQUAL(info_of(b).exact, 0); /* such a handle does not tell */
  CHECK_EQUAL(info_of(b).bytes, 4096);
  void *view;
  CHECK_OK(winipc_memory_map(b, 0, 0, WINIPC_MEMORY_READ, &view));
  CHECK(!strcmp(view, "0123456789"));
  close_memory(a);
  close_memory(b);
  DeleteFileA(path);
}

static void child_inherits(const char *number) {
  winipc_memory *memory;
  HANDLE handle = (HANDLE)(uintptr_t)strtoull(number, NULL, 10);
  CHECK_OK(winipc_memory_from_handle(handle, NULL, &memory));
  CHECK_EQUAL(info_of(memory).bytes, 777);
  strcpy(map(memory, 0, 0), "inherited");
}

static void unnamed_memory_is_inherited_when_it_shall(void) {
  winipc_memory_options options = defaults();
  winipc_memory *memory;
  void *native;
  char number[32];
  DWORD flags;
  options.inheritable = 1;
  CHECK_OK(winipc_memory_create(NULL, 777, &options, &memory));
  CHECK_OK(winipc_native_handle(memory, &native));
  snprintf(number, sizeof number, "%llu", (unsigned long long)(uintptr_t)native);
  CHECK_CHILD(harness_spawn("child_inherits", number));
  CHECK(!strcmp(map(memory, 0, 0), "inherited"));
  close_memory(memory);
  memory = create(NULL, 1);
  CHECK_OK(winipc_native_handle(memory, &native));
  CHECK(GetHandleInformation(native, &flags) && !(flags & HANDLE_FLAG_INHERIT));
  close_memory(memory);
}

static void what_memory_does_not_know_it_refuses(void) {
  winipc_memory_options o = defaults();
  winipc_memory *memory = (winipc_memory *)1;
  winipc_event *event;
  HANDLE native = CreateEventW(NULL, FALSE, FALSE, NULL);
  void *view = (void *)1;
  CHECK_STATUS(winipc_memory_options_init(NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_memory_create(NULL, 1, NULL, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_memory_open("x", NULL, NULL), WINIPC_E_INVALID_ARGUMENT);
  uint32_t *members[] = {&o.protection, &o.scope, &o.inheritable, &o.large_pages,
                         &o.security};
  for (int i = 0; i < 5; i++) {
    *members[i] = 77;
    CHECK_STATUS(winipc_memory_create(NULL, 1, &o, &memory), WINIPC_E_INVALID_ARGUMENT);
    CHECK_STATUS(winipc_memory_open("x", &o, &memory), WINIPC_E_INVALID_ARGUMENT);
    *members[i] = 0;
  }
  CHECK_STATUS(winipc_memory_from_handle(native, NULL, &memory),
               WINIPC_E_INVALID_HANDLE);
  CHECK(!memory);
  CHECK_STATUS(winipc_memory_from_handle(NULL, NULL, &memory), WINIPC_E_INVALID_HANDLE);
  CHECK(CloseHandle(native)); /* it stayed ours */
  memory = create(NULL, 1);
  CHECK_STATUS(winipc_memory_map(memory, 0, 0, 6, &view), WINIPC_E_INVALID_ARGUMENT);
  CHECK(!view);
  CHECK_STATUS(winipc_memory_map(memory, 0, 0, 0, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_memory_unmap(memory, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_memory_get_info(memory, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_event_open(NULL, 0, 0, NULL, NULL, &event));
  CHECK_STATUS(winipc_memory_map((winipc_memory *)event, 0, 0, 0, &view),
               WINIPC_E_INVALID_HANDLE);
  CHECK_OK(winipc_event_close(event));
  CHECK_OK(winipc_cancel(memory));
  close_memory(memory);
  CHECK_STATUS(winipc_memory_map(memory, 0, 0, 0, &view), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_memory_close(memory), WINIPC_E_INVALID_HANDLE);
  close_memory(NULL);
}

/* ---- the initialiser ---- */

static volatile LONG initialised;

static winipc_status WINIPC_CALL initialise(void *address, uint64_t bytes, void *user) {
  CHECK_EQUAL(bytes, 1000);
  strcpy(address, user);
  InterlockedIncrement(&initialised);
  return WINIPC_OK;
}

static winipc_status WINIPC_CALL fail(void *address, uint64_t bytes, void *user) {
  (void)address, (void)bytes, (void)user;
  return WINIPC_E_LIMIT;
}

static winipc_status create_or_open(const char *name, winipc_memory_initialise call,
                                    void *user, uint32_t timeout,
                                    winipc_memory **memory) {
  *memory = NULL;
  return winipc_memory_create_or_open(name, 1000, NULL, call, user, timeout, NULL,
                                      memory);
}

static void the_initialiser_runs_once_for_the_life_of_the_memory(void) {
  const char *name = harness_name("", "once");
  winipc_memory *a, *b;
  initialised = 0;
  CHECK_OK(create_or_open(name, initialise, "first", SOON, &a));
  CHECK_OK(create_or_open(name, initialise, "second", SOON, &b));
  CHECK_EQUAL(initialised, 1);
  CHECK(!strcmp(map(b, 0, 0), "first"));
  close_memory(a);
  close_memory(b);
  CHECK_OK(create_or_open(name, initialise, "new life", WINIPC_NO_WAIT, &a));
  CHECK_EQUAL(initialised, 2);
  close_memory(a);
  CHECK_OK(create_or_open(NULL, initialise, "unnamed", WINIPC_NO_WAIT, &a));
  CHECK(!strcmp(map(a, 0, 0), "unnamed"));
  close_memory(a);
}

static void an_initialiser_may_also_come_later(void) {
  const char *name = harness_name("", "later");
  winipc_memory *a = create(name, 1000), *b;
  CHECK_OK(create_or_open(name, initialise, "late", SOON, &b));
  CHECK(!strcmp(map(a, 0, 0), "late"));
  close_memory(a);
  close_memory(b);
}

static void when_an_initialiser_fails_the_next_one_runs(void) {
  const char *name = harness_name("", "failing");
  winipc_memory *keeper = create(name, 1000), *a;
  CHECK_STATUS(create_or_open(name, fail, NULL, SOON, &a), WINIPC_E_LIMIT);
  CHECK(!a);
  CHECK(strstr(error_text(), "initialiser"));
  CHECK_OK(create_or_open(name, initialise, "repaired", SOON, &a));
  CHECK(!strcmp(map(keeper, 0, 0), "repaired"));
  close_memory(a);
  close_memory(keeper);
}

static winipc_status WINIPC_CALL never_end(void *address, uint64_t bytes, void *user) {
  (void)bytes, (void)user;
  strcpy(address, "half done");
  Sleep(INFINITE);
  return WINIPC_OK;
}

static void child_never_ends(const char *name) {
  winipc_memory *memory;
  CHECK_OK(create_or_open(name, never_end, NULL, SOON, &memory));
}

/* A child that is in its initialiser, and the memory that it works on. */
static HANDLE spawn_initialiser(const char *name, winipc_memory **memory) {
  *memory = create(name, 1000);
  volatile char *bytes = map(*memory, 0, 0);
  HANDLE child = harness_spawn("child_never_ends", name);
  while (!bytes[8]) Sleep(5);
  return child;
}

typedef struct waiting {
  const char *name;
  winipc_cancel_token *token;
  winipc_status status;
  winipc_memory *memory;
} waiting;

static DWORD WINAPI wait_for_initialiser(void *argument) {
  waiting *w = argument;
  if (w->token) winipc_cancel_use(w->token);
  w->status =
      create_or_open(w->name, initialise, "by another", WINIPC_FOREVER, &w->memory);
  return 0;
}

static void when_an_initialiser_is_killed_the_next_one_runs_and_only_that(void) {
  enum { THREADS = 3 };
  const char *name = harness_name("", "killed");
  winipc_memory *memory;
  waiting waits[THREADS];
  HANDLE threads[THREADS], child = spawn_initialiser(name, &memory);
  initialised = 0;
  for (int i = 0; i < THREADS; i++) {
    waits[i] = (waiting){.name = name};
    threads[i] = CreateThread(NULL, 0, wait_for_initialiser, &waits[i], 0, NULL);
  }
  Sleep(100);
  CHECK_EQUAL(initialised, 0);
  TerminateProcess(child, 1);
  CHECK_EQUAL(WaitForMultipleObjects(THREADS, threads, TRUE, SOON), 0);
  for (int i = 0; i < THREADS; i++) {
    CHECK_OK(waits[i].status);
    CHECK_OK(winipc_memory_close(waits[i].memory));
    CloseHandle(threads[i]);
  }
  CHECK_EQUAL(initialised, 1);
  CHECK(!strcmp(map(memory, 0, 0), "by another"));
  close_memory(memory);
  CloseHandle(child);
}

static void the_wait_for_an_initialiser_ends_in_time_or_by_a_token(void) {
  const char *name = harness_name("", "endless");
  winipc_memory *memory, *other;
  waiting w = {.name = name};
  HANDLE child = spawn_initialiser(name, &memory);
  CHECK_STATUS(create_or_open(name, initialise, "", WINIPC_NO_WAIT, &other),
               WINIPC_E_TIMEOUT);
  CHECK_STATUS(create_or_open(name, initialise, "", 50, &other), WINIPC_E_TIMEOUT);
  CHECK(!other);
  CHECK_OK(
      create_or_open(name, NULL, NULL, 0, &other)); /* who does not care, need not */
  close_memory(other);
  CHECK_STATUS(winipc_memory_create(name, 1, NULL, &other), WINIPC_E_EXISTS);
  CHECK_OK(winipc_cancel_create(&w.token));
  HANDLE thread = CreateThread(NULL, 0, wait_for_initialiser, &w, 0, NULL);
  Sleep(50);
  CHECK_OK(winipc_cancel_fire(w.token));
  CHECK_EQUAL(WaitForSingleObject(thread, SOON), WAIT_OBJECT_0);
  CHECK_STATUS(w.status, WINIPC_E_CANCELLED);
  CHECK_OK(winipc_cancel_close(w.token));
  CloseHandle(thread);
  TerminateProcess(child, 1);
  CloseHandle(child);
  close_memory(memory);
}

static winipc_status WINIPC_CALL enter_again(void *address, uint64_t bytes,
                                             void *user) {
  winipc_memory *memory;
  (void)address, (void)bytes;
  CHECK_STATUS(create_or_open(user, initialise, "", SOON, &memory), WINIPC_E_DEADLOCK);
  CHECK_OK(create_or_open(user, NULL, NULL, SOON, &memory));
  close_memory(memory);
  return WINIPC_OK;
}

static void an_initialiser_that_waits_for_itself_is_told(void) {
  const char *name = harness_name("", "recursive");
  winipc_memory *memory;
  CHECK_OK(create_or_open(name, enter_again, (void *)name, SOON, &memory));
  close_memory(memory);
}

static winipc_status WINIPC_CALL count_slowly(void *address, uint64_t bytes,
                                              void *user) {
  (void)bytes, (void)user;
  LONG before = *(volatile LONG *)address;
  Sleep(30);
  *(volatile LONG *)address = before + 1;
  return WINIPC_OK;
}

static void child_joins(const char *name) {
  winipc_memory *memory;
  HANDLE go = OpenEventA(SYNCHRONIZE, FALSE, "winipc-test-go");
  WaitForSingleObject(go, SOON);
  CHECK_OK(create_or_open(name, count_slowly, NULL, SOON, &memory));
  if (!memory) return;
  volatile LONG *bytes = (LONG *)map(memory, 0, 0);
  CHECK_EQUAL(bytes[0], 1);
  CHECK_EQUAL(info_of(memory).exact, 1);
  InterlockedIncrement(&bytes[1]);
  for (int i = 0; i < 1000 && bytes[1] < 8; i++) Sleep(5); /* it lives so long */
  CHECK_EQUAL(bytes[1], 8);
  CHECK_EQUAL(bytes[0], 1);
}

static void eight_processes_at_once_run_one_initialiser(void) {
  enum { CHILDREN = 8 };
  const char *name = harness_name("", "race");
  HANDLE go = CreateEventA(NULL, TRUE, FALSE, "winipc-test-go"), children[CHILDREN];
  for (int i = 0; i < CHILDREN; i++) children[i] = harness_spawn("child_joins", name);
  Sleep(300);
  SetEvent(go);
  for (int i = 0; i < CHILDREN; i++) CHECK_CHILD(children[i]);
  CloseHandle(go);
}

static void an_initialiser_that_cannot_be_noted_is_refused(void) {
  const char *path = test_file("winipc-noted"), *name = harness_name("", "noted");
  winipc_memory_options options = defaults();
  winipc_memory *memory;
  options.protection = WINIPC_MEMORY_READ;
  CHECK_STATUS(winipc_memory_create_or_open(NULL, 1000, &options, initialise, "", 0,
                                            NULL, &memory),
               WINIPC_E_INVALID_ARGUMENT);
  options = defaults();
  options.path = path;
  CHECK_STATUS(winipc_memory_create_or_open(NULL, 1000, &options, initialise, "", 0,
                                            NULL, &memory),
               WINIPC_E_UNSUPPORTED);
  DeleteFileA(path);
  HANDLE section =
      CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 5000, name);
  CHECK_STATUS(create_or_open(name, initialise, "", SOON, &memory),
               WINIPC_E_UNSUPPORTED);
  CHECK_OK(create_or_open(name, NULL, NULL, SOON, &memory));
  close_memory(memory);
  CloseHandle(section);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(two_processes_see_the_same_bytes),
      TEST(plain_win32_programs_share_memory_that_winipc_made),
      TEST(winipc_shares_memory_that_a_plain_win32_program_made),
      TEST(the_exact_size_reaches_other_processes),
      TEST(an_extra_page_is_only_taken_where_it_is_needed),
      TEST(a_damaged_trailer_is_not_believed),
      TEST(a_trailer_that_cannot_be_true_is_not_believed),
      TEST(a_section_that_is_only_reserved_can_be_opened),
      TEST(memory_beyond_4_gib_is_reached_at_any_offset),
      TEST(a_sparse_file_of_6_gib_is_memory_too),
      TEST(large_pages_need_a_privilege_or_are_given),
      TEST(a_view_may_begin_at_any_byte_and_there_may_be_many),
      TEST(close_and_unmap_end_views),
      TEST(a_view_past_the_end_is_refused),
      TEST(every_protection_allows_the_views_it_should_and_no_others),
      TEST(a_view_for_reading_faults_on_a_write),
      TEST(what_was_opened_for_reading_cannot_be_mapped_for_writing),
      TEST(copy_on_write_keeps_changes_to_itself),
      TEST(a_file_is_memory_of_its_own_size_and_gets_the_changes),
      TEST(a_named_file_memory_is_opened_by_its_name_with_its_size),
      TEST(files_that_cannot_be_mapped_are_told_apart),
      TEST(create_and_open_do_as_they_say),
      TEST(a_scope_may_stand_in_the_options_or_in_the_name),
      TEST(bad_names_are_refused_with_a_reason),
      TEST(sizes_that_cannot_be_are_refused),
      TEST(the_dacl_is_what_was_asked_and_is_heeded),
      TEST(a_handle_with_no_right_but_to_read_can_be_adopted),
      TEST(the_handle_of_a_file_that_may_only_be_read_can_be_adopted),
      TEST(unnamed_memory_is_inherited_when_it_shall),
      TEST(what_memory_does_not_know_it_refuses),
      TEST(the_initialiser_runs_once_for_the_life_of_the_memory),
      TEST(an_initialiser_may_also_come_later),
      TEST(when_an_initialiser_fails_the_next_one_runs),
      TEST(when_an_initialiser_is_killed_the_next_one_runs_and_only_that),
      TEST(the_wait_for_an_initialiser_ends_in_time_or_by_a_token),
      TEST(an_initialiser_that_waits_for_itself_is_told),
      TEST(eight_processes_at_once_run_one_initialiser),
      TEST(an_initialiser_that_cannot_be_noted_is_refused),
      CHILD(child_answers),
      CHILD(child_faults),
      CHILD(child_inherits),
      CHILD(child_never_ends),
      CHILD(child_joins),
      END};
  return harness_main(argc, argv, tests);
}
