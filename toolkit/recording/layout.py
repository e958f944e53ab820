"""Where each thing lies in a run folder. The only place that spells its paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.recording.consistency import ConsistencyFolder
from toolkit.recording.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class LoadFolder:
    """`load/<scenario>/`: what one engine process left behind."""

    path: Path

    @property
    def name(self) -> str:
        """The scenario's name in the plan."""
        return self.path.name

    @property
    def console(self) -> Path:
        """The engine's own output, as it printed it."""
        return self.path / "console.log"

    @property
    def requests(self) -> Path:
        """Request records, one JSON object a line, gzip; see `records.REQUEST_FIELDS`."""
        return self.path / "requests.jsonl.gz"

    @property
    def request_parts(self) -> Path:
        """While the load runs: one growing `<worker>.jsonl` per generator worker, joined into `requests` at the end."""
        return self.path / "parts"

    @property
    def events(self) -> Path:
        """What the generator said of itself (phases, workers), one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def engine_json(self) -> Path:
        """Artillery's own `--output` file; missing where it did not end normally."""
        return self.path / "artillery.json"

    @property
    def ledger(self) -> Ledger:
        """What became of each record of a file; its folder is missing where the traffic came from elsewhere."""
        return Ledger(self.path / "ledger")

    @property
    def consistency(self) -> ConsistencyFolder:
        """What clients were told and what the service then held; its folder is missing where the engine is another."""
        return ConsistencyFolder(self.path / "consistency")

    @property
    def locust_json(self) -> Path:
        """Locust's own statistics; missing where it did not end normally."""
        return self.path / "locust.json"

    @property
    def k6_json(self) -> Path:
        """k6's own summary; missing where it did not end normally."""
        return self.path / "k6.json"

    @property
    def k6_script(self) -> Path:
        """What sends the plan's requests; missing where the user's own script does."""
        return self.path / "script.js"

    @property
    def k6_samples(self) -> Path:
        """A pipe, while k6 runs: it writes its samples there as CSV."""
        return self.path / "samples.csv"

    def helper_console(self, name: str) -> Path:
        """The output of a process beside the engine's first: `worker-1`."""
        return self.path / f"{name}.log"


@dataclass(frozen=True)
class ServerFolder:
    """`servers/<name>/`: what one server's agent recorded."""

    path: Path

    @property
    def name(self) -> str:
        """The server's name in the plan."""
        return self.path.name

    @property
    def stacks(self) -> Path:
        """The folder of raw stack chunks."""
        return self.path / "stacks"

    @property
    def chunks(self) -> Path:
        """One JSON object per chunk; see `records.CHUNK_FIELDS`."""
        return self.stacks / "chunks.jsonl"

    def chunk(self, view: str, seq: int) -> Path:
        """The gzip of one chunk in py-spy's raw format."""
        return self.stacks / f"{view}-{seq:06d}.raw.gz"

    @property
    def metrics(self) -> Path:
        """One line a second; see `records.METRICS_LINE`."""
        return self.path / "metrics.jsonl.gz"

    @property
    def workers(self) -> Path:
        """Births and deaths; see `records.WORKERS_LINE`."""
        return self.path / "workers.jsonl"

    @property
    def logs(self) -> Path:
        """The folder of the server's logs, as they were written during the run."""
        return self.path / "logs"

    @property
    def log_sources(self) -> Path:
        """What was followed; see `records.LOG_SOURCE_FIELDS`."""
        return self.logs / "sources.json"

    @property
    def log_index(self) -> Path:
        """What came when; see `records.LOG_BLOCK_FIELDS`."""
        return self.logs / "index.jsonl"

    @property
    def facts(self) -> Path:
        """What the agent found: host, Python, gunicorn, workers, py-spy, budget."""
        return self.path / "facts.json"

    @property
    def agent_log(self) -> Path:
        """The agent's own words."""
        return self.path / "agent.log"


@dataclass(frozen=True)
class GeneratorFolder:
    """`generator/`: how the machine that made the load was doing."""

    path: Path

    @property
    def cpu(self) -> Path:
        """One line a second; see `records.GENERATOR_LINE`."""
        return self.path / "cpu.jsonl"

    @property
    def canary(self) -> Path:
        """One line a request of the canary; see `records.CANARY_FIELDS`. Missing where there was none."""
        return self.path / "canary.jsonl"


@dataclass(frozen=True)
class RunFolder:
    """One run: `reports/<UTC start>-<plan name>/`."""

    path: Path

    @property
    def manifest(self) -> Path:
        """`run.json`; see `manifest.Manifest`."""
        return self.path / "run.json"

    @property
    def plan(self) -> Path:
        """The effective plan, secrets masked."""
        return self.path / "plan.yml"

    @property
    def events(self) -> Path:
        """What happened when, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def tables(self) -> Path:
        """Parquet files; derived."""
        return self.path / "tables"

    @property
    def flamegraphs(self) -> Path:
        """SVG files; derived."""
        return self.path / "flamegraphs"

    @property
    def exports(self) -> Path:
        """Speedscope and folded files; derived."""
        return self.path / "exports"

    @property
    def summary_text(self) -> Path:
        """The summary report for people."""
        return self.path / "summary.txt"

    @property
    def summary_json(self) -> Path:
        """The summary report for scripts."""
        return self.path / "summary.json"

    @property
    def junit(self) -> Path:
        """The checks, for CI systems; missing where none was made."""
        return self.path / "junit.xml"

    @property
    def step_summary(self) -> Path:
        """Outcome and checks as Markdown, as GitHub shows it under a job."""
        return self.path / "step-summary.md"

    @property
    def page(self) -> Path:
        """The self-contained report."""
        return self.path / "report.html"

    @property
    def postmortem(self) -> Path:
        """What happened, in Markdown."""
        return self.path / "postmortem.md"

    @property
    def checksums(self) -> Path:
        """`SHA256SUMS` over everything else."""
        return self.path / "SHA256SUMS"

    @property
    def scale_log(self) -> Path:
        """What the plan's command for scaling printed, and what asked whether the service was ready."""
        return self.path / "scale.log"

    @property
    def generator(self) -> GeneratorFolder:
        """How the machine that made the load was doing."""
        return GeneratorFolder(self.path / "generator")

    def load(self, scenario: str) -> LoadFolder:
        """The folder of one scenario of the plan."""
        return LoadFolder(self.path / "load" / scenario)

    def server(self, name: str) -> ServerFolder:
        """The folder of one server of the plan."""
        return ServerFolder(self.path / "servers" / name)

    def loads(self) -> list[LoadFolder]:
        """Every scenario folder that exists, by name."""
        return [LoadFolder(path) for path in _folders(self.path / "load")]

    def servers(self) -> list[ServerFolder]:
        """Every server folder that exists, by name."""
        return [ServerFolder(path) for path in _folders(self.path / "servers")]


def _folders(path: Path) -> list[Path]:
    return sorted(child for child in path.iterdir() if child.is_dir()) if path.is_dir() else []
