from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

from textclf.base.errors import BadInputError, ExitCode, OutputError, UsageError
from textclf.library.audit import draw_sample
from textclf.library.database import HEAD, DatabaseError
from textclf.library.library import DATABASE, Library
from textclf.library.tables import Base

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a program on a library in a process of its own."""
    head = (
        "import sys\nfrom datetime import UTC, datetime, timedelta\nfrom textclf.library.library import Library\n"
        "NOW = datetime(2026, 3, 2, tzinfo=UTC)\nfolder, address, *rest = sys.argv[1:]\n"
        "library = Library.open(folder, address or None)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + program, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outputs(*processes: subprocess.Popen[str]) -> list[list[str]]:
    found = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        found.append(out.split())
    return found


def in_one_database(name: str) -> pytest.MarkDecorator:
    """Processes take long to start: run a test in both databases only when there is time."""
    kinds = [pytest.param(kind, marks=() if kind == name else pytest.mark.slow) for kind in ("sqlite", "postgresql")]
    return pytest.mark.parametrize("database", kinds, indirect=True)


def test_the_migrations_make_the_tables_of_the_code(library):
    assert ScriptDirectory.from_config(migrations()).get_current_head() == HEAD
    with library.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("read", [Library.open, Library.look_into])
@pytest.mark.parametrize("version", ["999", "ae1027a6acf"])
def test_tables_of_another_version_are_refused_and_left_alone(library, database, read, version):
    with library.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    with pytest.raises(BadInputError, match=f"has tables of version {version}, which this version of textclf does not"):
        read(library.folder, database)


def test_tables_of_the_first_version_are_brought_up_to_date(tmp_path, database, model_files, monkeypatch):
    old = ScriptDirectory.from_config(migrations()).get_base()
    upgrade = command.upgrade
    monkeypatch.setattr("textclf.library.database.HEAD", old)
    monkeypatch.setattr(command, "upgrade", lambda config, _: upgrade(config, old))
    with Library.open(tmp_path, database) as library, library.database.writing() as session:
        for statement in (
            "INSERT INTO document VALUES (1, 'a', 'a', '', 1, '2026-02-01', 'ok', '', 1, '', '{}')",
            "INSERT INTO model VALUES ('m', 'm', '2026-02-01', '', '{}', NULL)",
            "INSERT INTO prediction VALUES (1, 1, 'm', 'letter', 0.9, 0.5, 'accept', '', '', NULL, '[]', '{}',"
            " '2026-02-03')",
            "INSERT INTO task VALUES ('t', 'pending', '2026-02-01', NULL, '{}', '{}')",
        ):
            session.connection().exec_driver_sql(statement)
    monkeypatch.undo()
    looked_into = Library.look_into(tmp_path, database)
    assert [one.name for one in looked_into.list_documents()] == ["a"]
    looked_into.close()
    with Library.open(tmp_path, database) as library:
        assert library.tasks.start_next().attempts == 1
        assert library.prediction(1).max_error is None
        with library.database.reading() as session:
            assert [one.name for one in draw_sample(session, datetime(2026, 2, 1, tzinfo=UTC), 9)] == ["a"]


def migrations():
    config = Config()
    config.set_main_option("script_location", "textclf.library:migrations")
    return config


def test_what_is_no_database_is_refused_and_left_alone(tmp_path):
    (tmp_path / DATABASE).write_bytes(b"my diary, which is no database" * 100)
    with pytest.raises(BadInputError, match=r"library\.sqlite: cannot be used \(file is not a database\)"):
        Library.open(tmp_path)
    assert (tmp_path / DATABASE).read_bytes().startswith(b"my diary")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        Library.open(tmp_path / "file" / "library")


@pytest.mark.parametrize("address", ["nonsense", "postgresql://a:port/b"])
def test_an_address_that_is_none_is_told(tmp_path, address):
    with pytest.raises(UsageError, match="is no address of a database; give one such as postgresql"):
        Library.open(tmp_path, address)


@pytest.mark.parametrize(
    ("address", "of"),
    [
        ("mysql://ada@host/name", "mysql"),
        ("postgres://ada@host/name", "postgres"),
        ("oracle2+x://ada@host/name", r"oracle2\+x"),
        ("postgresql+asyncpg://ada@host/name", r"postgresql\+asyncpg"),
        ("postgresql+psycopg2://ada@host/name", r"postgresql\+psycopg2"),
        ("sqlite+aiosqlite:///a.db", r"sqlite\+aiosqlite"),
    ],
)
def test_a_database_that_is_not_supported_is_told(tmp_path, address, of):
    with pytest.raises(UsageError, match=f"{of} is not supported, only SQLite, and PostgreSQL by psycopg; give one"):
        Library.open(tmp_path, address)


def test_a_server_that_does_not_answer_is_told_without_its_password(tmp_path):
    pytest.importorskip("psycopg", reason="the extra [postgresql] is not installed")
    with pytest.raises(DatabaseError) as caught:
        Library.open(tmp_path, "postgresql+psycopg://ada:secret@127.0.0.1:1/desk")
    assert "ada:***@127.0.0.1:1/desk: cannot be used" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == ExitCode.SERVICE


def test_a_database_that_another_program_holds_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("textclf.library.database._BUSY", 0.1)
    with Library.open(tmp_path) as library:
        other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BadInputError, match="another program holds it"):
            library.tasks.add("a", {}, at=NOW)
        other.close()


@in_one_database("sqlite")
def test_several_processes_open_a_new_library_at_once(tmp_path, database):
    processes = [start("print(len(library.list_documents()))", tmp_path, database or "") for _ in range(2)]
    assert outputs(*processes) == [["0"]] * 2


@in_one_database("postgresql")
def test_several_processes_claim_different_documents(library, for_review, database):
    expected = {for_review(f"{number:02}").id for number in range(24)}
    claims = (
        "while claim := library.claim_next(by=rest[0], at=NOW, order='oldest'):\n"
        "    print(claim.document_id)\n    library.decide(claim.document_id, 'letter', by=rest[0], at=NOW)\n"
    )
    names = ("ada", "bob")
    found = outputs(*(start(claims, library.folder, database or "", name) for name in names))
    claimed = [int(one) for ids in found for one in ids]
    assert sorted(claimed) == sorted(expected), "each is shown once"
    assert {one.document_id: one.by for one in library.corrections()} == {
        int(one): name for name, ids in zip(names, found, strict=True) for one in ids
    }


def test_a_document_that_is_decided_while_it_is_being_claimed_is_not_shown(library, for_review, database):
    first, second = (for_review(name).id for name in ("a", "b"))
    other = Library.open(library.folder, database)
    engine, seen = library.database.engine, []

    def decide(_connection, _cursor, statement, *_):
        if "skip locked" in statement.lower() and not seen:
            seen.append(statement)
            other.decide(first, "letter", by="ada", at=NOW)

    if database is None:
        pytest.skip("SQLite lets one process write at a time")
    event.listen(engine, "after_cursor_execute", decide)
    try:
        assert library.claim_next(by="bob", at=NOW, order="oldest").document_id == second
    finally:
        event.remove(engine, "after_cursor_execute", decide)
        other.close()
    assert seen


@in_one_database("sqlite")
def test_several_processes_add_the_same_documents(library, database):
    adds = (
        "for n in range(20):\n    d, new = library.add_document(sha256=f'{n:064}', name='a', size=1, at=NOW)\n"
        "    if new: print(n)\n"
    )
    found = outputs(*(start(adds, library.folder, database or "") for _ in range(2)))
    assert sorted(int(one) for numbers in found for one in numbers) == list(range(20))
    assert len(library.list_documents()) == 20


@in_one_database("postgresql")
def test_two_people_who_go_back_at_once_go_back_one_after_the_other(library, model_files, database):
    first, second = (library.add_model(path, at=NOW).id for path in model_files[:2])
    for model_id in (first, second, first):
        library.put_on_duty(model_id, by="ada", at=NOW)
    goes_back = "print(library.go_back(by=rest[0], at=NOW).model_id)\n"
    with library.database.writing() as session:
        # both have begun before either has ended
        session.execute(text("UPDATE duty SET by = by"))
        processes = [start(goes_back, library.folder, database or "", name) for name in ("ada", "bob")]
        time.sleep(2)
    assert sorted(outputs(*processes)) == sorted([[first], [second]])
    assert library.model_on_duty().id == first


@in_one_database("sqlite")
def test_two_people_who_take_a_model_at_once_take_it_once(library, model_files, database):
    model_id = library.add_model(model_files[0], at=NOW).id
    takes = "print(library.put_on_duty(rest[1], by=rest[0], at=NOW).by)\n"
    with library.database.writing() as session:
        session.execute(text("UPDATE model SET name = name"))
        if not library.database.is_file:
            session.execute(text("LOCK TABLE duty IN SHARE MODE"))
        processes = [start(takes, library.folder, database or "", name, model_id) for name in ("ada", "bob")]
        time.sleep(2)
    first, second = outputs(*processes)
    assert first == second, "who was later is told who was first"


@pytest.mark.parametrize("kills", [2, pytest.param(60, marks=pytest.mark.endurance)])
@in_one_database("sqlite")
def test_a_process_that_is_killed_while_it_writes_loses_nothing_that_it_told_of(library, database, kills):
    """It prints each change after it was made: all printed are there, and each is there once."""
    writes = (
        "n = int(rest[0])\n"
        "while True:\n"
        "    d, new = library.add_document(sha256=f'{n:064}', name=str(n), size=1, at=NOW)\n"
        "    if not library.decision(d.id): library.decide(d.id, 'letter', by='ada', at=NOW)\n"
        "    library.decide(d.id, 'receipt', by='ada', at=NOW)\n"
        "    print(n, flush=True)\n    n += 1\n"
    )
    first = 0
    for kill in range(kills):
        process = start(writes, library.folder, database or "", first)
        assert process.stdout is not None
        told = [process.stdout.readline()]
        time.sleep(0.003 * kill)
        process.send_signal(signal.SIGKILL)
        told += process.communicate()[0].splitlines()
        last = int(told[-1])
        corrections = list(library.corrections())
        assert [one.name for one in corrections] == [f"{number}" for number in range(len(corrections))]
        assert len(corrections) in (last + 1, last + 2)
        for one in corrections[first : last + 1]:
            assert [decided.category for decided in library.decision_history(one.document_id)] == ["letter", "receipt"]
        first = last + 1


def test_readers_do_not_wait_for_a_writer(library, add, database):
    add("a")
    with library.database.writing() as session:
        session.execute(text("UPDATE document SET name = 'b'"))
        assert [one.name for one in library.list_documents()] == ["a"]
    assert [one.name for one in library.list_documents()] == ["b"]


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_library_in_memory_is_refused(tmp_path, address):
    with pytest.raises(UsageError, match="would be in memory, and gone with the command"):
        Library.open(tmp_path / "library", address)


@pytest.mark.parametrize("read", [Library.open, Library.look_into])
def test_a_library_that_was_emptied_is_refused_as_damaged_and_left_alone(tmp_path, read):
    Library.open(tmp_path).close()
    (tmp_path / DATABASE).write_bytes(b"")
    with pytest.raises(BadInputError, match="is empty, and so damaged") as refused:
        read(tmp_path)
    assert refused.value.remedy == "put back a copy of that file, or remove it to begin anew"
    assert (tmp_path / DATABASE).stat().st_size == 0


def test_a_new_file_is_made_only_by_who_writes(tmp_path):
    address = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert Library.look_into(tmp_path / "library", address) is None
    assert list(tmp_path.iterdir()) == []
    Library.open(tmp_path / "library", address).close()


def test_a_password_with_an_at_sign_is_in_no_message(tmp_path):
    with pytest.raises(UsageError, match="more than one @") as refused:
        Library.open(tmp_path, "postgresql+psycopg://anna:pa@ss@127.0.0.1:9/desk")
    assert "ss" not in f"{refused.value}".replace("password", "")
