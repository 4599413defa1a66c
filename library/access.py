"""Who may do what in which library. Every read and write of documents starts here."""

from __future__ import annotations

from typing import TypeAlias
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group
from django.db.models import Max, Q, QuerySet

from library.errors import RefusedError
from library.models import Access, Document, Library, Role

Person: TypeAlias = AbstractBaseUser | AnonymousUser


class ForbiddenError(RefusedError):
    """The person may see the library, but not do this in it. What they may not see is `DoesNotExist`."""

    def __init__(self, needed: Role) -> None:
        super().__init__(
            "forbidden", 403, f"You need to be {needed.label} of this library. Ask one of its managers."
        )


def grants_of(user: Person) -> QuerySet[Access]:
    """What gives a person with an id a role, of their own or by a group."""
    return Access.objects.filter(Q(user=user.pk) | Q(group__in=Group.objects.filter(user=user.pk)))


def readable_libraries(user: Person) -> QuerySet[Library]:
    """The libraries whose documents the person may see. Superusers see all; inactive people none."""
    if not user.is_active:
        return Library.objects.none()
    if getattr(user, "is_superuser", False):
        return Library.objects.all()
    return Library.objects.filter(pk__in=grants_of(user).values("library"))


def readable_documents(user: Person) -> QuerySet[Document]:
    return Document.objects.filter(library__in=readable_libraries(user))


def role_in(user: Person, library: Library) -> Role | None:
    """The person's highest role in the library, of their own or by a group."""
    if not user.is_active:
        return None
    if getattr(user, "is_superuser", False):
        return Role.MANAGER
    role = grants_of(user).filter(library=library).aggregate(role=Max("role"))["role"]
    return Role(role) if role else None


def library_for(user: Person, library_id: UUID, needed: Role = Role.VIEWER) -> Library:
    """The library, if the person has the needed role in it.

    Raises `Library.DoesNotExist` where they may not even see it, `ForbiddenError` where they only may not
    do this.
    """
    library = readable_libraries(user).get(pk=library_id)
    role = role_in(user, library)
    if role is None:
        raise Library.DoesNotExist
    if role < needed:
        raise ForbiddenError(needed)
    return library


def document_for(user: Person, document_id: UUID, needed: Role = Role.VIEWER) -> Document:
    """The document, by the same rules; raises `Document.DoesNotExist` or `ForbiddenError`."""
    document = readable_documents(user).select_related("library").get(pk=document_id)
    library_for(user, document.library_id, needed)
    return document


def library_named(user: Person, reference: str, needed: Role = Role.VIEWER) -> Library:
    """`library_for` by id or by name, as programs and forms name libraries."""
    return library_for(user, one_library(readable_libraries(user), reference).pk, needed)


def one_library(libraries: QuerySet[Library], reference: str) -> Library:
    """The one of these with this id or name.

    Raises `Library.DoesNotExist`, and `RefusedError` with the ids to choose from where several have the name.
    """
    try:
        return libraries.get(pk=UUID(reference))
    except ValueError:
        found = list(libraries.filter(name=reference))
    if not found:
        raise Library.DoesNotExist
    if len(found) > 1:
        ids = ", ".join(str(library.pk) for library in found)
        raise RefusedError(
            "ambiguous_library",
            409,
            f"Several libraries are called “{reference}”. Name one by its id: {ids}.",
        )
    return found[0]
