/* winipc_process_communicate: feeding and draining a child without a deadlock. */
#include "child.h"

enum { MEGABYTE = 1 << 20 };

static winipc_output output;

static winipc_status communicate(winipc_process *process, const void *input,
                                 size_t size, uint64_t limit, uint32_t timeout_ms) {
  winipc_free(output.out);
  winipc_free(output.error);
  output = (winipc_output){.size = sizeof output};
  return winipc_process_communicate(process, input, size, limit, &output, timeout_ms);
}

static winipc_process *start_with_pipes(const char *child, const char *argument) {
  return start(child_program(child, argument, WINIPC_STREAM_PIPE, WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_PIPE));
}

static char *pattern(size_t size) {
  char *data = malloc(size);
  for (size_t i = 0; i < size; i++) data[i] = (char)(i * 31 + (i >> 12));
  return data;
}

/* ---- children ---- */

/* The input to both outputs. */
static void child_echo_twice(const char *argument) {
  static char block[40000];
  (void)argument;
  binary_streams();
  for (int got; (got = _read(0, block, sizeof block)) > 0;)
    if (_write(1, block, (unsigned)got) != got ||
        _write(2, block, (unsigned)got) != got)
      CHECK(!"wrote");
}

/* So many bytes to both outputs before a byte of input is read; then counts the input.
 */
static void child_write_first(const char *size) {
  static char block[1000];
  size_t total = 0;
  binary_streams();
  for (int i = 0; i < atoi(size) / 1000; i++) {
    CHECK_EQUAL(_write(2, block, sizeof block), sizeof block);
    CHECK_EQUAL(_write(1, block, sizeof block), sizeof block);
  }
  for (int got; (got = _read(0, block, sizeof block)) > 0;) total += (size_t)got;
  CHECK_EQUAL(total, 5 * MEGABYTE);
}

static void child_write(const char *size) {
  binary_streams();
  for (int i = 0; i < atoi(size); i++) putchar('a' + i % 26);
}

static void child_write_for_ever(const char *argument) {
  static char block[50000];
  (void)argument;
  binary_streams();
  while (_write(1, block, sizeof block) > 0) {
  }
  exit(0);
}

/* Two halves, with a pause that is given in milliseconds between them. */
static void child_write_in_halves(const char *pause) {
  binary_streams();
  CHECK_EQUAL(_write(1, "first ", 6), 6);
  Sleep((DWORD)atoi(pause));
  CHECK_EQUAL(_write(1, "second", 6), 6);
}

static void child_echo_late(const char *pause) {
  Sleep((DWORD)atoi(pause));
  child_echo_twice("");
}

static void child_read_nothing(const char *argument) {
  (void)argument;
  _close(0);
  CloseHandle(GetStdHandle(STD_INPUT_HANDLE));
  printf("done");
}

static void child_sleep(const char *milliseconds) {
  Sleep((DWORD)atoi(milliseconds));
}

/* ---- tests ---- */

static void ten_megabytes_go_through_a_child_that_fills_both_outputs(void) {
  const size_t size = 10 * MEGABYTE;
  char *data = pattern(size);
  winipc_process *process = start_with_pipes("child_echo_twice", "");
  CHECK_OK(communicate(process, data, size, 0, 4 * SOON));
  CHECK_EQUAL(output.out_size, size);
  CHECK_EQUAL(output.error_size, size);
  CHECK(output.out && !memcmp(output.out, data, size));
  CHECK(output.error && !memcmp(output.error, data, size));
  CHECK_EXIT(process, 0);
  free(data);
}

static void a_child_that_writes_before_it_reads_blocks_nobody(void) {
  char *data = pattern(5 * MEGABYTE);
  winipc_process *process = start_with_pipes("child_write_first", "1000000");
  CHECK_OK(communicate(process, data, 5 * MEGABYTE, 0, 4 * SOON));
  CHECK_EQUAL(output.out_size, 1000000);
  CHECK_EQUAL(output.error_size, 1000000);
  CHECK_EXIT(process, 0);
  free(data);
}

static void no_input_closes_standard_input(void) {
  winipc_process *process = start_with_pipes("child_echo_twice", "");
  CHECK_OK(communicate(process, NULL, 0, 0, SOON));
  CHECK_EQUAL(output.out_size, 0);
  CHECK(output.out && !*(char *)output.out);
  CHECK_OK(communicate(process, NULL, 0, 0, SOON));
  CHECK_EXIT(process, 0);
}

static void as_much_as_the_limit_is_fine(void) {
  winipc_process *process = start_with_pipes("child_write", "1000");
  CHECK_OK(communicate(process, NULL, 0, 1000, SOON));
  CHECK_EQUAL(output.out_size, 1000);
  CHECK_EQUAL(((char *)output.out)[1000], 0);
  CHECK_EXIT(process, 0);
}

static void past_the_limit_the_next_call_goes_on(void) {
  winipc_process *process = start_with_pipes("child_write", "2500");
  CHECK_STATUS(communicate(process, NULL, 0, 1000, SOON), WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_EQUAL(output.out_size, 1000);
  CHECK(!strncmp(output.out, "abc", 3));
  CHECK_STATUS(communicate(process, NULL, 0, 1000, SOON), WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_EQUAL(output.out_size, 1000);
  CHECK_EQUAL(*(char *)output.out, 'a' + 1000 % 26);
  CHECK_OK(communicate(process, NULL, 0, 1000, SOON));
  CHECK_EQUAL(output.out_size, 500);
  CHECK_EQUAL(*(char *)output.out, 'a' + 2000 % 26);
  CHECK_EXIT(process, 0);
}

static void a_time_out_keeps_what_came_and_the_next_call_goes_on(void) {
  winipc_process *process = start_with_pipes("child_write_in_halves", "1500");
  char all[64] = "";
  int rounds = 0;
  winipc_status status;
  do {
    status = communicate(process, NULL, 0, 0, 500);
    strncat(all, output.out, sizeof all - strlen(all) - 1);
    rounds++;
  } while (status == WINIPC_E_TIMEOUT);
  CHECK_OK(status);
  CHECK(rounds > 1);
  CHECK(!strcmp(all, "first second"));
  CHECK_EXIT(process, 0);
}

static void input_goes_on_after_a_time_out(void) {
  const size_t size = 3 * MEGABYTE;
  char *data = pattern(size), *lent = pattern(size);
  size_t total = 0;
  winipc_process *process = start_with_pipes("child_echo_late", "300");
  winipc_status status = communicate(process, lent, size, 0, 50);
  CHECK_STATUS(status, WINIPC_E_TIMEOUT);
  memset(lent, 'x', size); /* it is ours again */
  free(lent);
  CHECK_STATUS(communicate(process, "more", 4, 0, SOON), WINIPC_E_INVALID_ARGUMENT);
  do {
    status = communicate(process, NULL, 0, 0, 5);
    CHECK(output.out && !memcmp(output.out, data + total, output.out_size));
    total += output.out_size;
  } while (status == WINIPC_E_TIMEOUT);
  CHECK_OK(status);
  CHECK_EQUAL(total, size);
  CHECK_EXIT(process, 0);
  free(data);
}

static void a_child_that_closes_its_input_early_is_no_error(void) {
  char *data = pattern(MEGABYTE);
  winipc_process *process = start_with_pipes("child_read_nothing", "");
  CHECK_OK(communicate(process, data, MEGABYTE, 0, SOON));
  CHECK(output.out && !strcmp(output.out, "done"));
  CHECK_EXIT(process, 0);
  free(data);
}

static void a_child_that_never_stops_is_stopped_by_time_and_limit(void) {
  winipc_process *process = start_with_pipes("child_write_for_ever", "");
  CHECK_STATUS(communicate(process, NULL, 0, 0, 1500), WINIPC_E_TIMEOUT);
  CHECK(output.out_size > 0);
  CHECK_STATUS(communicate(process, NULL, 0, 0, WINIPC_NO_WAIT), WINIPC_E_TIMEOUT);
  CHECK_STATUS(communicate(process, NULL, 0, MEGABYTE, SOON),
               WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_EQUAL(output.out_size, MEGABYTE);
  CHECK_OK(winipc_process_terminate(process, 7));
  CHECK_EXIT(process, 7);
}

static DWORD WINAPI cancel_soon(void *process) {
  Sleep(100);
  winipc_cancel(process);
  return 0;
}

static DWORD WINAPI close_soon(void *process) {
  Sleep(100);
  winipc_process_close(process);
  return 0;
}

static void join(HANDLE thread) {
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

static void cancel_ends_it_whether_the_child_is_busy_or_not(void) {
  static const char *const children[] = {"child_write_for_ever", "child_sleep"};
  for (int i = 0; i < 2; i++) {
    winipc_process *process = start_with_pipes(children[i], "20000");
    HANDLE thread = CreateThread(NULL, 0, cancel_soon, process, 0, NULL);
    CHECK_STATUS(communicate(process, NULL, 0, 0, WINIPC_FOREVER), WINIPC_E_CANCELLED);
    join(thread);
    CHECK_OK(winipc_process_kill_tree(process, 7));
    CHECK_EXIT(process, 7);
  }
}

static void a_cancel_token_ends_it_whether_the_child_is_busy_or_not(void) {
  static const char *const children[] = {"child_write_for_ever", "child_sleep"};
  winipc_cancel_token *token;
  CHECK_OK(winipc_cancel_create(&token));
  CHECK_OK(winipc_cancel_fire(token));
  for (int i = 0; i < 2; i++) {
    winipc_process *process = start_with_pipes(children[i], "20000");
    CHECK_OK(winipc_cancel_use(token));
    CHECK_STATUS(communicate(process, NULL, 0, 0, WINIPC_FOREVER), WINIPC_E_CANCELLED);
    CHECK_OK(winipc_cancel_use(NULL));
    CHECK_OK(winipc_process_kill_tree(process, 7));
    CHECK_EXIT(process, 7);
  }
  CHECK_OK(winipc_cancel_close(token));
}

static void close_ends_it(void) {
  winipc_process *process = start_with_pipes("child_sleep", "2000");
  HANDLE thread = CreateThread(NULL, 0, close_soon, process, 0, NULL);
  CHECK_STATUS(communicate(process, "x", 1, 0, WINIPC_FOREVER), WINIPC_E_CLOSED);
  join(thread);
}

static void close_gives_up_input_that_nobody_reads(void) {
  char *data = pattern(MEGABYTE);
  winipc_process *process = start_with_pipes("child_sleep", "20000");
  CHECK_STATUS(communicate(process, data, MEGABYTE, 0, 50), WINIPC_E_TIMEOUT);
  free(data);
  CHECK_OK(winipc_process_kill_tree(process, 1));
  CHECK_OK(winipc_process_close(process));
}

static DWORD WINAPI communicate_elsewhere(void *process) {
  winipc_output unused = {.size = sizeof unused};
  return (DWORD)winipc_process_communicate(process, NULL, 0, 0, &unused,
                                           WINIPC_FOREVER);
}

static void one_thread_at_a_time(void) {
  winipc_connection *connection;
  winipc_process *process = start_with_pipes("child_sleep", "20000");
  HANDLE thread = CreateThread(NULL, 0, communicate_elsewhere, process, 0, NULL);
  Sleep(100);
  CHECK_STATUS(communicate(process, NULL, 0, 0, 0), WINIPC_E_BUSY);
  CHECK_STATUS(winipc_process_take_stream(process, WINIPC_STDOUT, &connection),
               WINIPC_E_BUSY);
  CHECK_OK(winipc_process_kill_tree(process, 7));
  join(thread);
  CHECK_EXIT(process, 7);
}

static void a_stream_that_was_taken_is_left_alone(void) {
  char buffer[16];
  size_t size;
  winipc_process *process = start_with_pipes("child_echo_twice", "");
  winipc_connection *error = take(process, WINIPC_STDERR);
  CHECK_OK(communicate(process, "hello", 5, 0, SOON));
  CHECK(output.out && !strcmp(output.out, "hello"));
  CHECK(!output.error);
  CHECK_OK(winipc_receive(error, buffer, sizeof buffer, &size, SOON));
  CHECK_EQUAL(size, 5);
  CHECK_OK(winipc_connection_close(error));
  CHECK_EXIT(process, 0);
}

static void a_stream_can_be_taken_with_what_was_left_over(void) {
  char buffer[16];
  size_t size;
  winipc_process *process = start_with_pipes("child_write", "30");
  CHECK_STATUS(communicate(process, NULL, 0, 26, SOON), WINIPC_E_MESSAGE_TOO_LARGE);
  winipc_connection *out = take(process, WINIPC_STDOUT);
  CHECK_OK(winipc_receive(out, buffer, sizeof buffer, &size, SOON));
  CHECK_EQUAL(size, 4);
  CHECK(!memcmp(buffer, "abcd", 4));
  CHECK_STATUS(winipc_receive(out, buffer, sizeof buffer, &size, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(out));
  CHECK_EXIT(process, 0);
}

static void wrong_arguments_are_refused(void) {
  winipc_process *process =
      start(child_program("child_sleep", "0", WINIPC_STREAM_NULL, WINIPC_STREAM_NULL,
                          WINIPC_STREAM_INHERIT));
  CHECK_STATUS(winipc_process_communicate(process, NULL, 0, 0, NULL, 0),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(communicate(process, NULL, 5, 0, 0), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(communicate(process, "x", 1, 0, 0), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(communicate(NULL, NULL, 0, 0, 0), WINIPC_E_INVALID_HANDLE);
  CHECK(!output.out && !output.error);
  CHECK_OK(communicate(process, NULL, 0, 0, 0));
  CHECK_EXIT(process, 0);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(ten_megabytes_go_through_a_child_that_fills_both_outputs),
      TEST(a_child_that_writes_before_it_reads_blocks_nobody),
      TEST(no_input_closes_standard_input),
      TEST(as_much_as_the_limit_is_fine),
      TEST(past_the_limit_the_next_call_goes_on),
      TEST(a_time_out_keeps_what_came_and_the_next_call_goes_on),
      TEST(input_goes_on_after_a_time_out),
      TEST(a_child_that_closes_its_input_early_is_no_error),
      TEST(a_child_that_never_stops_is_stopped_by_time_and_limit),
      TEST(cancel_ends_it_whether_the_child_is_busy_or_not),
      TEST(a_cancel_token_ends_it_whether_the_child_is_busy_or_not),
      TEST(close_ends_it),
      TEST(close_gives_up_input_that_nobody_reads),
      TEST(one_thread_at_a_time),
      TEST(a_stream_that_was_taken_is_left_alone),
      TEST(a_stream_can_be_taken_with_what_was_left_over),
      TEST(wrong_arguments_are_refused),
      CHILD(child_echo_twice),
      CHILD(child_write_first),
      CHILD(child_write),
      CHILD(child_write_for_ever),
      CHILD(child_write_in_halves),
      CHILD(child_echo_late),
      CHILD(child_read_nothing),
      CHILD(child_sleep),
      END,
  };
  return harness_main(argc, argv, tests);
}
