"""What the commands that work on a data folder have in common."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError, connection

from config.first_start import prepare
from indexing import engine
from library.models import Library
from retrieval.index.base import IndexUnavailableError


class DataCommand(BaseCommand):
    """A command that also works before the first `make run`, lets go of the index when it ends, and says in a
    sentence what stopped it."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            if Library._meta.db_table not in connection.introspection.table_names():
                prepare(self.stderr.write)  # not among the results, which may be JSON
            return super().execute(*args, **options)
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {error}") from error
        except IndexUnavailableError as error:
            raise CommandError(f"The index does not answer: {error}") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.") from None
        finally:
            engine.close_index()
