"""Everything in one file: the database's rows, the original files, the models that were learned here.

The index is not in it: it is rebuilt from the rows. Rows are kept as JSON lines, so that a backup of a laptop
can be restored into Postgres.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.management import call_command
from django.core.serializers.base import DeserializationError
from django.db import connection, transaction

from indexing import engine
from indexing.models import IndexVersion
from indexing.reindex import rebuild
from library.models import Document, Library

ROWS = "rows.jsonl"
FOLDERS = {"files": settings.MEDIA_ROOT, "models": settings.DATA_DIR / "models"}
BEGIN = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
# Made anew by migrate, or of no use elsewhere.
LEFT_OUT = ["contenttypes", "auth.permission", "sessions", "admin.logentry"]


class BackupError(Exception):
    """What stands in the way, and what to do."""


def backup(target: Path) -> int:
    """Write everything to `target`, which appears only when it is whole. Returns the number of documents.

    Runs beside a working server: the rows are of one moment, and files never change once they are stored.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            open(part, "wb", opener=_private) as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive,
        ):
            rows = Path(folder) / ROWS
            with _snapshot():
                call_command(
                    "dumpdata",
                    exclude=LEFT_OUT,
                    format="jsonl",
                    use_natural_foreign_keys=True,
                    output=str(rows),
                    verbosity=0,
                )
                count = Document.objects.count()
            archive.add(rows, ROWS)
            for name, source in FOLDERS.items():
                for path in sorted(p for p in Path(source).rglob("*") if p.is_file()):
                    _add(archive, path, f"{name}/{path.relative_to(source).as_posix()}")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return count


def restore(source: Path) -> int:
    """Bring everything back into an empty Quarry, and build its index. Returns the number of documents.

    Raises `BackupError` where there are libraries already, or for a file that is no backup.
    """
    call_command("migrate", verbosity=0, interactive=False)
    if Library.objects.exists():
        raise BackupError(
            "There are libraries here already. Restore into a new, empty QUARRY_DATA or database."
        )
    try:
        with tarfile.open(source, "r:gz") as archive, tempfile.TemporaryDirectory() as folder:
            for member in archive:
                _extract(archive, member, Path(folder))
            rows = Path(folder) / ROWS
            if not rows.is_file():
                raise BackupError(f"{source} is not a backup of Quarry.")
            with transaction.atomic():
                IndexVersion.objects.all().delete()
                call_command("loaddata", str(rows), verbosity=0)
    except (tarfile.TarError, zlib.error, DeserializationError, EOFError, OSError) as error:
        raise BackupError(f"{source} cannot be read as a backup: {error}") from error
    IndexVersion.objects.exclude(state=IndexVersion.State.LIVE).delete()
    if live := IndexVersion.objects.filter(state=IndexVersion.State.LIVE).first():
        rebuild(live)
    engine.live_version()
    return Document.objects.count()


@contextmanager
def _snapshot() -> Iterator[None]:
    """Reads of one moment, which hold up no writer. (`atomic()` would take SQLite's write lock.)"""
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(BEGIN[connection.vendor])
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _private(path: str, flags: int) -> int:
    """For whoever makes the backup alone: it holds every document."""
    return os.open(path, flags, 0o600)


def _add(archive: tarfile.TarFile, file: Path, name: str) -> None:
    try:
        archive.add(file, name)
    except FileNotFoundError:
        return  # deleted since the rows were read


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, rows_folder: Path) -> None:
    """Rows aside, files and models to their places. Whoever made the file, nothing but plain files comes in,
    and none outside these folders. (`extract(filter=)` would do, but Debian 12's Python 3.11.2 has none.)"""
    top, *rest = PurePosixPath(member.name).parts or ("",)
    content = archive.extractfile(member) if member.isreg() else None
    if content is None or ".." in rest:
        return
    if member.name == ROWS:
        target = rows_folder / ROWS
    elif top in FOLDERS and rest:
        target = Path(FOLDERS[top]).joinpath(*rest)
    else:
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with content, open(target, "wb", opener=_private) as file:
        shutil.copyfileobj(content, file)
