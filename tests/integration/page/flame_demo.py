"""Pages that hold a packed profile and the flamegraph view alone: python -m tests.integration.page.flame_demo PACK HTML."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from toolkit.engines.node import find_node
from toolkit.reports.page import policy

HERE = Path(__file__).parent
_ESBUILD = HERE.parents[2] / "node_modules" / "esbuild-wasm" / "bin" / "esbuild"


def bundle() -> tuple[str, str]:
    """The script and the style of a demo page, from the sources of the real one."""
    with TemporaryDirectory() as folder:
        subprocess.run(
            [
                find_node().path,
                _ESBUILD,
                HERE / "flame_demo.mjs",
                HERE / "flame_demo.css",
                "--bundle",
                "--format=esm",
                "--target=es2022",
                "--charset=utf8",
                "--log-level=warning",
                f"--outdir={folder}",
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        script, style = (
            Path(folder, f"flame_demo.{kind}").read_text(encoding="utf-8") for kind in ("js", "css")
        )
    return script, style


def page(script: str, style: str, packed: bytes, requests: list[int]) -> str:
    """The page, under the same policy as the report: exactly this script and this style.

    Args:
        packed: what `toolkit.reports.profile_pack.pack` makes.
        requests: how many requests ended in each second of the timeline.
    """
    # Inlined as it is: the sources hold no `</script`.
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(script, style)}">'
        f"<title>Flamegraph</title><style>{style}</style></head><body><main><div id='host'></div></main>"
        f'<script type="application/octet-stream" id="profile">{base64.b64encode(packed).decode()}</script>'
        f'<script type="application/json" id="requests">{json.dumps(requests)}</script>'
        f'<script type="module">{script}</script></body></html>'
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(
        page(*bundle(), Path(sys.argv[1]).read_bytes(), [20] * 20_000), encoding="utf-8"
    )
