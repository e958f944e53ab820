"""What a thread waits in, told by the frames below the application's: a database's driver, an HTTP client, a lock, a sleep.

`time.sleep`, `Lock.acquire` and drivers written in C (sqlite3) have no frame of their own in a recording without native
frames: of them only the application's line is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.analysis.frames import Function

CODE = "code"
"""Library code that is none of these."""
_PACKAGES = {
    "database": {
        "psycopg",
        "psycopg2",
        "psycopg_pool",
        "asyncpg",
        "pymysql",
        "MySQLdb",
        "mysql",
        "aiomysql",
        "sqlite3",
        "aiosqlite",
        "pymongo",
        "motor",
        "redis",
        "aioredis",
        "valkey",
        "cassandra",
        "oracledb",
        "cx_Oracle",
        "pymssql",
        "pyodbc",
        "clickhouse_driver",
        "clickhouse_connect",
        "elasticsearch",
        "opensearchpy",
        "pymemcache",
        "memcache",
        "neo4j",
        "peewee",
        "sqlalchemy",
    },
    "HTTP client": {
        "requests",
        "urllib3",
        "httpx",
        "httpcore",
        "aiohttp",
        "botocore",
        "grpc",
        "pycurl",
        "treq",
    },
    "websocket": {
        "simple_websocket",
        "wsproto",
        "websockets",
        "websocket",
        "flask_sock",
        "engineio",
        "socketio",
    },
    "message queue": {"pika", "kombu", "amqp", "kafka", "confluent_kafka", "celery", "stomp", "nats"},
}
_KINDS = {package: kind for kind, packages in _PACKAGES.items() for package in packages}
_FILES = (
    (re.compile(r"django/db/"), "database"),
    (re.compile(r"http/client\.py|urllib/request\.py"), "HTTP client"),
    (re.compile(r"subprocess\.py"), "subprocess"),
    (re.compile(r"smtplib\.py|ftplib\.py|imaplib\.py|poplib\.py"), "mail or file server"),
    (
        re.compile(r"threading\.py|queue\.py|multiprocessing/synchronize\.py|concurrent/futures/_base\.py"),
        "lock",
    ),
    (re.compile(r"socket\.py|ssl\.py|socketserver\.py"), "socket"),
)
_SLEEPS = {"sleep"}
_LOCKING = {
    "acquire",
    "wait",
    "wait_for",
    "get",
    "put",
    "result",
    "join",
    "__enter__",
    "_wait_for_tstate_lock",
}

WORDS = {
    "database": "a database",
    "HTTP client": "an HTTP client",
    "message queue": "a message queue",
    "subprocess": "a subprocess",
    "mail or file server": "a mail or file server",
    "lock": "a lock",
    "sleep": "a sleep",
    "socket": "a socket",
    "": "a sleep, a lock, or a call into C",
    CODE: "a call from a library",
}
"""How a title says it; of a websocket it says nothing, as to wait is its purpose."""


def kind_of(function: Function) -> str:
    """database, HTTP client, websocket, message queue, subprocess, mail or file server, lock, socket, sleep, or empty."""
    file = function.short_file.replace("\\", "/")
    name = function.name.rpartition(".")[2]
    if not file:
        return "sleep" if name in _SLEEPS else ""
    kind = _KINDS.get(file.partition("/")[0].removesuffix(".py"), "")
    if kind:
        return kind
    for pattern, its in _FILES:
        if pattern.match(file):
            return "" if its == "lock" and name not in _LOCKING else its
    return "sleep" if name in _SLEEPS and function.owner != "application" else ""
