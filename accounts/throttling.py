"""How many requests a user may send."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:  # it imports this module, which the settings name
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class UserThrottle(UserRateThrottle):
    """Count by user, or by address for those without one. While the cache is away nobody is throttled: search
    outlives Redis."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except Exception:  # every cache backend has errors of its own
            logger.warning("The cache does not answer; requests are not counted.", exc_info=True)
            return True
