"""Events as AWS documents them."""

from __future__ import annotations

import base64
from typing import Any

REGION = "eu-west-1"
CALLER = "arn:aws:sts::111122223333:assumed-role/scanner/session-1"


def sqs_record(message: dict[str, Any], queue: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {
            "ApproximateReceiveCount": message["Attributes"]["ApproximateReceiveCount"],
            "SentTimestamp": message["Attributes"]["SentTimestamp"],
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": message["Attributes"]["ApproximateFirstReceiveTimestamp"],
        },
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:{queue.rpartition('/')[2]}",
        "awsRegion": REGION,
    }


def s3_event(bucket: str, key: str, size: int, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": REGION,
                "eventTime": "2026-11-30T09:00:00.000Z",
                "eventName": name,
                "userIdentity": {"principalId": "AWS:AIDAINPONIXQXHT3IKHL2"},
                "requestParameters": {"sourceIPAddress": "205.255.255.255"},
                "responseElements": {"x-amz-request-id": "D82B88E5F771F645"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "828aa6fc-f7b5-4305-8584-487c791949c1",
                    "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                    "object": {
                        "key": key,
                        "size": size,
                        "eTag": "b21b84d653bb07b05b1e6b33684dc11b",
                        "sequencer": "0C0F6F405D6ED209E1",
                    },
                },
            }
        ]
    }


def http_event(
    method: str,
    path: str,
    *,
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    caller: str | None = CALLER,
    query: str = "",
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html."""
    context: dict[str, Any] = {
        "accountId": "111122223333",
        "apiId": "r3pmxmplak",
        "domainName": "r3pmxmplak.execute-api.eu-west-1.amazonaws.com",
        "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "205.255.255.176"},
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": f"{method} {path}",
        "stage": "$default",
        "timeEpoch": 1583348638390,
    }
    if caller is not None:
        context["authorizer"] = {"iam": {"userArn": caller, "accountId": "111122223333", "callerId": "ARO:session-1"}}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers or {},
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if parameters:
        event["pathParameters"] = parameters
    return with_body(event, body)


def rest_event(
    method: str,
    path: str,
    *,
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    caller: str | None = CALLER,
    query: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html."""
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "2gxmpl",
            "resourcePath": path,
            "httpMethod": method,
            "requestId": "41b45ea3-70b5-11e6-b7bd-69b5aaebc7d9",
            "accountId": "123456789012",
            "identity": {"userArn": caller, "apiKeyId": None, "sourceIp": "205.255.255.176"},
            "stage": "Prod",
            "apiId": "1234567890",
        },
        "body": None,
        "isBase64Encoded": False,
    }
    return with_body(event, body)


def with_body(event: dict[str, Any], body: bytes | str | None) -> dict[str, Any]:
    if isinstance(body, bytes):
        return event | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return event if body is None else event | {"body": body}


def form(content: bytes, name: str = "scan.png") -> tuple[bytes, dict[str, str]]:
    """A form with one file, and its headers."""
    head = f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}
