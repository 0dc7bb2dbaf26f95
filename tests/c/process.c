/* Starting programs, watching them and ending them. */
#include "child.h"

static char folder[MAX_PATH];

static const char *in_folder(const char *name) {
  static char paths[4][2 * MAX_PATH];
  static int next;
  char *path = paths[next++ % 4];
  if (!*folder) GetTempPathA(sizeof folder, folder);
  snprintf(path, sizeof paths[0], "%swinipc-%lu-%s", folder, GetCurrentProcessId(),
           name);
  return path;
}

static const char *contents(const char *path) {
  static char text[256];
  FILE *file = fopen(path, "rb");
  size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
  text[size] = 0;
  if (file) fclose(file);
  return text;
}

/* ---- children ---- */

static void child_exit(const char *code) {
  exit(atoi(code));
}

static void child_sleep(const char *milliseconds) {
  Sleep((DWORD)atoi(milliseconds));
}

static void child_say(const char *text) {
  printf("%s", text);
}

static void child_say_twice(const char *text) {
  setvbuf(stdout, NULL, _IONBF, 0);
  printf("out %s,", text);
  fprintf(stderr, "error %s", text);
}

/* As programs are that know the C runtime only. */
static void child_greet(const char *argument) {
  char name[64];
  (void)argument;
  while (fgets(name, sizeof name, stdin)) {
    name[strcspn(name, "\n")] = 0;
    printf("hello %s\n", name);
    fflush(stdout);
  }
  printf("the end\n");
}

static void child_echo(const char *argument) {
  char block[512];
  (void)argument;
  binary_streams();
  for (int got; (got = _read(0, block, sizeof block)) > 0;)
    CHECK_EQUAL(_write(1, block, (unsigned)got), got);
}

static void child_say_variable(const char *name) {
  const char *value = getenv(name);
  printf("%s", value ? value : "none");
}

static void child_say_directory(const char *argument) {
  char path[MAX_PATH];
  (void)argument;
  GetCurrentDirectoryA(sizeof path, path);
  printf("%s", path);
}

/* Whether the value is an event, and sets it. */
static void child_set_event(const char *value) {
  printf("%s", SetEvent((HANDLE)(uintptr_t)strtoull(value, NULL, 10)) ? "set" : "not");
}

/* Starts a grandchild that would run for long, tells its pid, and waits with it. */
static void child_have_child(const char *argument) {
  HANDLE grandchild = harness_spawn("child_sleep", "30000");
  (void)argument;
  printf("%lu\n", GetProcessId(grandchild));
  fflush(stdout);
  WaitForSingleObject(grandchild, INFINITE);
}

/* Starts a grandchild whose life hangs on this child, tells its pid, and sleeps. */
static void child_keep_child(const char *argument) {
  uint32_t pid = 0;
  program *p = child_program("child_sleep", "30000", WINIPC_STREAM_NULL,
                             WINIPC_STREAM_NULL, WINIPC_STREAM_NULL);
  (void)argument;
  p->options.kill_with_parent = 1;
  CHECK_OK(winipc_process_pid(start(p), &pid));
  printf("%u\n", pid);
  fflush(stdout);
  Sleep(30000);
}

static volatile LONG broken;

static BOOL WINAPI note_break(DWORD event) {
  if (event == CTRL_BREAK_EVENT) InterlockedExchange(&broken, 1);
  return TRUE;
}

static void child_await_break(const char *argument) {
  (void)argument;
  SetConsoleCtrlHandler(note_break, TRUE);
  printf("ready\n");
  fflush(stdout);
  for (int i = 0; i < 500 && !broken; i++) Sleep(10);
  exit(broken ? 5 : 6);
}

static void child_break_child(const char *argument) {
  char ready[16];
  size_t size;
  program *p = child_program("child_await_break", argument, WINIPC_STREAM_NULL,
                             WINIPC_STREAM_PIPE, WINIPC_STREAM_NULL);
  p->options.creation_flags = CREATE_NEW_PROCESS_GROUP;
  winipc_process *process = start(p);
  winipc_connection *out = take(process, WINIPC_STDOUT);
  CHECK_OK(winipc_receive(out, ready, sizeof ready, &size, SOON));
  CHECK_OK(winipc_process_interrupt(process));
  CHECK_EXIT(process, 5);
}

/* ---- helpers of the tests ---- */

static program *quiet_child(const char *child, const char *argument) {
  return child_program(child, argument, WINIPC_STREAM_NULL, WINIPC_STREAM_NULL,
                       WINIPC_STREAM_INHERIT);
}

static program *saying_child(const char *child, const char *argument) {
  return child_program(child, argument, WINIPC_STREAM_NULL, WINIPC_STREAM_PIPE,
                       WINIPC_STREAM_INHERIT);
}

static void check_refused(const winipc_process_options *options, winipc_status expected,
                          const char *because) {
  winipc_process *process = (winipc_process *)(uintptr_t)1;
  CHECK_STATUS(winipc_process_start(options, &process), expected);
  CHECK(!process);
  if (!last_error_names(because)) CHECK_STATUS(WINIPC_OK, !WINIPC_OK);
}

/* One line of a child's output. */
static void receive_line(winipc_process *process, char *line, size_t capacity) {
  winipc_connection *out = take(process, WINIPC_STDOUT);
  size_t size = 0;
  CHECK_OK(winipc_receive(out, line, capacity - 1, &size, SOON));
  line[size] = 0;
  line[strcspn(line, "\r\n")] = 0;
  CHECK_OK(winipc_connection_close(out));
}

static winipc_process *open_told(winipc_process *teller) {
  char line[64];
  winipc_process *told = NULL;
  receive_line(teller, line, sizeof line);
  CHECK_OK(winipc_process_open((uint32_t)atoi(line), &told));
  return told;
}

/* ---- starting and ending ---- */

static void the_exit_code_arrives(void) {
  CHECK_EXIT(start(quiet_child("child_exit", "0")), 0);
  CHECK_EXIT(start(quiet_child("child_exit", "42")), 42);
  CHECK_EXIT(start(quiet_child("child_exit", "259")), 259);
}

static void a_wait_times_out_and_can_be_repeated(void) {
  uint32_t code = 1;
  winipc_process *process = start(quiet_child("child_sleep", "400"));
  CHECK_STATUS(winipc_process_wait(process, WINIPC_NO_WAIT, &code), WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_process_wait(process, 20, &code), WINIPC_E_TIMEOUT);
  CHECK_EQUAL(code, 0);
  CHECK_OK(winipc_process_wait(process, SOON, &code));
  CHECK_OK(winipc_process_wait(process, WINIPC_NO_WAIT, &code));
  CHECK_EXIT(process, 0);
}

static DWORD WINAPI cancel_soon(void *process) {
  Sleep(100);
  winipc_cancel(process);
  return 0;
}

static void cancel_ends_a_wait(void) {
  uint32_t code;
  winipc_process *process = start(quiet_child("child_sleep", "20000"));
  HANDLE thread = CreateThread(NULL, 0, cancel_soon, process, 0, NULL);
  CHECK_STATUS(winipc_process_wait(process, WINIPC_FOREVER, &code), WINIPC_E_CANCELLED);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  CHECK_OK(winipc_process_terminate(process, 9));
  CHECK_EXIT(process, 9);
}

static void a_suspended_process_runs_when_it_is_resumed(void) {
  uint32_t code;
  program *suspended = quiet_child("child_exit", "3");
  suspended->options.creation_flags |= CREATE_SUSPENDED;
  winipc_process *process = start(suspended);
  CHECK_STATUS(winipc_process_wait(process, 100, &code), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_process_resume(process));
  CHECK_EXIT(process, 3);
}

static void only_a_suspended_process_is_resumed(void) {
  winipc_process *process = start(quiet_child("child_exit", "3"));
  CHECK_STATUS(winipc_process_resume(process), WINIPC_E_UNSUPPORTED);
  CHECK_STATUS(winipc_process_resume(NULL), WINIPC_E_INVALID_HANDLE);
  CHECK_EXIT(process, 3);
}

static void terminate_after_the_end_is_fine(void) {
  uint32_t code;
  winipc_process *process = start(quiet_child("child_exit", "3"));
  CHECK_OK(winipc_process_wait(process, SOON, &code));
  CHECK_OK(winipc_process_terminate(process, 9));
  CHECK_OK(winipc_process_kill_tree(process, 9));
  CHECK_EXIT(process, 3);
}

static void the_program_runs_on_after_the_close(void) {
  uint32_t pid;
  winipc_process *process = start(quiet_child("child_sleep", "500")), *again;
  CHECK_OK(winipc_process_pid(process, &pid));
  CHECK_OK(winipc_process_open(pid, &again));
  CHECK_OK(winipc_process_close(process));
  CHECK_EXIT(again, 0);
}

static void kill_tree_reaches_grandchildren(void) {
  winipc_process *process = start(saying_child("child_have_child", ""));
  winipc_process *grandchild = open_told(process);
  CHECK_OK(winipc_process_kill_tree(process, 11));
  CHECK_EXIT(process, 11);
  CHECK_EXIT(grandchild, 11);
}

static void kill_with_parent_ends_the_tree_at_the_close(void) {
  uint32_t code;
  program *p = saying_child("child_have_child", "");
  p->options.kill_with_parent = 1;
  winipc_process *process = start(p);
  winipc_process *grandchild = open_told(process);
  CHECK_OK(winipc_process_close(process));
  CHECK_OK(winipc_process_wait(grandchild, SOON, &code));
  CHECK_OK(winipc_process_close(grandchild));
}

static void kill_with_parent_ends_the_tree_with_its_owner(void) {
  uint32_t code;
  winipc_process *process = start(saying_child("child_keep_child", ""));
  winipc_process *grandchild = open_told(process);
  CHECK_STATUS(winipc_process_wait(grandchild, 50, &code), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_process_terminate(process, 1));
  CHECK_OK(winipc_process_wait(grandchild, SOON, &code));
  CHECK_OK(winipc_process_close(grandchild));
  CHECK_EXIT(process, 1);
}

static void only_a_group_of_its_own_can_be_interrupted(void) {
  winipc_process *process = start(quiet_child("child_sleep", "0"));
  CHECK_STATUS(winipc_process_interrupt(process), WINIPC_E_UNSUPPORTED);
  CHECK_EXIT(process, 0);
}

static bool under_wine(void) {
  return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
}

/* In a console of their own: the test may have none. */
static void a_break_reaches_a_child_that_shares_our_console(void) {
  if (under_wine()) {
    printf("skipped: Wine delivers no console events without a display\n");
    return;
  }
  program *p = quiet_child("child_break_child", "");
  p->options.creation_flags = CREATE_NO_WINDOW;
  CHECK_EXIT(start(p), 0);
}

static void a_running_process_can_be_opened(void) {
  uint32_t pid, code;
  winipc_process *started = start(quiet_child("child_sleep", "20000")), *opened;
  CHECK_OK(winipc_process_pid(started, &pid));
  CHECK_OK(winipc_process_open(pid, &opened));
  CHECK_STATUS(winipc_process_wait(opened, 10, &code), WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_process_kill_tree(opened, 1), WINIPC_E_UNSUPPORTED);
  CHECK_STATUS(winipc_process_interrupt(opened), WINIPC_E_UNSUPPORTED);
  CHECK_OK(winipc_process_terminate(opened, 4));
  CHECK_EXIT(opened, 4);
  CHECK_EXIT(started, 4);
  CHECK_STATUS(winipc_process_open(0, &opened), WINIPC_E_NOT_FOUND);
  CHECK_STATUS(winipc_process_open(0x7FFFFFF0, &opened), WINIPC_E_NOT_FOUND);
  CHECK(last_error_names("2147483632"));
  CHECK(!opened);
}

/* ---- programs ---- */

static void a_program_that_is_not_there_is_named(void) {
  winipc_process_options options;
  winipc_process_options_init(&options);
  options.arguments = (const char *const[]){"no-such-program-here", "x"};
  options.argument_count = 2;
  check_refused(&options, WINIPC_E_NOT_FOUND, "no-such-program-here");
  options.application = "C:\\no\\such\\application.exe";
  check_refused(&options, WINIPC_E_NOT_FOUND, "application.exe");
  winipc_process_options_init(&options);
  options.command_line = "no-such-command a b";
  check_refused(&options, WINIPC_E_NOT_FOUND, "no-such-command");
  options.command_line = NULL;
  options.application = in_folder("text.exe");
  FILE *file = fopen(options.application, "wb");
  fputs("this is no program", file);
  fclose(file);
  check_refused(&options, WINIPC_E_UNSUPPORTED, "text.exe");
  DeleteFileA(options.application);
}

static void a_raw_command_line_is_passed_as_it_is(void) {
  char line[2 * MAX_PATH];
  winipc_process_options options;
  winipc_process_options_init(&options);
  snprintf(line, sizeof line, "\"%s\" child_exit  21", own_path());
  options.command_line = line;
  options.application = own_path();
  winipc_process *process = NULL;
  CHECK_OK(winipc_process_start(&options, &process));
  CHECK_EXIT(process, 21);
  options.application = NULL;
  CHECK_OK(winipc_process_start(&options, &process));
  CHECK_EXIT(process, 21);
}

static void an_application_alone_is_enough(void) {
  char system[MAX_PATH], path[2 * MAX_PATH];
  winipc_process_options options;
  winipc_process *process = NULL;
  winipc_output output = {.size = sizeof output};
  GetSystemDirectoryA(system, sizeof system);
  snprintf(path, sizeof path, "%s\\cmd.exe", system);
  winipc_process_options_init(&options);
  options.application = path;
  for (int i = 0; i < 2; i++) options.streams[i].kind = WINIPC_STREAM_PIPE;
  CHECK_OK(winipc_process_start(&options, &process));
  CHECK_OK(winipc_process_communicate(process, "exit 6\r\n", 8, 0, &output, SOON));
  winipc_free(output.out);
  CHECK_EXIT(process, 6);
}

static void contradictory_options_are_refused(void) {
  winipc_process_options options;
  winipc_process *process;
  const char *arguments[] = {own_path(), "child_exit", "0", NULL};
  CHECK_STATUS(winipc_process_options_init(NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_process_options_init(&options));
  CHECK_STATUS(winipc_process_start(&options, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_process_start(NULL, &process), WINIPC_E_INVALID_ARGUMENT);
#define REFUSED(change, status, because)      \
  do {                                        \
    winipc_process_options_init(&options);    \
    options.arguments = arguments;            \
    options.argument_count = 3;               \
    change;                                   \
    check_refused(&options, status, because); \
  } while (0)
  const winipc_status invalid = WINIPC_E_INVALID_ARGUMENT;
  REFUSED(options.argument_count = 4, invalid, "arguments[3]");
  REFUSED(options.argument_count = 0, invalid, "arguments");
  REFUSED(options.arguments = NULL, invalid, "no program");
  REFUSED(options.command_line = "x", invalid, "not both");
  REFUSED(arguments[2] = "\xff", WINIPC_E_INVALID_TEXT, "UTF-8");
  arguments[2] = "0";
  REFUSED(options.environment_count = 1, invalid, "environment");
  REFUSED(options.inherited_count = 1, invalid, "inherited");
  REFUSED(options.kill_with_parent = 2, invalid, "kill_with_parent");
  REFUSED(options.startup_flags = STARTF_USEHOTKEY, invalid, "startup_flags");
  REFUSED(options.streams[0].kind = 7, invalid, "kind 7");
  REFUSED(options.streams[0].kind = WINIPC_STREAM_APPEND, invalid, "appended");
  REFUSED(options.streams[1].kind = WINIPC_STREAM_MERGE, invalid, "merged");
  REFUSED(options.streams[0].kind = WINIPC_STREAM_FILE, invalid, "path");
  REFUSED(options.streams[0].kind = WINIPC_STREAM_HANDLE, WINIPC_E_INVALID_HANDLE,
          "in");
  REFUSED(
      (options.streams[1].kind = WINIPC_STREAM_PIPE, options.streams[1].framing = 9),
      invalid, "framing 9");
  REFUSED((options.streams[1].kind = WINIPC_STREAM_PIPE,
           options.streams[1].framing = WINIPC_FRAMING_MESSAGE),
          WINIPC_E_FRAMING, "message");
  REFUSED(options.pseudo_console = 80 << 16 | 25, invalid, "pseudo_console");
  REFUSED(options.directory = "C:\\no such directory", WINIPC_E_NOT_FOUND,
          "no such directory");
  REFUSED(options.process_sddl = "nonsense", invalid, "nonsense");
  REFUSED(options.thread_sddl = "rubbish", invalid, "rubbish");
  REFUSED(options.creation_flags = CREATE_NEW_CONSOLE | DETACHED_PROCESS, invalid, "");
#undef REFUSED
}

static void too_long_a_command_line_is_refused(void) {
  static char argument[40000];
  program *p = quiet_child("child_exit", argument);
  memset(argument, 'x', sizeof argument - 1);
  check_refused(&p->options, WINIPC_E_TOO_LARGE, "32766");
}

/* ---- environment and directory ---- */

static void the_environment_is_the_given_one(void) {
  program *p = saying_child("child_say_variable", "WINIPC_TEST");
  SetEnvironmentVariableA("WINIPC_TEST", "inherited");
  check_output(p, "inherited");
  const char *given[] = {"zebra=z", "WINIPC_TEST=given", "=C:=C:\\", "Alpha=a",
                         "EMPTY="};
  p->options.environment = given;
  p->options.environment_count = 5;
  check_output(p, "given");
  p->options.environment_count = 1;
  check_output(p, "none");
  SetEnvironmentVariableA("WINIPC_TEST", NULL);
}

static void bad_environment_strings_are_refused(void) {
  static const char *const bad[][2] = {{"no sign", "no sign"},
                                       {"=", "NAME=value"},
                                       {"", "NAME=value"},
                                       {"winipc_A=1", "twice"}};
  for (int i = 0; i < 4; i++) {
    const char *given[] = {"WINIPC_a=1", bad[i][0]};
    program *p = quiet_child("child_exit", "0");
    p->options.environment = given;
    p->options.environment_count = 2;
    check_refused(&p->options, WINIPC_E_INVALID_ARGUMENT, bad[i][1]);
    given[1] = "X=\xff";
    check_refused(&p->options, WINIPC_E_INVALID_TEXT, "UTF-8");
    given[1] = NULL;
    check_refused(&p->options, WINIPC_E_INVALID_ARGUMENT, "NULL");
  }
}

static void the_directory_is_the_given_one(void) {
  char windows[MAX_PATH];
  GetWindowsDirectoryA(windows, sizeof windows);
  program *p = saying_child("child_say_directory", "");
  p->options.directory = windows;
  check_output(p, windows);
}

/* ---- streams ---- */

static void a_c_runtime_program_talks_in_lines(void) {
  char line[64];
  size_t size;
  program *p = child_program("child_greet", "", WINIPC_STREAM_PIPE, WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_INHERIT);
  p->options.streams[0].framing = p->options.streams[1].framing = WINIPC_FRAMING_LINE;
  winipc_process *process = start(p);
  winipc_connection *in = take(process, WINIPC_STDIN);
  winipc_connection *out = take(process, WINIPC_STDOUT);
  for (int i = 0; i < 3; i++) {
    CHECK_OK(winipc_send(in, "you", 3, SOON));
    CHECK_OK(winipc_receive(out, line, sizeof line, &size, SOON));
    CHECK(size >= 9 && !strncmp(line, "hello you", 9));
  }
  CHECK_OK(winipc_connection_close(in));
  CHECK_OK(winipc_receive(out, line, sizeof line, &size, SOON));
  CHECK(!strncmp(line, "the end", 7));
  CHECK_STATUS(winipc_receive(out, line, sizeof line, &size, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(out));
  CHECK_EXIT(process, 0);
}

static void a_size_prefix_frames_the_streams(void) {
  static char sent[100000], received[100000];
  size_t size;
  program *p = child_program("child_echo", "", WINIPC_STREAM_PIPE, WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_INHERIT);
  p->options.streams[0].framing = p->options.streams[1].framing = WINIPC_FRAMING_U32;
  winipc_process *process = start(p);
  winipc_connection *in = take(process, WINIPC_STDIN);
  winipc_connection *out = take(process, WINIPC_STDOUT);
  for (size_t i = 0; i < sizeof sent; i++) sent[i] = (char)(i * 13);
  CHECK_OK(winipc_send(in, sent, 60000, SOON));
  CHECK_OK(winipc_receive(out, received, sizeof received, &size, SOON));
  CHECK_EQUAL(size, 60000);
  CHECK(!memcmp(sent, received, size));
  CHECK_OK(winipc_connection_close(in));
  CHECK_OK(winipc_connection_close(out));
  CHECK_EXIT(process, 0);
}

static void a_stream_is_taken_once(void) {
  winipc_connection *none = (winipc_connection *)(uintptr_t)1;
  winipc_process *process = start(saying_child("child_say", "x"));
  winipc_connection *out = take(process, WINIPC_STDOUT);
  CHECK_STATUS(winipc_process_take_stream(process, WINIPC_STDOUT, &none),
               WINIPC_E_NOT_FOUND);
  CHECK(!none);
  CHECK_STATUS(winipc_process_take_stream(process, WINIPC_STDIN, &none),
               WINIPC_E_NOT_FOUND);
  CHECK_STATUS(winipc_process_take_stream(process, 3, &none),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_process_take_stream(process, 0, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_connection_close(out));
  CHECK_OK(winipc_process_close(process));
}

static void errors_can_be_merged_into_the_output(void) {
  check_output(child_program("child_say_twice", "x", WINIPC_STREAM_NULL,
                             WINIPC_STREAM_PIPE, WINIPC_STREAM_MERGE),
               "out x,error x");
}

static void files_are_written_appended_to_and_read(void) {
  const char *path = in_folder("stream.txt");
  program *p = child_program("child_say_twice", "1", WINIPC_STREAM_NULL,
                             WINIPC_STREAM_FILE, WINIPC_STREAM_MERGE);
  p->options.streams[WINIPC_STDOUT].path = path;
  CHECK_EXIT(start(p), 0);
  CHECK(!strcmp(contents(path), "out 1,error 1"));
  CHECK_EXIT(start(p), 0);
  CHECK(!strcmp(contents(path), "out 1,error 1"));
  p->options.streams[WINIPC_STDOUT].kind = WINIPC_STREAM_APPEND;
  CHECK_EXIT(start(p), 0);
  CHECK(!strcmp(contents(path), "out 1,error 1out 1,error 1"));
  p = child_program("child_echo", "", WINIPC_STREAM_FILE, WINIPC_STREAM_PIPE,
                    WINIPC_STREAM_NULL);
  p->options.streams[WINIPC_STDIN].path = path;
  check_output(p, "out 1,error 1out 1,error 1");
  DeleteFileA(path);
  check_refused(&p->options, WINIPC_E_NOT_FOUND, "stream.txt");
}

static void nothing_comes_from_and_goes_to_null(void) {
  check_output(child_program("child_echo", "", WINIPC_STREAM_NULL, WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_NULL),
               "");
  CHECK_EXIT(start(child_program("child_say_twice", "x", WINIPC_STREAM_NULL,
                                 WINIPC_STREAM_NULL, WINIPC_STREAM_NULL)),
             0);
}

/* Also one that is not inheritable. */
static void a_handle_can_be_a_stream(void) {
  HANDLE read, write;
  char text[16] = "";
  DWORD got = 0;
  CreatePipe(&read, &write, NULL, 0);
  program *p = child_program("child_say", "hello", WINIPC_STREAM_NULL,
                             WINIPC_STREAM_HANDLE, WINIPC_STREAM_INHERIT);
  p->options.streams[WINIPC_STDOUT].handle = write;
  CHECK_EXIT(start(p), 0);
  CHECK(CloseHandle(write));
  CHECK(ReadFile(read, text, sizeof text - 1, &got, NULL));
  CHECK(!strcmp(text, "hello"));
  CHECK(!ReadFile(read, text, sizeof text - 1, &got, NULL)); /* nobody else has it */
  CloseHandle(read);
}

static void our_own_stream_is_inherited_even_if_it_is_not_inheritable(void) {
  HANDLE read, write, before = GetStdHandle(STD_OUTPUT_HANDLE);
  char text[16] = "";
  DWORD got = 0;
  CreatePipe(&read, &write, NULL, 0);
  SetStdHandle(STD_OUTPUT_HANDLE, write);
  winipc_process *process =
      start(child_program("child_say", "hello", WINIPC_STREAM_NULL,
                          WINIPC_STREAM_INHERIT, WINIPC_STREAM_INHERIT));
  SetStdHandle(STD_OUTPUT_HANDLE, before);
  CloseHandle(write);
  CHECK(ReadFile(read, text, sizeof text - 1, &got, NULL));
  CHECK(!strcmp(text, "hello"));
  CHECK_EXIT(process, 0);
  CloseHandle(read);
}

static void a_pseudo_console_shows_what_a_program_prints(void) {
  if (!winipc_has("process.pseudo-console")) {
    printf("skipped: no pseudo-consoles here\n");
    return;
  }
  winipc_output output = {.size = sizeof output};
  program *p = child_program("child_say", "hello", WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_PIPE, WINIPC_STREAM_INHERIT);
  p->options.pseudo_console = 80 << 16 | 25;
  winipc_process *process = start(p);
  winipc_connection *in =
      take(process, WINIPC_STDIN); /* else its end ends the program */
  CHECK_OK(winipc_process_communicate(process, NULL, 0, 0, &output, SOON));
  CHECK(output.out && strstr(output.out, "hello"));
  winipc_free(output.out);
  CHECK_OK(winipc_connection_close(in));
  CHECK_EXIT(process, 0);
}

/* ---- inheritance ---- */

static const char *number(HANDLE handle) {
  static char text[32];
  snprintf(text, sizeof text, "%llu", (unsigned long long)(uintptr_t)handle);
  return text;
}

static HANDLE inheritable_event(void) {
  SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
  return CreateEventW(&inherit, TRUE, FALSE, NULL);
}

static void a_listed_handle_is_in_the_child(void) {
  HANDLE event = inheritable_event(), list[] = {event, event};
  program *p = saying_child("child_set_event", number(event));
  p->options.inherited = list;
  p->options.inherited_count = 2; /* twice is once */
  check_output(p, "set");
  CHECK_EQUAL(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
  CloseHandle(event);
}

static void an_inheritable_handle_that_is_not_listed_is_not_in_the_child(void) {
  HANDLE event = inheritable_event(), other = inheritable_event();
  program *p = saying_child("child_set_event", number(event));
  check_output(p, "not");
  p->options.inherited = &other;
  p->options.inherited_count = 1;
  check_output(p, "not");
  CHECK_EQUAL(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
  CloseHandle(event);
  CloseHandle(other);
}

static void a_listed_handle_must_be_inheritable_and_open(void) {
  HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
  program *p = quiet_child("child_exit", "0");
  p->options.inherited = &event;
  p->options.inherited_count = 1;
  check_refused(&p->options, WINIPC_E_INVALID_ARGUMENT, "inherited[0]");
  CloseHandle(event);
  check_refused(&p->options, WINIPC_E_INVALID_HANDLE, "inherited[0]");
  event = INVALID_HANDLE_VALUE;
  check_refused(&p->options, WINIPC_E_INVALID_HANDLE, "inherited[0]");
}

static void two_children_do_not_share_each_others_pipes(void) {
  winipc_output output = {.size = sizeof output};
  winipc_process *first = start_child("child_echo", "");
  winipc_process *second = start_child("child_echo", "");
  CHECK_OK(winipc_process_communicate(first, "1", 1, 0, &output, SOON));
  winipc_free(output.out);
  CHECK_EXIT(first, 0);
  CHECK_OK(winipc_process_communicate(second, "2", 1, 0, &output, SOON));
  winipc_free(output.out);
  CHECK_EXIT(second, 0);
}

static void another_process_can_be_the_parent(void) {
  winipc_process *parent = start(quiet_child("child_sleep", "20000"));
  program *p = saying_child("child_say", "adopted");
  CHECK_OK(winipc_native_handle(parent, &p->options.parent));
  check_output(p, "adopted");
  CHECK_OK(winipc_process_kill_tree(parent, 0));
  CHECK_EXIT(parent, 0);
}

static void the_handle_of_the_process_is_as_asked_for(void) {
  HANDLE handle;
  DWORD flags;
  program *p = quiet_child("child_exit", "0");
  winipc_process *process = start(p);
  CHECK_OK(winipc_native_handle(process, &handle));
  CHECK(GetHandleInformation(handle, &flags) && !(flags & HANDLE_FLAG_INHERIT));
  CHECK_EXIT(process, 0);
  p->options.process_inheritable = p->options.thread_inheritable = 1;
  p->options.process_sddl = p->options.thread_sddl = "D:(A;;GA;;;WD)";
  process = start(p);
  CHECK_OK(winipc_native_handle(process, &handle));
  CHECK(GetHandleInformation(handle, &flags) && (flags & HANDLE_FLAG_INHERIT));
  CHECK_EXIT(process, 0);
}

/* ---- leaks ---- */

static DWORD open_handles(void) {
  DWORD flags, count = 0;
  for (uintptr_t value = 4; value < 4 * 2048; value += 4)
    count += GetHandleInformation((HANDLE)value, &flags) != 0;
  return count;
}

static void start_well_and_badly(void) {
  winipc_process *process;
  HANDLE event = inheritable_event();
  program *p = child_program("child_exit", "0", WINIPC_STREAM_PIPE, WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_PIPE);
  p->options.inherited = &event;
  p->options.inherited_count = 1;
  CHECK_EXIT(start(p), 0);
  p->arguments[0] = "no-such-program-here";
  CHECK_STATUS(winipc_process_start(&p->options, &process), WINIPC_E_NOT_FOUND);
  p->options.streams[2].kind = WINIPC_STREAM_FILE;
  CHECK_STATUS(winipc_process_start(&p->options, &process), WINIPC_E_INVALID_ARGUMENT);
  CloseHandle(event);
}

static void neither_success_nor_failure_leaks_handles(void) {
  start_well_and_badly();
  DWORD before = open_handles();
  for (int i = 0; i < 5; i++) start_well_and_badly();
  CHECK_EQUAL(open_handles(), before);
}

static void a_closed_process_is_no_handle(void) {
  uint32_t number_of;
  winipc_process *process = start(quiet_child("child_exit", "0"));
  CHECK_EXIT(process, 0);
  CHECK_OK(winipc_process_close(NULL));
  CHECK_STATUS(winipc_process_close(process), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_process_wait(process, 0, &number_of), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_process_pid(process, &number_of), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_process_terminate(NULL, 0), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_process_kill_tree(process, 0), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_process_interrupt(process), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_process_wait(process, 0, NULL), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_process_pid(process, NULL), WINIPC_E_INVALID_ARGUMENT);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(the_exit_code_arrives),
      TEST(a_wait_times_out_and_can_be_repeated),
      TEST(cancel_ends_a_wait),
      TEST(a_suspended_process_runs_when_it_is_resumed),
      TEST(only_a_suspended_process_is_resumed),
      TEST(terminate_after_the_end_is_fine),
      TEST(the_program_runs_on_after_the_close),
      TEST(kill_tree_reaches_grandchildren),
      TEST(kill_with_parent_ends_the_tree_at_the_close),
      TEST(kill_with_parent_ends_the_tree_with_its_owner),
      TEST(only_a_group_of_its_own_can_be_interrupted),
      TEST(a_break_reaches_a_child_that_shares_our_console),
      TEST(a_running_process_can_be_opened),
      TEST(a_program_that_is_not_there_is_named),
      TEST(a_raw_command_line_is_passed_as_it_is),
      TEST(an_application_alone_is_enough),
      TEST(contradictory_options_are_refused),
      TEST(too_long_a_command_line_is_refused),
      TEST(the_environment_is_the_given_one),
      TEST(bad_environment_strings_are_refused),
      TEST(the_directory_is_the_given_one),
      TEST(a_c_runtime_program_talks_in_lines),
      TEST(a_size_prefix_frames_the_streams),
      TEST(a_stream_is_taken_once),
      TEST(errors_can_be_merged_into_the_output),
      TEST(files_are_written_appended_to_and_read),
      TEST(nothing_comes_from_and_goes_to_null),
      TEST(a_handle_can_be_a_stream),
      TEST(our_own_stream_is_inherited_even_if_it_is_not_inheritable),
      TEST(a_pseudo_console_shows_what_a_program_prints),
      TEST(a_listed_handle_is_in_the_child),
      TEST(an_inheritable_handle_that_is_not_listed_is_not_in_the_child),
      TEST(a_listed_handle_must_be_inheritable_and_open),
      TEST(two_children_do_not_share_each_others_pipes),
      TEST(another_process_can_be_the_parent),
      TEST(the_handle_of_the_process_is_as_asked_for),
      TEST(neither_success_nor_failure_leaks_handles),
      TEST(a_closed_process_is_no_handle),
      CHILD(child_exit),
      CHILD(child_sleep),
      CHILD(child_say),
      CHILD(child_say_twice),
      CHILD(child_greet),
      CHILD(child_echo),
      CHILD(child_say_variable),
      CHILD(child_say_directory),
      CHILD(child_set_event),
      CHILD(child_have_child),
      CHILD(child_keep_child),
      CHILD(child_await_break),
      CHILD(child_break_child),
      END,
  };
  return harness_main(argc, argv, tests);
}
