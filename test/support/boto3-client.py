"""boto3 as a process: one request a line on standard input, one answer a line on standard output, both JSON; bytes as {"bytes": base64}."""
import base64
import json
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError


def from_json(value):
    if isinstance(value, dict):
        if list(value) == ["bytes"]:
            return base64.b64decode(value["bytes"])
        return {name: from_json(part) for name, part in value.items()}
    return [from_json(part) for part in value] if isinstance(value, list) else value


def to_json(value):
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: to_json(part) for name, part in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [to_json(part) for part in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def answer(client, request):
    try:
        method = getattr(client, xform_name(request["operation"]))
        return {"output": to_json(method(**from_json(request["input"])))}
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}


def main():
    client = boto3.client("kms", endpoint_url=sys.argv[1], config=Config(retries={"max_attempts": 0}))
    print(json.dumps(client.meta.service_model.operation_names), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(client, json.loads(line))), flush=True)


main()
