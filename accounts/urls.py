"""Sign-in, and the page of a person's own account."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, path

from accounts import views

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "login/",
        auth.LoginView.as_view(template_name="accounts/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("account/", views.account, name="account"),
    path(
        "account/password/",
        auth.PasswordChangeView.as_view(template_name="accounts/password.html"),
        name="password_change",
    ),
    path("account/password/done/", views.password_changed, name="password_change_done"),
    path("account/tokens/", views.create_token, name="create-token"),
    path("account/tokens/revoke/", views.revoke_token, name="revoke-token"),
]
