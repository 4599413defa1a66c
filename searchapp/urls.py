from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, include, path

from searchapp import account, views
from searchapp.api_urls import api_urlpatterns

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.search, name="search"),
    path("documents/<uuid:document_id>/", views.document, name="document"),
    path("", include("ingestion.urls")),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("account/", account.account, name="account"),
    path("account/password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("account/password/done/", account.password_changed, name="password_change_done"),
    path("account/tokens/", account.create_token, name="create-token"),
    path("account/tokens/revoke/", account.revoke_token, name="revoke-token"),
    path("admin/", admin.site.urls),
    *api_urlpatterns,
]

handler400 = "searchapp.problems.bad_request"
handler500 = "searchapp.problems.server_error"
