"""The pages of the document path: uploads, another try, deletion."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from ingestion import documents
from ingestion.intake import Outcome, ingest_upload
from library.access import document_for, library_for
from library.forms import UploadForm
from library.models import Document, Role
from library.pages import PageRequest, page, wants_fragment
from library.views import library_context


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
            request, "ingestion/_outcomes.html", {"outcomes": outcomes, "upload_form": form}, status=status
        )
    context = library_context(request, found, upload_form=form, outcomes=outcomes)
    return render(request, "library/page.html", context, status=status)


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
        return render(request, "library/_documents.html", library_context(request, document.library))
    return redirect("library", document.library_id)
