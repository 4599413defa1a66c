"""The page of a person's own account: the password, and the tokens of their programs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from knox.models import get_token_model

from library.pages import PageRequest, page

AuthToken = get_token_model()


@require_GET
@page
def account(request: PageRequest) -> HttpResponse:
    return _account(request)


@require_POST
@page
def create_token(request: PageRequest) -> HttpResponse:
    """Shows the new token once: only its hash is kept."""
    _, token = AuthToken.objects.create(user=request.user)
    return _account(request, token)


@require_POST
@page
def revoke_token(request: PageRequest) -> HttpResponse:
    AuthToken.objects.filter(user=request.user, token_key=request.POST.get("key", "")).delete()
    messages.success(request, "The token is revoked. Programs that use it are refused from now on.")
    return redirect("account")


@require_GET
@page
def password_changed(request: PageRequest) -> HttpResponse:
    messages.success(request, "Your password is changed.")
    return redirect("account")


def _account(request: PageRequest, new_token: str = "") -> HttpResponse:
    tokens = AuthToken.objects.filter(user=request.user, expiry__gt=timezone.now()).order_by("-created")
    return render(request, "accounts/page.html", {"tokens": tokens, "new_token": new_token})
