"""What the commands that work on a data folder have in common."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from config.first_start import keep_private, prepare
from indexing import engine
from indexing.healing import IndexRebuildingError
from library.access import one_library, readable_libraries
from library.errors import RefusedError
from library.models import Library
from retrieval.index.base import IndexUnavailableError


def person_named(name: str | None) -> Any:
    """Return the user of this name; without one, somebody who may read everything. Raises `CommandError`."""
    model = get_user_model()
    if name is None:
        return model(username="command", is_superuser=True)
    try:
        return model.objects.get(username=name)
    except model.DoesNotExist:
        raise CommandError(f"There is no user {name}.") from None


def narrowed_to(user: Any, library: str | None) -> tuple[str, ...]:
    """Return the id of the library to search, as a filter has it; empty for all that the user may read."""
    return (str(library_of(readable_libraries(user), library).pk),) if library else ()


def library_of(libraries: QuerySet[Library], reference: str) -> Library:
    """The one of these that a command names, by id or name. Raises `CommandError` where there is none, and
    `RefusedError` where there are several."""
    try:
        return one_library(libraries, reference)
    except Library.DoesNotExist:
        raise CommandError(f"There is no library {reference} that this person may read.") from None


class DataCommand(BaseCommand):
    """A command that also works before the first `make run`, lets go of the index when it ends, and says in a
    sentence what stopped it."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        keep_private()
        try:
            if Library._meta.db_table not in connection.introspection.table_names():
                prepare(self.stderr.write)  # not among the results, which may be JSON
            return super().execute(*args, **options)
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {error}") from error
        except IndexRebuildingError as error:
            raise CommandError(
                f"The index was lost. {error} A Quarry that runs rebuilds it by itself; without one, "
                "`manage.py reindex` does."
            ) from error
        except IndexUnavailableError as error:
            raise CommandError(f"The index does not answer: {error}") from error
        except RefusedError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.") from None
        finally:
            engine.close_index()
