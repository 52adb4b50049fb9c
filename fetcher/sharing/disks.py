"""Whether a path lies on a disk of several hosts, as far as this system can tell."""

from __future__ import annotations

import os
from typing import Final

MOUNTS: Final = "/proc/self/mountinfo"
NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "gpfs", "ocfs2", "gfs2", "beegfs"}
)
NETWORK_FUSE: Final = frozenset(
    {"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse"}
)


def network_disk(path: str, mounts: str | None = None) -> str | None:
    """The kind of network disk on which the path lies; None: this host's own, or not to be told.

    Args:
        path: need not exist.
        mounts: the text of /proc/self/mountinfo; read when None.
    """
    if mounts is None:
        try:
            with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
                mounts = file.read()
        except OSError:
            return None
    path = os.path.realpath(path)
    best, kind = "", ""
    for line in mounts.splitlines():
        before, found, after = line.partition(" - ")
        if not found:
            continue
        point = before.split(" ")[4].encode("utf-8", "surrogateescape").decode("unicode_escape", "replace")
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):  # of two at one point the later covers the earlier
            best, kind = point, after.split(" ")[0]
    return kind if kind in NETWORK or kind in NETWORK_FUSE else None
