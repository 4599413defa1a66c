"""Why an order stays as the first stage made it."""

from __future__ import annotations


class NotRerankedError(Exception):
    """There are no scores. `reason` is short and stable, for programs."""

    reason = "unavailable"


class RerankerBusyError(NotRerankedError):
    """Too much is waiting already: answered at once, before it costs anything."""

    reason = "busy"


class DeadlineExpiredError(NotRerankedError):
    """The scores would come too late for whoever asked."""

    reason = "timeout"


class RerankerFailedError(NotRerankedError):
    """The model could not score these pairs; its error is the cause."""

    reason = "failed"


class RerankerUnavailableError(NotRerankedError):
    """The model runs elsewhere, and does not answer."""

    reason = "unavailable"


class RerankerClosedError(NotRerankedError):
    """The model thread has been stopped."""

    reason = "unavailable"
