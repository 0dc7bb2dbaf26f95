/* Named shared memory with a mutex and events: writes lines on a board.
 *
 *   memory_writer [NAME] [LINE...]      winipc-memory-sample, three lines
 *
 * Run memory_reader beside it, before or after, or samples/python/memory_reader.py. */
#include "memory_board.h"

static void append(board *board, const char *line) {
  size_t size = strlen(line) + 1;
  lock_board();
  int fits = size <= ROOM - board->used;
  if (fits) {
    memcpy(board->text + board->used, line, size - 1);
    board->text[board->used + size - 1] = '\n';
    board->used += (uint32_t)size;
  }
  unlock_board();
  check("set", ipc.event_set(written));
  printf("%s %s\n", fits ? "wrote:" : "no room for:", line);
}

static void finish(board *board) {
  lock_board();
  board->finished = 1;
  unlock_board();
  check("set", ipc.event_set(written));
  /* Memory lives as long as somebody has it open: stay until the reader has it all. */
  check("the reader", ipc.event_wait(taken, PATIENCE));
}

int main(int count, char **arguments) {
  static const char *const lines[] = {"one", "two", "three"};
  board *board = open_board(count > 1 ? arguments[1] : "winipc-memory-sample");
  for (int i = 0; count < 3 && i < 3; i++) append(board, lines[i]);
  for (int i = 2; i < count; i++) append(board, arguments[i]);
  finish(board);
  printf("the reader has it all\n");
  close_board();
  return 0;
}
