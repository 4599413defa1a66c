"""What every page has in common: who may see it, and what an answer of "no" looks like."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from library.access import ForbiddenError
from retrieval.index.base import IndexUnavailableError

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request by a person who is signed in, perhaps by htmx."""

    htmx: HtmxDetails
    user: User


def page(
    view: Callable[Concatenate[PageRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view for people who are signed in; kept out of every cache, since what they may read can change.

    What the person may not see answers 404, what they may only not do 403, and an index that is away 503.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _sign_in(request)
        try:
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
        except ObjectDoesNotExist as error:
            raise Http404 from error
        except ForbiddenError as error:
            raise PermissionDenied(str(error)) from error
        except IndexUnavailableError:
            response = render(request, "503.html", status=503)
            response["Retry-After"] = "5"
        add_never_cache_headers(response)
        patch_vary_headers(response, ["HX-Request"])
        return response

    return wrapped


def wants_fragment(request: PageRequest) -> bool:
    """Whether htmx asks for a part of the page. After "back" it asks for the whole one."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def _sign_in(request: HttpRequest) -> HttpResponse:
    """To the login form; htmx is told to load it as a page, or it would land inside the results."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(reverse("login"))
    return redirect_to_login(request.get_full_path())
