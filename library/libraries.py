"""Make and share libraries: the only writers of their rows besides the admin and the commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from library.access import grants_of, readable_libraries, role_in
from library.errors import RefusedError
from library.models import Access, Document, Library, Role


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for one user or one group, by name."""

    role: Role
    user: str = ""
    group: str = ""


def described(user: Any) -> QuerySet[Library]:
    """The libraries that the user may read, each with their `role` and its `document_count`."""
    mine = grants_of(user).filter(library=OuterRef("pk"))
    highest = Subquery(mine.order_by("-role").values("role")[:1])
    documents = Document.objects.filter(library=OuterRef("pk")).order_by().values("library")
    count = documents.annotate(count=Count("pk")).values("count")
    return readable_libraries(user).annotate(
        role=Value(Role.MANAGER) if user.is_superuser else highest,
        document_count=Coalesce(Subquery(count), 0),
    )


def create(user: Any, name: str, description: str = "") -> Library:
    """A library that the user manages. Raises `RefusedError` without the permission, and for the name of one
    that they can read."""
    if not user.has_perm("library.add_library"):
        raise RefusedError("forbidden", 403, "You may not create libraries. Ask an admin to do it for you.")
    with transaction.atomic():
        library = Library(name=name, description=description)
        _check_name(library, user)
        library.save()
        Access.objects.create(library=library, user=user, role=Role.MANAGER)
    return library


def change(library: Library, *, by: Any, **fields: str) -> None:
    """Change its name or description. Raises `RefusedError` for the name of one that `by` can read."""
    for field, value in fields.items():
        setattr(library, field, value)
    if "name" in fields:
        _check_name(library, by)
    library.save()


def _check_name(library: Library, user: Any) -> None:
    """What the person cannot read must not be told, so its name is free."""
    if readable_libraries(user).filter(name=library.name).exclude(pk=library.pk).exists():
        raise RefusedError("name_taken", 409, "There is a library of this name. Choose another name.")


def told_apart(names: Mapping[UUID, str]) -> dict[UUID, str]:
    """Names to show, by the library's id: with the first manager where two are alike."""
    times = Counter(names.values())
    alike = [pk for pk, name in names.items() if times[name] > 1]
    managers: dict[UUID, str] = {}
    if alike:
        rows = Access.objects.filter(library__in=alike, role=Role.MANAGER).order_by("-pk")
        for pk, user, group in rows.values_list("library", "user__username", "group__name"):
            managers[pk] = user or group
    return {**names, **{pk: f"{names[pk]} ({managers.get(pk, str(pk)[:8])})" for pk in alike}}


def grants(library: Library) -> list[Grant]:
    """Who may do what in the library, managers first."""
    rows = library.access.select_related("user", "group").order_by("-role", "pk")
    return [
        Grant(
            Role(row.role),
            user=row.user.get_username() if row.user else "",
            group=row.group.name if row.group else "",
        )
        for row in rows
    ]


def share(library: Library, grants: Sequence[Grant], *, by: Any) -> None:
    """Replace the library's list of people, as a whole or not at all.

    Raises `RefusedError` for unknown or repeated people, and for a list that would leave `by`, or everybody,
    without a manager's rights: they could not undo it.
    """
    rows = [_row(library, grant) for grant in grants]
    if len({(row.user_id, row.group_id) for row in rows}) < len(rows):
        raise RefusedError("repeated_person", 400, "Each user and each group can be in the list once.")
    with _locked(library):
        Access.objects.filter(library=library).delete()
        Access.objects.bulk_create(rows)
        if role_in(by, library) != Role.MANAGER or not any(row.role == Role.MANAGER for row in rows):
            raise RefusedError(
                "no_manager", 409, "You would lock yourself out. Keep yourself, or your group, as manager."
            )


def set_role(library: Library, grant: Grant, *, by: Any) -> None:
    """Give one person or group a role; as `share`. The others are read under the same lock, so that nobody
    who is being added or removed at this moment is forgotten, or comes back."""
    with _locked(library):
        share(library, [*_without(library, grant.user, grant.group), grant], by=by)


def remove(library: Library, *, user: str, group: str, by: Any) -> None:
    """Take one person or group off the list; as `share`."""
    with _locked(library):
        share(library, _without(library, user, group), by=by)


def _without(library: Library, user: str, group: str) -> list[Grant]:
    return [g for g in grants(library) if (g.user, g.group) != (user, group)]


@contextmanager
def _locked(library: Library) -> Iterator[None]:
    with transaction.atomic():
        Library.objects.select_for_update().get(pk=library.pk)
        yield


def _row(library: Library, grant: Grant) -> Access:
    if bool(grant.user) == bool(grant.group):
        raise RefusedError("invalid", 400, "Each entry names either a user or a group.")
    users = get_user_model().objects.filter(username=grant.user) if grant.user else None
    groups = Group.objects.filter(name=grant.group) if grant.group else None
    user, group = users.first() if users else None, groups.first() if groups else None
    if user is None and group is None:
        raise RefusedError("unknown_person", 400, f"There is no user or group “{grant.user or grant.group}”.")
    return Access(library=library, user=user, group=group, role=grant.role)
