"""Where the records of a file lie, what is wrong with them, and that each is read again as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from toolkit.engines.sender import json_array
from toolkit.engines.sender.record_files import RecordIndex, scan
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = [
    {"id": 1, "text": "plain"},
    {"id": 2, "text": 'a "quote", a \\ and ] } , [ {'},
    {"id": 3, "text": "Umlaut ü, 漢字, 😀, \u0085"},
    {"id": 4, "deep": {"er": [1, {"a": None}]}},
]


def read_again(path: Path) -> list[dict[str, object]]:
    index = RecordIndex(path)
    for found in scan(path):
        assert not found.problem
        index.add(found)
    try:
        return [index.read(number) for number in reversed(range(1, len(index) + 1))][::-1]
    finally:
        index.close()


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_an_array_in_pieces_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None, ascii_only: bool, piece: int
) -> None:
    monkeypatch.setattr(json_array, "_PIECE", piece)
    path = tmp_path / "r.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(RECORDS, indent=indent, ensure_ascii=ascii_only).encode())
    assert read_again(path) == RECORDS


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS))
    assert read_again(path) == RECORDS


def test_rows(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes('\ufeffid,text\r\n1,"a, ""b"""\r\n\r\n2,"two\r\nlines ü"\r\n'.encode())
    assert read_again(path) == [{"id": "1", "text": 'a, "b"'}, {"id": "2", "text": "two\r\nlines ü"}]
    assert [found.line for found in scan(path)] == [2, 4]


def test_the_line_of_each_record_of_an_array(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text('\n[{"a": 1}, {"a":\n2}\n,\n\n3, "x", null,\n[]]\n')
    assert [(found.line, found.problem) for found in scan(path)] == [
        (2, ""),
        (2, ""),
        (6, "no object but a number"),
        (6, "no object but a text"),
        (6, "no object but null"),
        (7, "no object but a list"),
    ]


def test_bad_lines_cost_themselves(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"a": 1}\n\n{"a": \xff"}\n{"a": \n{"a": 2}')
    assert [(found.line, found.problem.split(":")[0]) for found in scan(path)] == [
        (1, ""),
        (3, "it is no UTF-8"),
        (4, "no JSON"),
        (5, ""),
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("r.json", "[{}", "r.json:1: this is no JSON: it is cut short"),
        ("r.json", "[{},\n]", "r.json:2: this is no JSON"),
        ("r.json", '[{}\n{"a": 1}]', "r.json:2: this is no JSON: '{' where a comma or ] should stand"),
        ("r.json", "  \n", "is empty"),
        ("r.json", "[ ]", "holds no record"),
        ("r.jsonl", "\n \n", "is empty"),
        ("r.csv", "", "is empty"),
        ("r.csv", "a\n\n", "holds no record"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UsageError) as raised:
        list(scan(path))
    assert says in str(raised.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        list(scan(path))


def test_a_file_that_changed_gives_no_wrong_record(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    index = RecordIndex(path)
    for found in scan(path):
        index.add(found)
    path.write_text("x" * 30)
    with pytest.raises(ValueError, match="no JSON"):
        index.read(1)
    index.close()
