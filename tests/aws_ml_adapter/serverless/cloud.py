"""AWS as far as moto has it, and the functions in real processes; for tests and the benchmark."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import uuid
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3

REGION = "eu-west-1"


def load(name: str) -> ModuleType:
    """Load a module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runtime, aws_events = load("lambda_runtime"), load("aws_events")


@cache
def client_of(service: str, url: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    return boto3.client(service, endpoint_url=url, **keys)


class Cloud:
    """One bucket, table and queue with its dead-letter queue, and the functions that work with them."""

    def __init__(self, url: str, folder: Path, model: Path) -> None:
        name = f"textclf-{uuid.uuid4().hex[:12]}"
        self.folder = folder
        self.s3, self.dynamodb, self.sqs = (client_of(service, url) for service in ("s3", "dynamodb", "sqs"))
        self.bucket = self.table = name
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.upload_file(str(model), name, "models/model.textclf")
        self.dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "task_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "task_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 4})
        self.queue = self.sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive})["QueueUrl"]
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "TEXTCLF_BUCKET": name,
            "TEXTCLF_TABLE": name,
            "TEXTCLF_QUEUE_URL": self.queue,
            "TEXTCLF_MODEL": f"s3://{name}/models/model.textclf",
            "TEXTCLF_MODEL_SHA256": hashlib.sha256(model.read_bytes()).hexdigest(),
            "TEXTCLF_SECONDS_PER_PAGE": "30",
            "TMPDIR": str(folder),
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
        }
        self._functions: list[Any] = []

    def function(self, module: str, *, seconds: float = 60, wrapper: tuple[str, ...] = (), **environment: str) -> Any:
        """Start a function."""
        handler = f"aws_ml_adapter.serverless.{module}.handler"
        started = runtime.Function(handler, self.environment | environment, seconds=seconds, wrapper=wrapper)
        self._functions.append(started)
        return started

    def record(self, task_id: str) -> dict[str, Any]:
        """Give a record, as plain values."""
        item = self.dynamodb.get_item(TableName=self.table, Key={"task_id": {"S": task_id}}, ConsistentRead=True)
        return {name: next(iter(value.values())) for name, value in item.get("Item", {}).items()}

    def messages(self, queue: str = "", *, seconds: float = 0) -> list[dict[str, Any]]:
        """Receive what the queue, or the dead-letter queue, has now."""
        found = self.sqs.receive_message(
            QueueUrl=queue or self.queue,
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            WaitTimeSeconds=int(seconds),
        )
        return found.get("Messages", [])

    def deliver(self, work: Any) -> list[str]:
        """Do what Lambda does between a queue and a function; gives the messages that failed."""
        received = self.messages()
        if not received:
            return []
        event = {"Records": [aws_events.sqs_record(message, self.queue) for message in received]}
        answer = work(event)
        failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        for message in received:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return failed

    def close(self) -> None:
        for function in self._functions:
            function.close()
