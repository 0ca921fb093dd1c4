"""Cut a command off from the network: by the kernel where it lets us, otherwise inside Python."""

import functools
import shutil
import subprocess
from pathlib import Path

# Python runs this at start if it stands on the path: no socket of the internet families, no look-up of names.
GUARD = """
import socket

FAMILIES = (socket.AF_INET, socket.AF_INET6)

class Cut(socket.socket):
    def __init__(self, family=-1, *rest, **more):
        if family in (-1, *FAMILIES):
            raise OSError("the network is cut for this process")
        super().__init__(family, *rest, **more)

def refuse(*_, **__):
    raise OSError("the network is cut for this process")

socket.socket = Cut
socket.getaddrinfo = refuse
"""


@functools.cache
def find_namespace_tool() -> tuple[str, ...] | None:
    """The command that runs another with no network at all (in a namespace of its own), or None."""
    if shutil.which("unshare") is None:
        return None
    for command in (("unshare", "--net"), ("unshare", "--map-root-user", "--net")):
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return None


def cut_network(folder: Path) -> tuple[str, ...]:
    """Words to put before a command so that it runs without network; may write a guard into the folder."""
    if tool := find_namespace_tool():
        return tool
    guard = folder / ".no-network"
    guard.mkdir(exist_ok=True)
    (guard / "sitecustomize.py").write_text(GUARD, "utf-8")
    return ("env", f"PYTHONPATH={guard}")
