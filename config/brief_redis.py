"""The cache in Redis, asked only while it answers: what is in it is a help, and worth no waiting."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

AWAY_S = 2.0  # in which nobody asks, after one who asked in vain


class BriefRedis(redis.Redis):
    """Fails at once for a moment after a call that got no answer, in all threads of the process."""

    _next_call: ClassVar[float] = 0.0

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if time.monotonic() < BriefRedis._next_call:
            raise redis.ConnectionError("Redis did not answer a moment ago.")
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (redis.ConnectionError, redis.TimeoutError):
            BriefRedis._next_call = time.monotonic() + AWAY_S
            raise


class BriefRedisClient(RedisCacheClient):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._client = BriefRedis


class BriefRedisCache(RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = BriefRedisClient
