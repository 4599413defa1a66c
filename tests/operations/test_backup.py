from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from indexing import engine
from library.models import Access, Chunk, Document, Library
from operations import backup
from searchapp.search import search
from tests.factories import people as make_people
from tests.factories import ready_document


@pytest.fixture
def folders(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backup.FOLDERS, "files", settings.MEDIA_ROOT)


def empty(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this a new installation: no rows, no files, no index."""
    engine.close_index()
    call_command("flush", interactive=False, verbosity=0)
    settings.MEDIA_ROOT, settings.INDEX_DIR = tmp_path / "new" / "files", tmp_path / "new" / "index"
    monkeypatch.setitem(backup.FOLDERS, "files", settings.MEDIA_ROOT)


@pytest.mark.django_db(transaction=True)
def test_everything_should_come_back_from_one_file(
    folders: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = make_people()
    stored = ready_document(people.library)
    file = tmp_path / "quarry.backup"
    call_command("backup", file, verbosity=0)
    empty(settings, tmp_path, monkeypatch)
    assert not Library.objects.exists()

    call_command("restore", file, verbosity=0)
    restored = Document.objects.get()
    assert (restored.pk, restored.status) == (stored.pk, "ready")
    with restored.file.open() as content:
        assert content.read() == b"Leave is 25 days a year."
    assert Chunk.objects.count() == 1
    assert get_user_model().objects.get(username="colleague").check_password("colleague-pass-123")
    assert Access.objects.count() == 2
    hits = search(get_user_model().objects.get(username="colleague"), "leave", rerank=False).hits
    assert [hit.chunk.document.name for hit in hits] == ["leave.txt"]
    assert not search(get_user_model().objects.get(username="outsider"), "leave", rerank=False).hits


def test_a_restore_should_refuse_to_mix_with_what_is_there(
    people: Any, tmp_path: Path, folders: None
) -> None:
    file = tmp_path / "quarry.backup"
    call_command("backup", file, verbosity=0)
    with pytest.raises(CommandError, match="There are libraries here already"):
        call_command("restore", file)


@pytest.mark.parametrize("content", [b"", b"not a backup"])
def test_a_file_that_is_no_backup_should_be_refused(db: None, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)
    with pytest.raises(CommandError, match="cannot be read as a backup"):
        call_command("restore", file)


@pytest.mark.django_db(transaction=True)
def test_a_restore_should_write_nothing_outside_its_folders(
    folders: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_people()
    file, forged = tmp_path / "quarry.backup", tmp_path / "forged"
    call_command("backup", file, verbosity=0)
    with tarfile.open(file) as original, tarfile.open(forged, "w:gz") as archive:
        rows = original.getmember(backup.ROWS)
        archive.addfile(rows, original.extractfile(rows))
        for name, kind in (("files/../../../out", tarfile.REGTYPE), ("files/link", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member, io.BytesIO())
    empty(settings, tmp_path, monkeypatch)
    call_command("restore", forged, verbosity=0)
    assert not (tmp_path / "out").exists()
    assert not (settings.MEDIA_ROOT / "link").is_symlink()
