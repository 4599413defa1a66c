"""Learning on the pages: asking for a run, its progress, and the page "Quality"."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap, retarget

from learning import quality, requests
from library.access import library_for
from library.errors import RefusedError
from library.models import Library, Role
from library.pages import PageRequest, page, wants_fragment
from library.views import library_page


@require_POST
@page
def learn(request: PageRequest, library_id: UUID) -> HttpResponse:
    """Ask for a learning run, and show where it is."""
    found = library_for(request.user, library_id, Role.MANAGER)
    try:
        requests.request(found, by=request.user)
    except RefusedError as error:
        if wants_fragment(request):
            return _learning(request, found, refused=error.message)
        return library_page(request, found, refused=error.message)
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
        return render(request, "learning/_progress.html", context)
    return retarget(reswap(_learning(request, found), "innerHTML"), "#learning")


def _learning(request: PageRequest, library: Library, refused: str = "") -> HttpResponse:
    context = {"library": library, "learning": quality.state_of(library), "refused": refused}
    return render(request, "learning/_panel.html", context, status=422 if refused else 200)


@require_GET
@page
def show_quality(request: PageRequest) -> HttpResponse:
    """For staff: what was learned, of the libraries that they may read."""
    if not request.user.is_staff:
        raise Http404
    learned, others = quality.libraries(request.user)
    context = {"live": quality.live(request.user), "learned": learned, "others": others}
    return render(request, "learning/quality.html", context)
