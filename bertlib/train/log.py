"""The run's diary: one JSON object a line."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from bertlib.files import disk_error, write_text


class JsonLog:
    """Append events to a file; read them back with :func:`read_log`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: str, **values: Any) -> None:
        """Add one line. It is flushed at once, so a crash loses none.

        Raises:
            BertlibError: the disk is full or not writable.
        """
        line = json.dumps({"event": event} | values)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise disk_error(self.path, error) from error

    def forget_after(self, step: int, *, last: bool = False) -> None:
        """Drop the events of steps after ``step``: a resumed run takes them again.

        Args:
            step: where it goes on.
            last: it was the run's last step; the evaluation that follows it is made again too.

        Raises:
            BertlibError: the file cannot be read, or not be written.
        """
        if not self.path.exists():
            return
        try:
            events = read_log(self.path)
        except OSError as error:
            raise disk_error(self.path, error) from error
        kept = [event for event in events if event.get("step", 0) <= step]
        if last:
            kept = [event for event in kept if (event.get("event"), event.get("step")) != ("valid", step)]
        write_text(self.path, "".join(json.dumps(event) + "\n" for event in kept))


def read_log(path: Path | str) -> list[dict[str, Any]]:
    """Read a log; a line that was cut off in mid-write, or spoilt, is passed over."""
    events = []
    for line in Path(path).read_bytes().splitlines():
        with suppress(ValueError):
            events.append(json.loads(line))
    return [event for event in events if isinstance(event, dict)]
