"""Pages of learning."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from learning import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("libraries/<uuid:library_id>/learn/", views.learn, name="learn"),
    path("libraries/<uuid:library_id>/learning/", views.learning, name="learning"),
    path("quality/", views.show_quality, name="quality"),
]
