"""Django's PostgreSQL, except that nobody waits long for a server that hangs."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from psycopg import IsolationLevel

from config.postgresql.patience import PatientConnection


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection a thread, kept from request to request and checked at the start of each: after a restart
    of the server the check fails and a new connection is made, before the request has done anything.

    The option `patience` is in seconds (`patience.py`).
    """

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        self._patience = params.pop("patience")
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        self.isolation_level = IsolationLevel.READ_COMMITTED  # as the server has it
        return PatientConnection.connect(patience=self._patience, **conn_params)
