"""A world of people, groups, libraries and documents that changes at random, and who may read what of it.

Every document holds a word that nothing else holds, its canary, in its text, title, name and tags; every
library one in its name and description. What a person may read is worked out here anew, from plain sets.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.test import Client
from rest_framework.test import APIClient

from indexing.reindex import reindex
from ingestion import documents, pipeline
from library.models import Access, Document, Library, Role
from tests.factories import ready_document, user
from tests.pages import client_of as browser_of
from tests.support.rest import client_of

USERS, GROUPS, LIBRARIES, DOCUMENTS = 5, 4, 6, 24


@dataclass
class World:
    """What was made, and who may read what by the rules of the design."""

    rng: random.Random
    users: list[Any] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    libraries: dict[str, Library] = field(default_factory=dict)  # by canary
    documents: dict[str, Document] = field(default_factory=dict)  # by canary
    home: dict[str, str] = field(default_factory=dict)  # a document's canary -> its library's
    user_grants: set[tuple[int, str]] = field(default_factory=set)  # user, library
    group_grants: set[tuple[int, str]] = field(default_factory=set)  # group, library
    members: set[tuple[int, int]] = field(default_factory=set)  # user, group
    clients: dict[int, tuple[APIClient, Client]] = field(default_factory=dict)

    def readable(self, person: int) -> set[str]:
        """The canaries of libraries and documents that the person may read."""
        mine = {g for u, g in self.members if u == person}
        libraries = {name for u, name in self.user_grants if u == person}
        libraries |= {name for g, name in self.group_grants if g in mine}
        return libraries | {c for c, name in self.home.items() if name in libraries}

    @property
    def canaries(self) -> set[str]:
        return {*self.libraries, *self.home}

    def add_library(self) -> None:
        name = canary()
        self.libraries[name] = Library.objects.create(name=f"Shelf {name}", description=f"About {name}")

    def add_document(self) -> None:
        mark, name = canary(), self.rng.choice(sorted(self.libraries))
        self.documents[mark] = ready_document(
            self.libraries[name],
            f"The dog barks in {mark}.",
            f"{mark}.txt",
            title=f"Dog {mark}",
            tags=(f"tag-{mark}",),
        )
        self.home[mark] = name

    def toggle_user_grant(self) -> None:
        person, name = self.rng.randrange(USERS), self.rng.choice(sorted(self.libraries))
        row = {"library": self.libraries[name], "user": self.users[person]}
        self._toggle(self.user_grants, (person, name), row)

    def toggle_group_grant(self) -> None:
        group, name = self.rng.randrange(GROUPS), self.rng.choice(sorted(self.libraries))
        row = {"library": self.libraries[name], "group": self.groups[group]}
        self._toggle(self.group_grants, (group, name), row)

    def _toggle(self, grants: set[tuple[int, str]], grant: tuple[int, str], row: dict[str, Any]) -> None:
        if grant in grants:
            Access.objects.filter(**row).delete()
        else:
            Access.objects.create(**row, role=Role.VIEWER)
        grants ^= {grant}

    def move_between_groups(self) -> None:
        person, group = self.rng.randrange(USERS), self.rng.randrange(GROUPS)
        self.users[person].groups.set([self.groups[group]])
        self.members = {(u, g) for u, g in self.members if u != person} | {(person, group)}

    def delete_document(self) -> None:
        mark = self.rng.choice(sorted(self.documents))
        documents.delete(self.documents.pop(mark))
        del self.home[mark]

    def index_again(self) -> None:
        mark = self.rng.choice(sorted(self.documents))
        documents.retry(self.documents[mark])
        pipeline.run(self.documents[mark].pk)

    def reindex(self) -> None:
        reindex()


def canary() -> str:
    return f"zq{uuid4().hex[:12]}"


def make_world(seed: int) -> World:
    world = World(random.Random(seed))
    world.users = [user(f"user-{n}") for n in range(USERS)]
    world.groups = [Group.objects.create(name=f"group-{n}") for n in range(GROUPS)]
    world.clients = {n: (client_of(u), browser_of(u)) for n, u in enumerate(world.users)}
    for _ in range(LIBRARIES):
        world.add_library()
    for _ in range(DOCUMENTS):
        world.add_document()
    for _ in range(2 * USERS):
        world.toggle_user_grant()
        world.toggle_group_grant()
        world.move_between_groups()
    return world
