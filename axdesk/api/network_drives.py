"""Whether a folder lies on a drive of the network, where SQLite's locks are not to be trusted."""

import os
import sys
from pathlib import Path

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "9p", "davfs",
     "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.davfs2", "glusterfs", "ceph", "lustre", "gpfs",
     "webdav", "afpfs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse"}
)  # fmt: skip
_DRIVE_REMOTE = 4
_MOUNTS = Path("/proc/self/mounts")


def network_drive(path: Path) -> str:
    """Return the kind of network drive that a file or folder lies on; empty for none.

    Empty, too, where the system does not say.
    """
    path = path.absolute()
    if sys.platform == "win32":
        import ctypes

        if path.drive.startswith("\\\\"):
            return "network share"
        kind = ctypes.windll.kernel32.GetDriveTypeW(f"{path.drive}\\")
        return "network drive" if kind == _DRIVE_REMOTE else ""
    try:
        mounts = _MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return kind_of_mount(os.path.realpath(path), mounts)


def kind_of_mount(path: str, mounts: list[str]) -> str:
    """Return the kind of the network drive among lines of /proc/mounts; empty if it is none."""
    found, longest = "", -1
    for line in mounts:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        is_above = path == point or path.startswith(point.rstrip("/") + "/")
        # Of two mounts at one place the later one is in use.
        if is_above and len(point) >= longest:
            found, longest = fields[2], len(point)
    return found if found.lower() in _NETWORK else ""
