"""Data sources from databases: what is read, what is refused, and that nothing is changed or told."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from aws_ml_adapter.api.faults import DataFault, RequestFault
from aws_ml_adapter.engine.csv_data import DataFile, read_batches
from aws_ml_adapter.server.databases import Query, check_query, parse_databases, unload
from features.schema import AttributeType, Schema
from textclf.base.errors import ExitCode, UsageError

PASSWORD = "correct-horse-battery"
SCHEMA = {
    "version": "1.0",
    "targetAttributeName": "bought",
    "dataFormat": "CSV",
    "dataFileContainsHeader": True,
    "attributes": [
        {"attributeName": "age", "attributeType": "NUMERIC"},
        {"attributeName": "note", "attributeType": "TEXT"},
        {"attributeName": "bought", "attributeType": "BINARY"},
    ],
}
ROWS = [(20 + n % 60, f'line one\nline, "two" 100% {n}' if n % 2 else None, int(n % 60 > 20)) for n in range(300)]


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("database") / "my sales.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE sales (age REAL, note TEXT, bought BOOLEAN, picture BLOB)")
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?, x'00ff')", ROWS)
    connection.close()
    return path


@pytest.fixture(scope="module")
def selling(make_server, database):
    server = make_server("--database", f"shop/dev=sqlite:///{database}")
    (server.s3 / "bucket").mkdir()
    return server


def create(server, id_: str, *, sql: str = "SELECT age, note, bought FROM sales", rds: bool = False, **more):
    spec = {
        "SelectSqlQuery": sql,
        "DatabaseCredentials": {"Username": "reader", "Password": more.pop("password", PASSWORD)},
        "S3StagingLocation": "s3://bucket/staged/",
        "DataSchema": json.dumps(SCHEMA),
    } | more
    role = {"DataSourceId": id_, "RoleARN": "arn:aws:iam::1:role/r", "ComputeStatistics": True}
    if rds:
        spec["DatabaseInformation"] = {"DatabaseName": "dev", "InstanceIdentifier": "shop"}
        roles = {"ResourceRole": "r", "ServiceRole": "s", "SubnetId": "n", "SecurityGroupIds": ["g"]}
        return server.client.create_data_source_from_rds(RDSData=spec | roles, **role)
    spec.setdefault("DatabaseInformation", {"DatabaseName": "dev", "ClusterIdentifier": "shop"})
    return server.client.create_data_source_from_redshift(DataSpec=spec, **role)


def test_a_bucket_that_is_not_there_is_named(selling):
    said = failure(selling, "ds-nowhere", S3StagingLocation="s3://no-bucket/staged/")
    assert "there is no such bucket" in said
    assert "no-bucket" in said


def failure(server, id_: str, **more) -> str:
    create(server, id_, **more)
    return server.wait("data_source", id_, until=["FAILED"])["Message"]


def refusal(server, id_: str, **more) -> str:
    with pytest.raises(ClientError) as refused:
        create(server, id_, **more)
    assert refused.value.response["Error"]["Code"] == "InvalidInputException"
    return refused.value.response["Error"]["Message"]


@pytest.mark.parametrize("rds", [False, True])
def test_a_query_becomes_a_data_source_that_trains(selling, rds):
    id_ = f"ds-{rds}"
    create(selling, id_, rds=rds)
    shown = selling.wait("data_source", id_)
    assert shown["DataLocationS3"] == f"s3://bucket/staged/{id_}.csv"
    assert shown["RoleARN"] == "arn:aws:iam::1:role/r"
    member = "RDSMetadata" if rds else "RedshiftMetadata"
    if rds:
        named = {"Database": {"DatabaseName": "dev", "InstanceIdentifier": "shop"}}
        named |= {"ResourceRole": "r", "ServiceRole": "s"}
    else:
        named = {"RedshiftDatabase": {"DatabaseName": "dev", "ClusterIdentifier": "shop"}}
    assert shown[member] == {"DatabaseUserName": "reader", **named}
    listed = selling.client.describe_data_sources(FilterVariable="Status", EQ="COMPLETED")["Results"]
    assert [source[member] for source in listed if source["DataSourceId"] == id_] == [shown[member]]
    verbose = selling.client.get_data_source(DataSourceId=id_, Verbose=True)
    assert verbose[member] == shown[member] | {"SelectSqlQuery": "SELECT age, note, bought FROM sales"}
    staged = (selling.s3 / "bucket" / "staged" / f"{id_}.csv").read_text().splitlines()
    assert staged[:3] == ["age,note,bought", "20.0,,0", '21.0,"line one line, ""two"" 100% 1",0']
    assert len(staged) == len(ROWS) + 1
    selling.client.create_ml_model(MLModelId=f"ml-{rds}", MLModelType="BINARY", TrainingDataSourceId=id_)
    assert selling.wait("ml_model", f"ml-{rds}")["InputDataLocationS3"] == shown["DataLocationS3"]


def test_a_repeated_request_is_known_again_and_no_password_is_kept(selling):
    create(selling, "ds-again")
    create(selling, "ds-again")
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        create(selling, "ds-again", password="another-one")
    selling.wait("data_source", "ds-again")
    for path in selling.folder.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


def test_what_cannot_be_read_fails_with_its_reason(selling):
    assert "no such table: absent" in failure(selling, "ds-1", sql="SELECT * FROM absent")
    assert "the query gives 1 columns, the schema has 3" in failure(selling, "ds-2", sql="SELECT age FROM sales")
    assert "a value is binary" in failure(selling, "ds-3", sql="SELECT age, picture, bought FROM sales")
    assert "there is not one row" in failure(selling, "ds-4", sql="SELECT age, note, bought FROM sales WHERE 0")


def test_what_the_request_gets_wrong_is_refused_at_once(selling):
    other = {"DatabaseName": "prod", "ClusterIdentifier": "shop"}
    assert "shop/prod" in refusal(selling, "ds-5", DatabaseInformation=other)
    assert "does not begin with SELECT" in refusal(selling, "ds-5", sql="DELETE FROM sales")
    assert "more than one statement" in refusal(selling, "ds-5", sql="SELECT 1; DROP TABLE sales")
    assert "DataSchema" in refusal(selling, "ds-5", DataSchema="{}")
    assert "the key has a part" in refusal(selling, "ds-5", S3StagingLocation="s3://bucket/../x/")


def test_nothing_is_changed(selling, database, tmp_path):
    before = database.read_bytes()
    sql = "WITH x AS (SELECT 1) INSERT INTO sales SELECT 1, 'x', 1, NULL FROM x"
    assert "readonly" in failure(selling, "ds-6", sql=sql)
    assert database.read_bytes() == before
    absent = Query(database="a/b", url=f"sqlite:///{tmp_path / 'absent.db'}", sql="SELECT 1")
    with pytest.raises(DataFault, match="unable to open"):
        unload(absent, tmp_path / "out.csv", Schema(attributes=(("a", AttributeType.NUMERIC),)))
    assert not (tmp_path / "absent.db").exists()


def test_a_server_that_was_started_without_the_database_says_so(make_server, database):
    server = make_server("--database", f"shop/dev=sqlite:///{database}")
    server.stop()
    server.options = ()
    server.start()
    assert "shop/dev" in refusal(server, "ds")
    with pytest.raises(DataFault, match="started without"):
        unload(
            Query(database="a/b", url=None, sql="SELECT 1"), Path("x"), Schema(attributes=(("a", AttributeType.TEXT),))
        )


@pytest.mark.parametrize(
    "given",
    [
        "shop=sqlite:///x",
        "shop/dev",
        "Shop/dev=sqlite:///x",
        f"shop/dev=nonsense://user:{PASSWORD}@host/x",
        f"shop/dev=postgresql+nodriver://user:{PASSWORD}@host/x",
        f"shop/dev=postgresql://user:{PASSWORD}@host:port/x",
        f"shop/dev={PASSWORD}",
        f"shop/dev=mssql+pyodbc://user:{PASSWORD}@host/x",
    ],
)
def test_databases_that_cannot_be_used_are_refused_without_their_passwords(given):
    with pytest.raises(UsageError) as refused:
        parse_databases([given])
    assert PASSWORD not in str(refused.value)


def test_the_command_refuses_them_too(tmp_path):
    command = [sys.executable, "-m", "aws_ml_adapter", "serve", "--data-dir", str(tmp_path / "x"), "--database", "x=y"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[3])
    assert done.returncode == ExitCode.USAGE
    assert "IDENTIFIER/NAME=URL" in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("sql", "right"),
    [
        ("SELECT 1", True),
        ("  -- all of it\n/* really; */ (select ';' from \"a;b\") ;\n", True),
        ("with x as (select 1) select * from x", True),
        ("", False),
        ("-- SELECT 1", False),
        ("SELECTION", False),
        ("UPDATE sales SET age = 1", False),
        ("SELECT 1; SELECT 2", False),
        ("SELECT 1 /* ; */ ; -- x\n DROP TABLE sales", False),
    ],
)
def test_a_query_is_one_select(sql, right):
    if right:
        check_query(sql)
    else:
        with pytest.raises(RequestFault, match="SelectSqlQuery"):
            check_query(sql)


def test_what_is_written_is_read_again_and_is_bounded(tmp_path, database):
    schema = Schema(
        attributes=(("age", AttributeType.NUMERIC), ("note", AttributeType.TEXT)), target=None, has_header=False
    )
    query = Query(
        database="a/b", url=f"sqlite:///{database}", sql="SELECT age, note FROM sales WHERE note LIKE '%100%'"
    )
    path = tmp_path / "out.csv"
    assert unload(query, path, schema) == 150
    content = path.read_bytes()
    file = DataFile(name="out.csv", size=len(content), chunks=lambda: [content])
    rows = [row for batch in read_batches([file], schema) for row in batch.rows]
    assert rows[0] == ["21.0", 'line one line, "two" 100% 1']
    assert len(rows) == 150
    assert unload(query, path, schema, limit=len(content)) == 150
    with pytest.raises(DataFault, match="is over"):
        unload(query, path, schema, limit=len(content) - 1)
