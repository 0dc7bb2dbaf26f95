/* Arguments survive the way into a child, whatever is in them; and into a batch file,
 * or they are refused. */
#include "child.h"

/* CommandLineToArgvW, of shell32.dll. */
static wchar_t **take_apart(const wchar_t *line, int *count) {
  wchar_t **(WINAPI * parse)(const wchar_t *, int *) =
      (wchar_t * *(WINAPI *)(const wchar_t *, int *))(void (*)(void))GetProcAddress(
          LoadLibraryA("shell32.dll"), "CommandLineToArgvW");
  return parse(line, count);
}

static winipc_status build(const char *const *arguments, uint32_t count, char **line) {
  *line = (char *)(uintptr_t)1;
  return winipc_command_line(arguments, count, line);
}

/* One line for each argument, "<...>". */
static void child_say_arguments(const char *unused) {
  int count;
  (void)unused;
  binary_streams();
  wchar_t **arguments = take_apart(GetCommandLineW(), &count);
  for (int i = 3; i < count; i++) {
    char text[512];
    WideCharToMultiByte(CP_UTF8, 0, arguments[i], -1, text, sizeof text, NULL, NULL);
    printf("<%s>\n", text);
  }
}

static bool same_text(const wchar_t *wide, const char *text) {
  wchar_t expected[1024];
  MultiByteToWideChar(CP_UTF8, 0, text, -1, expected, 1024);
  return !wcscmp(wide, expected);
}

/* Takes the line apart as CommandLineToArgvW does. */
static void check_round_trip(const char *const *arguments, int count) {
  char *line;
  int found = 0;
  CHECK_OK(build(arguments, (uint32_t)count, &line));
  size_t size = strlen(line) + 1;
  wchar_t *wide = malloc(size * sizeof *wide);
  MultiByteToWideChar(CP_UTF8, 0, line, -1, wide, (int)size);
  wchar_t **parsed = take_apart(wide, &found);
  CHECK_EQUAL(found, count);
  for (int i = 0; i < count && i < found; i++)
    if (!same_text(parsed[i], arguments[i]))
      harness_fail(__FILE__, __LINE__, "argument %d, \"%s\", is \"%ls\" after %s", i,
                   arguments[i], parsed[i], line);
  LocalFree(parsed);
  free(wide);
  winipc_free(line);
}

static const char *const nasty[] = {"program",
                                    "",
                                    "plain",
                                    "two words",
                                    "tab\there",
                                    "\"",
                                    "\"quoted\"",
                                    "\\",
                                    "a\\\\b",
                                    "ends in \\",
                                    "ends in\\",
                                    "\\\"",
                                    "\\\\\" \\\\\"",
                                    "a\"b c\\\\",
                                    "c:\\dir name\\",
                                    "\\\\srv\\x",
                                    " lead",
                                    "trail ",
                                    "%PATH%",
                                    "^&|<>()!",
                                    "gr\xc3\xbc\xc3\x9f",
                                    "\xe6\x97\xa5\xe6\x9c\xac",
                                    "\xf0\x9f\x98\x80",
                                    "a\nb",
                                    "'",
                                    "*"};
enum { NASTY = sizeof nasty / sizeof *nasty };

static void every_nasty_argument_comes_back(void) {
  check_round_trip(nasty, NASTY);
  for (int i = 1; i < NASTY; i++)
    check_round_trip((const char *const[]){"program", nasty[i]}, 2);
}

static void the_programs_name_comes_back(void) {
  check_round_trip((const char *const[]){"C:\\Program Files\\a b\\", "x"}, 2);
  check_round_trip((const char *const[]){"C:\\tab\there", "x"}, 2);
  check_round_trip((const char *const[]){"trailing\\", "x"}, 2);
}

static void random_arguments_come_back(void) {
  static const char alphabet[] = "\\\\\\\"\"\" \ta%^&'\n";
  static char texts[6][24];
  const char *arguments[7] = {"program"};
  srand(20260523);
  for (int round = 0; round < 5000; round++) {
    int count = 1 + rand() % 6;
    for (int i = 0; i < count; i++) {
      size_t length = (size_t)rand() % (sizeof texts[0] - 1);
      for (size_t c = 0; c < length; c++)
        texts[i][c] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
      texts[i][length] = 0;
      arguments[1 + i] = texts[i];
    }
    check_round_trip(arguments, 1 + count);
  }
}

static void bad_lists_are_refused(void) {
  char *line;
  CHECK_STATUS(build(NULL, 1, &line), WINIPC_E_INVALID_ARGUMENT);
  CHECK(!line);
  CHECK_STATUS(build((const char *const[]){"a"}, 0, &line), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(build((const char *const[]){"a", NULL}, 2, &line),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(build((const char *const[]){"a\"b"}, 1, &line),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(build((const char *const[]){"a", "\xc3("}, 2, &line),
               WINIPC_E_INVALID_TEXT);
  CHECK(!line);
  CHECK_STATUS(winipc_command_line((const char *const[]){"a"}, 1, NULL),
               WINIPC_E_INVALID_ARGUMENT);
}

/* ---- through a real process ---- */

static void a_child_gets_the_arguments_as_they_are(void) {
  const char *arguments[3 + NASTY] = {own_path(), "child_say_arguments", ""};
  char expected[1024] = "";
  winipc_process_options options;
  winipc_process *process = NULL;
  winipc_output output = {.size = sizeof output};
  for (int i = 1; i < NASTY; i++) {
    arguments[2 + i] = nasty[i];
    size_t used = strlen(expected);
    snprintf(expected + used, sizeof expected - used, "<%s>\n", nasty[i]);
  }
  winipc_process_options_init(&options);
  options.arguments = arguments;
  options.argument_count = 2 + NASTY;
  options.streams[WINIPC_STDOUT].kind = WINIPC_STREAM_PIPE;
  CHECK_OK(winipc_process_start(&options, &process));
  CHECK_OK(winipc_process_communicate(process, NULL, 0, 0, &output, SOON));
  CHECK(output.out && !strcmp(output.out, expected));
  winipc_free(output.out);
  CHECK_EXIT(process, 0);
}

/* ---- batch files ---- */

static char folder[MAX_PATH]; /* with a blank in its name */

static const char *batch_file(const char *name) {
  static char path[2 * MAX_PATH];
  char temporary[MAX_PATH];
  GetTempPathA(sizeof temporary, temporary);
  snprintf(folder, sizeof folder, "%.200swinipc %lu", temporary, GetCurrentProcessId());
  CreateDirectoryA(folder, NULL);
  snprintf(path, sizeof path, "%s\\%s", folder, name);
  FILE *file = fopen(path, "wb");
  CHECK(file);
  if (!file) return path;
  fputs("@echo off\r\n:next\r\nif [%1]==[] goto end\r\necho %1\r\nshift\r\n"
        "goto next\r\n:end\r\nexit /b 7\r\n",
        file);
  fclose(file);
  return path;
}

static void remove_batch_file(const char *path) {
  DeleteFileA(path);
  RemoveDirectoryA(folder);
}

static winipc_process_options batch_options(const char *const *arguments,
                                            uint32_t count) {
  winipc_process_options options;
  winipc_process_options_init(&options);
  options.arguments = arguments;
  options.argument_count = count;
  options.streams[WINIPC_STDIN].kind = WINIPC_STREAM_NULL;
  options.streams[WINIPC_STDOUT].kind = WINIPC_STREAM_PIPE;
  return options;
}

static void check_batch(const winipc_process_options *options, const char *expected) {
  winipc_process *process = NULL;
  winipc_output output = {.size = sizeof output};
  CHECK_OK(winipc_process_start(options, &process));
  CHECK_OK(winipc_process_communicate(process, NULL, 0, 0, &output, SOON));
  if (!output.out || strcmp(output.out, expected))
    harness_fail(__FILE__, __LINE__, "\"%s\", not \"%s\"",
                 output.out ? (char *)output.out : "NULL", expected);
  winipc_free(output.out);
  CHECK_EXIT(process, 7);
}

static void a_batch_file_gets_its_arguments_quoted(void) {
  const char *path = batch_file("echo.bat");
  const char *arguments[] = {path, "plain", "two words", "a&echo b", "^|<>()", "c:\\"};
  winipc_process_options options = batch_options(arguments, 6);
  const char *expected = "\"plain\"\r\n\"two words\"\r\n\"a&echo b\"\r\n\"^|<>()\"\r\n"
                         "\"c:\\\\\"\r\n";
  check_batch(&options, expected);
  options.application = path;
  arguments[0] = "echo";
  check_batch(&options, expected);
  remove_batch_file(path);
}

static void a_batch_file_is_found_like_a_program(void) {
  static char search_path[1000];
  const char *path = batch_file("winipc-found.cmd");
  DWORD size = GetEnvironmentVariableA("PATH", search_path, sizeof search_path);
  char longer[sizeof search_path + MAX_PATH + 1];
  CHECK(size < sizeof search_path);
  snprintf(longer, sizeof longer, "%s;%s", folder, search_path);
  SetEnvironmentVariableA("PATH", longer);
  const char *arguments[] = {"winipc-found", "x"};
  winipc_process_options options = batch_options(arguments, 2);
  check_batch(&options, "\"x\"\r\n");
  arguments[0] = "winipc-found.cmd";
  check_batch(&options, "\"x\"\r\n");
  arguments[1] = "%PATH%";
  winipc_process *process;
  CHECK_STATUS(winipc_process_start(&options, &process), WINIPC_E_INVALID_ARGUMENT);
  SetEnvironmentVariableA("PATH", search_path);
  CHECK_STATUS(winipc_process_start(&options, &process), WINIPC_E_NOT_FOUND);
  remove_batch_file(path);
}

static void what_cmd_would_reinterpret_is_refused(void) {
  static const char *const bad[][2] = {{"\"&calc.exe", "quote"},
                                       {"%PATH%", "percent"},
                                       {"!PATH!", "exclamation"},
                                       {"a\nb", "control"},
                                       {"a\rb", "control"}};
  const char *path = batch_file("echo.CMD");
  for (int i = 0; i < 5; i++) {
    winipc_process *process = (winipc_process *)(uintptr_t)1;
    const char *arguments[] = {path, "fine", bad[i][0]};
    winipc_process_options options = batch_options(arguments, 3);
    CHECK_STATUS(winipc_process_start(&options, &process), WINIPC_E_INVALID_ARGUMENT);
    CHECK(!process);
    CHECK(last_error_names(bad[i][1]));
    CHECK(last_error_names("argument 2"));
  }
  remove_batch_file(path);
}

static void a_disguised_batch_file_is_refused(void) {
  static const char *const disguises[] = {".", " ", " . .", "::$DATA", ":x"};
  const char *path = batch_file("echo.bat");
  for (int i = 0; i < 5; i++) {
    winipc_process *process;
    char name[2 * MAX_PATH + 16];
    snprintf(name, sizeof name, "%s%s", path, disguises[i]);
    const char *arguments[] = {name, "\"&calc.exe"};
    winipc_process_options options = batch_options(arguments, 2);
    CHECK_STATUS(winipc_process_start(&options, &process), WINIPC_E_INVALID_ARGUMENT);
    options.application = name;
    CHECK_STATUS(winipc_process_start(&options, &process), WINIPC_E_INVALID_ARGUMENT);
  }
  remove_batch_file(path);
}

static void too_much_for_cmd_is_refused(void) {
  static char argument[9000];
  winipc_process *process;
  const char *path = batch_file("echo.bat"), *arguments[] = {path, argument};
  memset(argument, 'x', sizeof argument - 1);
  winipc_process_options options = batch_options(arguments, 2);
  CHECK_STATUS(winipc_process_start(&options, &process), WINIPC_E_TOO_LARGE);
  CHECK(last_error_names("8191"));
  remove_batch_file(path);
}

static void a_batch_file_that_is_not_there_is_named(void) {
  winipc_process *process;
  const char *arguments[] = {"no-such-file.bat"};
  winipc_process_options options = batch_options(arguments, 1);
  CHECK_STATUS(winipc_process_start(&options, &process), WINIPC_E_NOT_FOUND);
  CHECK(last_error_names("no-such-file.bat"));
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(every_nasty_argument_comes_back),
      TEST(the_programs_name_comes_back),
      TEST(random_arguments_come_back),
      TEST(bad_lists_are_refused),
      TEST(a_child_gets_the_arguments_as_they_are),
      TEST(a_batch_file_gets_its_arguments_quoted),
      TEST(a_batch_file_is_found_like_a_program),
      TEST(what_cmd_would_reinterpret_is_refused),
      TEST(a_disguised_batch_file_is_refused),
      TEST(too_much_for_cmd_is_refused),
      TEST(a_batch_file_that_is_not_there_is_named),
      CHILD(child_say_arguments),
      END,
  };
  return harness_main(argc, argv, tests);
}
