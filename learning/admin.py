"""Learning in the admin: an action for libraries, and the runs, which are shown, not edited."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from learning import requests
from learning.models import LearningRun
from library.admin import LibraryAdmin, ReadOnlyAdmin
from library.errors import RefusedError
from library.models import Library

admin.site.unregister(Library)


@admin.register(Library)
class LearnableLibraryAdmin(LibraryAdmin):
    actions = ["learn"]

    @admin.action(permissions=["change"], description="Learn from the documents of the selected libraries")
    def learn(self, request: HttpRequest, libraries: QuerySet[Library]) -> None:
        """The button of the library's page, for several at once; they wait for each other."""
        for library in libraries:
            try:
                requests.request(library, by=request.user)
            except RefusedError as error:
                self.message_user(request, f"{library}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{library} is learned in the background; see “Quality”.")


@admin.register(LearningRun)
class LearningRunAdmin(ReadOnlyAdmin):
    list_display = ["library", "state", "progress", "chunks", "requested_by", "created_at", "finished_at"]
    list_filter = ["state", "library"]
    list_select_related = ["library", "requested_by"]
