"""gunicorn's access log as one JSON object a line: exact whatever stands in a path, and to the microsecond."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger

from counter_service.request_ids import ENVIRON_KEY

if TYPE_CHECKING:
    from datetime import timedelta


class JsonAccessLog(Logger):
    """gunicorn's own logger but for the form of the access log."""

    def access(self, resp: Any, _req: object, environ: dict[str, Any], request_time: timedelta) -> None:  # noqa: ANN401
        """Write one line for a finished request. gunicorn does not call this for a websocket."""
        ended = datetime.now(UTC)
        entry = {
            "time": (ended - request_time).isoformat(timespec="microseconds"),
            "method": environ["REQUEST_METHOD"],
            "path": environ["RAW_URI"],
            "status": resp.status_code,
            "bytes": resp.sent,
            "duration_us": round(request_time.total_seconds() * 1e6),
            "request_id": environ.get(ENVIRON_KEY),
        }
        self.access_log.info("%s", json.dumps(entry))
