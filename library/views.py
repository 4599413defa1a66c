"""The pages of libraries: their documents and people, and originals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from library import libraries as sharing
from library.access import document_for, library_for, readable_libraries, role_in
from library.downloads import download
from library.errors import RefusedError
from library.forms import LibraryForm, MemberForm, UploadForm
from library.listing import list_documents, polled
from library.models import PENDING, Library, Role, Status
from library.pages import PageRequest, page, wants_fragment

MAY_CREATE = "library.add_library"


@require_http_methods(["GET", "POST"])
@page
def libraries(request: PageRequest) -> HttpResponse:
    """The libraries that the person may read; those with the permission can create one, and manage it."""
    may_create = request.user.has_perm(MAY_CREATE)
    form = LibraryForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return redirect("library", sharing.create(request.user, **form.cleaned_data).pk)
        except RefusedError as error:
            form.add_error("name", error.message)
    readable = readable_libraries(request.user).annotate(
        ready=Count("documents", filter=Q(documents__status=Status.READY), distinct=True),
        pending=Count("documents", filter=Q(documents__status__in=PENDING), distinct=True),
        failed=Count(
            "documents",
            filter=Q(documents__status__in=(Status.FAILED, Status.QUARANTINED)),
            distinct=True,
        ),
    )
    names = sharing.told_apart({library.pk: library.name for library in readable})
    rows = [(names[library.pk], library) for library in readable]
    context = {"libraries": rows, "form": form if may_create else None}
    return render(request, "library/list.html", context, status=422 if form.errors else 200)


@require_GET
@page
def library(request: PageRequest, library_id: UUID) -> HttpResponse:
    """A library's documents; its upload form for editors, its people for managers."""
    found = library_for(request.user, library_id)
    template = "library/_documents.html" if wants_fragment(request) else "library/page.html"
    return render(request, template, library_context(request, found))


def library_context(request: PageRequest, library: Library, **more: Any) -> dict[str, Any]:
    role = role_in(request.user, library) or Role.VIEWER
    context: dict[str, Any] = {
        "library": library,
        "listing": list_documents(library, request.GET),
        "may_edit": role >= Role.EDITOR,
        "may_manage": role >= Role.MANAGER,
    }
    if role >= Role.EDITOR:
        context |= {"upload_form": UploadForm(), "max_megabytes": settings.MAX_UPLOAD_BYTES // 2**20}
    if role >= Role.MANAGER:
        context |= {
            "member_form": MemberForm(),
            "members": sharing.grants(library),
        }
    return context | more


@require_GET
@page
def progress(request: PageRequest, library_id: UUID) -> HttpResponse:
    """The rows that a page with waiting documents asks about, and the poll for those that still wait."""
    found = library_for(request.user, library_id)
    rows = polled(found, request.GET.getlist("id"))
    context = library_context(request, found) | {
        "rows": rows,
        "waiting": [document for document in rows if document.is_pending],
    }
    return render(request, "library/progress.html", context)


@require_GET
def original(request: HttpRequest, document_id: UUID) -> HttpResponseBase:
    """The file as it was uploaded."""
    return _original(request, document_id=document_id)


@page
def _original(request: PageRequest, *, document_id: UUID) -> Any:
    return download(request, document_for(request.user, document_id))


@require_POST
@page
def set_member(request: PageRequest, library_id: UUID) -> HttpResponse:
    """Give a person or a group a role, or another role than before."""
    found = library_for(request.user, library_id, Role.MANAGER)
    form = MemberForm(request.POST)
    if form.is_valid():
        return _share(request, found, form, partial(sharing.set_role, found, form.grant()))
    return library_page(request, found, member_form=form)


@require_POST
@page
def remove_member(request: PageRequest, library_id: UUID) -> HttpResponse:
    found = library_for(request.user, library_id, Role.MANAGER)
    user, group = request.POST.get("user", ""), request.POST.get("group", "")
    form = MemberForm(request.POST or {"name": ""})
    return _share(request, found, form, partial(sharing.remove, found, user=user, group=group))


def _share(
    request: PageRequest, library: Library, form: MemberForm, change: Callable[..., None]
) -> HttpResponse:
    try:
        change(by=request.user)
    except RefusedError as error:
        form.is_valid()
        form.add_error(None, error.message)
        return library_page(request, library, member_form=form)
    messages.success(request, "The list of people is saved. It counts from now on.")
    return redirect("library", library.pk)


def library_page(request: PageRequest, library: Library, **more: Any) -> HttpResponse:
    """The page again, with what was wrong in a form."""
    return render(request, "library/page.html", library_context(request, library, **more), status=422)
