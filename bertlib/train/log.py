"""The run's diary: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bertlib.files import write_text


class JsonLog:
    """Append events to a file; read them back with :func:`read_log`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: str, **values: Any) -> None:
        """Add one line. It is flushed at once, so a crash loses none."""
        line = json.dumps({"event": event} | values)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def forget_after(self, step: int) -> None:
        """Drop the events of steps after ``step``: a resumed run takes them again."""
        if self.path.exists():
            kept = [event for event in read_log(self.path) if event.get("step", 0) <= step]
            write_text(self.path, "".join(json.dumps(event) + "\n" for event in kept))


def read_log(path: Path | str) -> list[dict[str, Any]]:
    """Read a log; a last line that was cut off in mid-write is passed over."""
    events = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return events
