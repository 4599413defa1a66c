"""The pages of the document path: libraries, their documents and people, uploads and originals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import reswap, retarget

from ingestion import documents, learning_runs, quality
from ingestion import libraries as sharing
from ingestion.access import document_for, library_for, readable_libraries, role_in
from ingestion.downloads import download
from ingestion.errors import RefusedError
from ingestion.forms import LibraryForm, MemberForm, UploadForm
from ingestion.intake import Outcome, ingest_upload
from ingestion.listing import list_documents, polled
from ingestion.models import PENDING, Document, Library, Role, Status
from ingestion.pages import PageRequest, page, wants_fragment

MAY_CREATE = "ingestion.add_library"


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
    context = {"libraries": readable, "form": form if may_create else None}
    return render(request, "libraries/list.html", context, status=422 if form.errors else 200)


@require_GET
@page
def library(request: PageRequest, library_id: UUID) -> HttpResponse:
    """A library's documents; its upload form for editors, its people for managers."""
    found = library_for(request.user, library_id)
    template = "libraries/_documents.html" if wants_fragment(request) else "libraries/page.html"
    return render(request, template, _library_context(request, found))


def _library_context(request: PageRequest, library: Library, **more: Any) -> dict[str, Any]:
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
            "learning": quality.state_of(library),
        }
    return context | more


@require_GET
@page
def progress(request: PageRequest, library_id: UUID) -> HttpResponse:
    """The rows that a page with waiting documents asks about, and the poll for those that still wait."""
    found = library_for(request.user, library_id)
    rows = polled(found, request.GET.getlist("id"))
    context = _library_context(request, found) | {
        "rows": rows,
        "waiting": [document for document in rows if document.is_pending],
    }
    return render(request, "libraries/progress.html", context)


@require_POST
@page
def learn(request: PageRequest, library_id: UUID) -> HttpResponse:
    """Ask for a learning run, and show where it is."""
    found = library_for(request.user, library_id, Role.MANAGER)
    try:
        learning_runs.request(found, by=request.user)
    except RefusedError as error:
        if wants_fragment(request):
            return _learning(request, found, refused=error.message)
        return _library_page(request, found, refused=error.message)
    if wants_fragment(request):
        return _learning(request, found)
    return redirect(f"{reverse('library', args=[found.pk])}#learning")


@require_GET
@page
def learning(request: PageRequest, library_id: UUID) -> HttpResponse:
    """What a page with a learning run asks about: how far it is, or all anew once its `state` is another, so
    that a screen reader says only that."""
    found = library_for(request.user, library_id, Role.MANAGER)
    state = quality.state_of(found)
    if state.active and state.run and state.run.state == request.GET.get("state"):
        context = {"library": found, "learning": state}
        return render(request, "libraries/_learning_progress.html", context)
    return retarget(reswap(_learning(request, found), "innerHTML"), "#learning")


def _learning(request: PageRequest, library: Library, refused: str = "") -> HttpResponse:
    context = {"library": library, "learning": quality.state_of(library), "refused": refused}
    return render(request, "libraries/_learning.html", context, status=422 if refused else 200)


@require_GET
@page
def show_quality(request: PageRequest) -> HttpResponse:
    """For staff: what was learned, of the libraries that they may read."""
    if not request.user.is_staff:
        raise Http404
    learned, others = quality.libraries(request.user)
    context = {"live": quality.live(request.user), "learned": learned, "others": others}
    return render(request, "quality/page.html", context)


@require_POST
@page
def upload(request: PageRequest, library_id: UUID) -> HttpResponse:
    """Accept files and say of each what became of it: as list items to the script, else as a page."""
    found = library_for(request.user, library_id, Role.EDITOR)
    form = UploadForm(request.POST, request.FILES)
    outcomes: list[Outcome] = []
    if form.is_valid():
        for file in form.cleaned_data["file"]:
            outcomes += ingest_upload(found, file, user=request.user)
    status = 422 if form.errors else 200
    if wants_fragment(request):
        return render(
            request, "libraries/_outcomes.html", {"outcomes": outcomes, "upload_form": form}, status=status
        )
    context = _library_context(request, found, upload_form=form, outcomes=outcomes)
    return render(request, "libraries/page.html", context, status=status)


@require_POST
@page
def retry(request: PageRequest, document_id: UUID) -> HttpResponse:
    document = documents.retry(document_for(request.user, document_id, Role.EDITOR))
    messages.success(request, f"“{document.name}” is queued again.")
    return _changed(request, document)


@require_POST
@page
def delete(request: PageRequest, document_id: UUID) -> HttpResponse:
    document = document_for(request.user, document_id, Role.EDITOR)
    documents.delete(document)
    messages.success(request, f"“{document.name}” is deleted.")
    return _changed(request, document)


def _changed(request: PageRequest, document: Document) -> HttpResponse:
    """Back to the list; htmx gets only the list, so that uploads on the same page go on."""
    if wants_fragment(request):
        return render(request, "libraries/_documents.html", _library_context(request, document.library))
    return redirect("library", document.library_id)


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
    return _library_page(request, found, member_form=form)


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
        return _library_page(request, library, member_form=form)
    messages.success(request, "The list of people is saved. It counts from now on.")
    return redirect("library", library.pk)


def _library_page(request: PageRequest, library: Library, **more: Any) -> HttpResponse:
    """The page again, with what was wrong in a form."""
    return render(request, "libraries/page.html", _library_context(request, library, **more), status=422)
