"""S3-compatible stores through s3fs (extra `objects`): what sealing from one and keeping in one share.

Credentials, region and address are found as Amazon's own tools find them (AWS_* in the environment, ~/.aws)
and are nowhere shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mizheng.cli.errors import ConfigurationFault, InputFault, PermissionFault, UnavailableFault
from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import MizhengError


def open_buckets() -> Any:
    """An s3fs.S3FileSystem of its own; ConfigurationFault when the package is not here."""
    try:
        import s3fs
    except ImportError:
        raise ConfigurationFault(
            "an object store needs the package s3fs", "pip install 'mizheng[objects]'"
        ) from None
    # Nothing is remembered between two looks: the second is there to see whether anything changed.
    return s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)


@contextmanager
def translated(name: object, absent: Callable[[], MizhengError] | None = None) -> Iterator[None]:
    """The store's errors in our words; its own may name more than a person should send on.

    `absent` makes the fault of what is not there; else it is an InputFault with the name.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except FileNotFoundError as error:
        if absent is not None:
            raise absent() from error
        raise InputFault("{name}: {reason}", name=name, reason=N_("No such file or directory")) from error
    except PermissionError as error:
        raise PermissionFault(
            "the store does not let these credentials read {name}",
            "ask whoever runs it, or name others: AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            name=name,
        ) from error
    except NoCredentialsError as error:
        raise ConfigurationFault(
            "there are no credentials for the object store",
            "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ) from error
    except (BotoCoreError, ClientError, OSError) as error:
        raise UnavailableFault(
            "the object store does not answer as one: {reason}",
            "is AWS_ENDPOINT_URL right? Amazon's own store is asked when it is not set",
            reason=type(error).__name__,
        ) from error
