"""A client of three cloud services: ``cloud.py ENDPOINT`` prints its transcript.

Run by the Python of an environment that has boto3; ENDPOINT is a moto server's. Every
answer is printed as JSON, without the values that differ between any two runs.
"""

from __future__ import annotations

import datetime
import decimal
import json
import sys
import typing as t

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

MEGABYTE = 1024 * 1024
ALL_BYTES = bytes(range(256))

# Values that a service generates in each run or takes from the clock, and therefore the
# length and the checksum of a body.
RANDOM = {
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "MessageId",
    "NextContinuationToken",
    "ReceiptHandle",
    "RequestId",
    "TableId",
    "UploadId",
    "content-length",
    "date",
    "last-modified",
    "x-amz-crc32",
    "x-amzn-requestid",
}


class Transcript:
    """Calls clients' methods and records their answers."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.entries: list[dict[str, t.Any]] = []

    def client(self, service: str) -> t.Any:
        """A client that signs with a made-up key and never retries."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="nobody",
            aws_secret_access_key="nothing",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def call(self, method: t.Callable[..., t.Any], **parameters: t.Any) -> t.Any:
        """Call ``method``; record and return its answer, or the service's error."""
        try:
            answer = method(**parameters)
        except ClientError as error:
            answer = error.response
        if isinstance(answer.get("Body"), StreamingBody):
            answer["Body"] = answer["Body"].read()
        kept = self.comparable(answer)
        self.entries.append({"call": method.__name__, "answer": kept})
        return answer

    def comparable(self, value: t.Any, key: str = "") -> t.Any:
        """``value`` for JSON, with random and local parts replaced by their names."""
        if key in RANDOM or isinstance(value, datetime.datetime):
            return f"<{key}>"
        if isinstance(value, dict):
            return {k: self.comparable(v, k) for k, v in value.items()}
        if isinstance(value, (list, set)):
            return [self.comparable(item) for item in value]
        if isinstance(value, bytes):
            return value.hex() if len(value) <= MEGABYTE else f"{len(value)} bytes"
        if isinstance(value, decimal.Decimal):
            return str(value)
        if isinstance(value, str):
            return value.replace(self.endpoint, "<endpoint>")
        return value


def use_buckets(transcript: Transcript) -> None:
    s3 = transcript.client("s3")
    call = transcript.call
    at = {"Bucket": "pinboard", "Key": "path to/ä+b.bin"}

    call(
        s3.create_bucket,
        Bucket="pinboard",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    call(
        s3.put_object,
        **at,
        Body=ALL_BYTES,
        ContentType="application/x-pins",
        Metadata={"colour": "red"},
    )
    call(s3.head_object, **at)
    assert call(s3.get_object, **at)["Body"] == ALL_BYTES
    assert call(s3.get_object, **at, Range="bytes=10-19")["Body"] == ALL_BYTES[10:20]
    call(s3.copy_object, Bucket="pinboard", Key="copy", CopySource=at)

    upload = {"Bucket": "pinboard", "Key": "large"}
    upload["UploadId"] = call(s3.create_multipart_upload, **upload)["UploadId"]
    # Every part but the last must have at least five megabytes.
    bodies = [ALL_BYTES * (5 * MEGABYTE // 256), b"the end"]
    parts = []
    for number, body in enumerate(bodies, 1):
        part = call(s3.upload_part, **upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    call(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts})
    large = call(s3.get_object, Bucket="pinboard", Key="large")
    assert large["Body"] == b"".join(bodies)

    listed = call(s3.list_objects_v2, Bucket="pinboard", MaxKeys=2)
    assert [found["Key"] for found in listed["Contents"]] == ["copy", "large"]
    call(s3.list_buckets)
    call(s3.delete_bucket, Bucket="pinboard")  # BucketNotEmpty
    everything = [{"Key": key} for key in ("copy", "large", at["Key"])]
    call(s3.delete_objects, Bucket="pinboard", Delete={"Objects": everything})
    call(s3.get_object, **at)  # NoSuchKey
    call(s3.delete_bucket, Bucket="pinboard")
    gone = call(s3.list_objects_v2, Bucket="pinboard")
    assert gone["Error"]["Code"] == "NoSuchBucket"


def use_queues(transcript: Transcript) -> None:
    sqs = transcript.client("sqs")
    call = transcript.call

    at = {"QueueUrl": call(sqs.create_queue, QueueName="errands")["QueueUrl"]}
    call(
        sqs.send_message,
        **at,
        MessageBody="water the elm, für Zoë",
        MessageAttributes={"bytes": {"DataType": "Binary", "BinaryValue": ALL_BYTES}},
    )
    entries = [{"Id": str(n), "MessageBody": f"errand {n}"} for n in range(3)]
    call(sqs.send_message_batch, **at, Entries=entries)
    received = call(
        sqs.receive_message, **at, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    assert received["Messages"][0]["Body"] == "water the elm, für Zoë"
    for message in received["Messages"]:
        call(sqs.delete_message, **at, ReceiptHandle=message["ReceiptHandle"])
    assert "Messages" not in call(sqs.receive_message, **at)
    call(sqs.get_queue_attributes, **at, AttributeNames=["All"])
    call(sqs.delete_queue, **at)
    gone = call(sqs.get_queue_url, QueueName="errands")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 400


def use_tables(transcript: Transcript) -> None:
    dynamodb = transcript.client("dynamodb")
    call = transcript.call
    table = {"TableName": "notices"}

    call(
        dynamodb.create_table,
        **table,
        KeySchema=[
            {"AttributeName": "street", "KeyType": "HASH"},
            {"AttributeName": "number", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "street", "AttributeType": "S"},
            {"AttributeName": "number", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(1, 4):
        item = {
            "street": {"S": "Elm"},
            "number": {"N": str(number)},
            "seal": {"B": ALL_BYTES},
            "tags": {"L": [{"S": "ä"}, {"BOOL": True}, {"NULL": True}]},
        }
        call(dynamodb.put_item, **table, Item=item)
    key = {"street": {"S": "Elm"}, "number": {"N": "2"}}
    call(
        dynamodb.update_item,
        **table,
        Key=key,
        UpdateExpression="SET seen = if_not_exists(seen, :none) + :one REMOVE tags",
        ExpressionAttributeValues={":none": {"N": "0"}, ":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )
    found = call(
        dynamodb.query,
        **table,
        KeyConditionExpression="street = :street AND #number > :number",
        ExpressionAttributeNames={"#number": "number"},
        ExpressionAttributeValues={":street": {"S": "Elm"}, ":number": {"N": "1"}},
    )
    assert [item["number"]["N"] for item in found["Items"]] == ["2", "3"]
    refused = call(
        dynamodb.put_item,
        **table,
        Item=key,
        ConditionExpression="attribute_not_exists(seen)",
    )
    assert refused["Error"]["Code"] == "ConditionalCheckFailedException"
    call(dynamodb.delete_item, **table, Key=key, ReturnValues="ALL_OLD")
    assert "Item" not in call(dynamodb.get_item, **table, Key=key)
    call(dynamodb.delete_table, **table)
    gone = call(dynamodb.describe_table, **table)
    assert gone["Error"]["Code"] == "ResourceNotFoundException"


def main(endpoint: str) -> None:
    transcript = Transcript(endpoint)
    use_buckets(transcript)
    use_queues(transcript)
    use_tables(transcript)
    json.dump(transcript.entries, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
