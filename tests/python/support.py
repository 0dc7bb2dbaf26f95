"""What the tests name by its name."""

from __future__ import annotations

import winipc

SOON = 10  # seconds, for what comes at once when all is well
Pair = tuple[winipc.Connection, winipc.Connection]
Channels = tuple[winipc.Channel, winipc.Channel]
