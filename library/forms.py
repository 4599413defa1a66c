"""Forms of the document path."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import UploadedFile

from library.libraries import Grant
from library.models import Role


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files. `documents.create` judges each for itself: an empty one does not refuse the others."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = [file for file in data or () if file]
        if not files:
            raise forms.ValidationError("Choose at least one file.")
        return files


class UploadForm(forms.Form):
    file = FilesField(label="Files")


class LibraryForm(forms.Form):
    name = forms.CharField(max_length=200)
    description = forms.CharField(required=False, max_length=500, label="What is in it")


def _role(value: str) -> Role:
    return Role(int(value))


class MemberForm(forms.Form):
    """Gives a user, or else a group, of this name a role; a second time changes it."""

    name = forms.CharField(label="User or group", max_length=150)
    role = forms.TypedChoiceField(choices=Role.choices, coerce=_role, initial=Role.VIEWER)

    def grant(self) -> Grant:
        name = self.cleaned_data["name"].strip()
        is_user = get_user_model().objects.filter(username=name).exists()
        return Grant(self.cleaned_data["role"], **{"user" if is_user else "group": name})


class DocumentFilter(forms.Form):
    """Which documents of a library to list; what cannot be understood does not narrow."""

    status = forms.ChoiceField(choices=[(tab, tab) for tab in ("pending", "ready", "failed")], required=False)
    name = forms.CharField(required=False, max_length=255)

    def values(self) -> dict[str, str]:
        self.is_valid()
        return {key: value for key in self.fields if (value := self.cleaned_data.get(key, ""))}
