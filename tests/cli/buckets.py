"""A bucket of a test's own on moto's server: a real client against it, no fake of one."""

from __future__ import annotations

from itertools import count
from typing import Any

SECRET = "a-secret-that-nobody-should-see"
_NUMBERS = count()


class Bucket:
    """A bucket of the test's own."""

    def __init__(self, endpoint: str) -> None:
        import boto3

        self.name = f"bucket-{next(_NUMBERS)}"
        self.client: Any = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        self.client.create_bucket(Bucket=self.name)

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)

    def keys(self) -> list[str]:
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def address(self, key: str = "") -> str:
        return f"s3://{self.name}/{key}"
