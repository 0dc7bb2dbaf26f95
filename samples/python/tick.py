"""One price of one share, as tick_publisher sends it and tick_subscriber prints it. The twin of
samples/c/ticks/tick.h.
"""

import struct

TICK = struct.Struct("<8sdq")  # symbol, ended by NUL when it is shorter; price; volume
