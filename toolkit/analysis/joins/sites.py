"""Which servers a request can have reached: those that listen on its port, where some do; a proxy's port is of none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

if TYPE_CHECKING:
    from toolkit.analysis.building import Building


def make_sites(building: Building) -> list[int]:
    """Make the tables `join_sites` (server, site) and `join_site_ports` (port, site); return the sites.

    A site is of the servers that share a port. A run with one server has none: there is nothing to tell apart.
    """
    names = [entry.name for entry in building.manifest.servers]
    planned = _planned_ports(building) if len(names) > 1 else {}
    site_of = {name: number for number, name in enumerate(names)}
    at: dict[int, str] = {}
    if len(names) > 1:
        for entry in building.manifest.servers:
            for port in _listened(entry.facts) or planned.get(entry.name, set()):
                first = at.setdefault(port, entry.name)
                joined, gone = site_of[first], site_of[entry.name]
                site_of = {name: joined if site == gone else site for name, site in site_of.items()}
    connection = building.connection
    connection.execute("CREATE TABLE join_sites (server VARCHAR, site INTEGER)")
    connection.execute("CREATE TABLE join_site_ports (port INTEGER, site INTEGER)")
    if not at:
        return []
    connection.executemany("INSERT INTO join_sites VALUES (?, ?)", list(site_of.items()))
    ports = [(port, site_of[name]) for port, name in at.items()]
    connection.executemany("INSERT INTO join_site_ports VALUES (?, ?)", ports)
    return sorted({site for _, site in ports})


def _listened(facts: dict[str, Any]) -> set[int]:
    """The ports that the agent saw."""
    arbiter = facts.get("arbiter")
    said = arbiter.get("listen") if isinstance(arbiter, dict) else None
    found = [_port(str(address).rpartition(":")[2]) for address in said] if isinstance(said, list) else []
    return {port for port in found if port}


def _planned_ports(building: Building) -> dict[str, set[int]]:
    """By server the port that the plan names its gunicorn by."""
    try:
        plan = YAML(typ="safe").load(building.run.plan.read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError, RecursionError):
        return {}
    servers = plan.get("servers") if isinstance(plan, dict) else None
    found = {}
    for server in servers if isinstance(servers, list) else []:
        gunicorn = server.get("gunicorn") if isinstance(server, dict) else None
        port = _port(str(gunicorn.get("port"))) if isinstance(gunicorn, dict) else 0
        if port:
            found[str(server.get("name"))] = {port}
    return found


def _port(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
