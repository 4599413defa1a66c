"""Every setting, from the environment (`.env.example` explains each).

Embedded (the default) is one process on SQLite, Qdrant Edge and an in-memory broker. Naming a Postgres
database, a Redis and a Qdrant server changes the engines; the code is the same.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.management.utils import get_random_secret_key

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("QUARRY_DATA", str(BASE_DIR / "data"))).expanduser().resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)  # documents and password hashes are in it

# -- What differs between a laptop and production -------------------------------------------------

REDIS_URL = env.url("QUARRY_REDIS_URL", "redis", "rediss")
EMBEDDED = not REDIS_URL
DEBUG = env.boolean("QUARRY_DEBUG", False)
SECRET_KEY = env.secret("QUARRY_SECRET_KEY", DATA_DIR / "secret_key", get_random_secret_key())
ALLOWED_HOSTS = env.words("QUARRY_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("QUARRY_TRUSTED_ORIGINS")
HTTPS = env.boolean("QUARRY_HTTPS", False)

SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": DATA_DIR / "quarry.sqlite3",
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;",
    },
    "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
}


def database() -> dict[str, Any]:
    url = env.url("QUARRY_DATABASE_URL", "postgres", "postgresql")
    if not url:
        return SQLITE
    config: dict[str, Any] = dict(dj_database_url.parse(url, engine="config.postgresql"))
    config["CONN_MAX_AGE"] = 600
    config["CONN_HEALTH_CHECKS"] = True
    patience = env.number("QUARRY_DATABASE_PATIENCE", 60, least=1, most=3600)
    config["OPTIONS"] = {
        "connect_timeout": 2,
        "patience": patience,
        "options": f"-c statement_timeout={20 * patience}s",
        # A server whose machine is gone acknowledges nothing.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,  # ms
        **config.get("OPTIONS", {}),
    }
    return config


DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES: dict[str, Any] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}
        if EMBEDDED
        else {
            "BACKEND": "config.brief_redis.BriefRedisCache",
            "LOCATION": REDIS_URL,
            # A search asks twice, and must not wait for a Redis that hangs.
            "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25},
        }
    ),
    # Scores of the last thousand searches, in each process: Redis, which may hang, would be in their way.
    "rerank": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "rerank",
        "TIMEOUT": 3600,  # the worker's model may be another by then
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
}

# -- Documents, models, index ---------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "files"
MAX_UPLOAD_BYTES = env.number("QUARRY_MAX_UPLOAD_MB", 100, least=1) * 2**20
MAX_FILES_PER_UPLOAD = env.number("QUARRY_MAX_FILES_PER_UPLOAD", 200, least=1)
MIN_FREE_BYTES = env.number("QUARRY_MIN_FREE_MB", 256) * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = MAX_FILES_PER_UPLOAD
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
INGEST_THREADS = env.number("QUARRY_INGEST_THREADS", 2, least=1, most=64)

ENCODER = env.text("QUARRY_ENCODER", "models/encoder")
DIMENSIONS = env.number("QUARRY_DIMENSIONS", 512, least=32, most=4096)
CHUNK_WORDS = env.number("QUARRY_CHUNK_WORDS", 180, least=40, most=2000)
OCR_LANGUAGES = env.words("QUARRY_OCR_LANGUAGES", "en")
RERANKER = env.text("QUARRY_RERANKER", "models/reranker")
RERANK_BACKEND = env.text(
    "QUARRY_RERANK_BACKEND",
    "auto",
    choices=("auto", "onnx-int8", "onnx-fp32", "torch-fp16", "torch-fp32", "triton", "off"),
)
RERANK_COMPILE = env.boolean("QUARRY_RERANK_COMPILE", False)
TRITON_URL = env.url("QUARRY_TRITON_URL", "http", "https", needed=RERANK_BACKEND == "triton")
RERANK_PASSAGES = env.number("QUARRY_RERANK_PASSAGES", 20, least=1, most=200)
RERANK_DEADLINE_MS = env.number("QUARRY_RERANK_DEADLINE_MS", 1200, least=50, most=60_000)
RERANK_METRICS_PORT = env.number("QUARRY_RERANK_METRICS_PORT", 0, most=65535)
METRICS_TOKEN = env.text("QUARRY_METRICS_TOKEN")

QDRANT_URL = env.url("QUARRY_QDRANT_URL", "http", "https")
QDRANT: dict[str, Any] = {
    "api_key": env.text("QUARRY_QDRANT_API_KEY"),
    "prefer_grpc": env.boolean("QUARRY_QDRANT_GRPC", False),
    "shard_number": env.number("QUARRY_QDRANT_SHARDS", 1, least=1),
    "replication_factor": env.number("QUARRY_QDRANT_REPLICAS", 1, least=1),
    "write_consistency_factor": env.number("QUARRY_QDRANT_WRITE_CONSISTENCY", 1, least=1),
}
INDEX_DIR = DATA_DIR / "index"

# -- Tasks: Postgres (or SQLite) is the truth, the broker only a doorbell --------------------------

CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_RESULT_BACKEND = REDIS_URL or "cache+memory://"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Publishing must fail at once while Redis is down: the sweep rings again later.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"polling_interval": 0.005}
    if EMBEDDED
    else {
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
        # Longer than the hard time limit, or a task that still runs is delivered again.
        "visibility_timeout": 900,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
    }
)
CELERY_REDIS_SOCKET_TIMEOUT = 2.0
CELERY_REDIS_SOCKET_CONNECT_TIMEOUT = 1.0
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"retry_policy": {"timeout": 1.0, "max_retries": 1}}
CELERY_RESULT_EXPIRES = timedelta(minutes=5)  # scores that nobody waits for any more fill Redis
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_ROUTES = {
    "searchapp.tasks.rerank": {"queue": "rerank"},
    "learning.tasks.learn": {"queue": "train"},
}
# Commands store rows that no message announces in embedded mode, so the sweep is quick there.
SWEEP_EVERY = timedelta(seconds=1 if EMBEDDED else 30)
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "ingestion.tasks.sweep", "schedule": SWEEP_EVERY},
    "sweep-learning": {"task": "learning.tasks.sweep", "schedule": SWEEP_EVERY},
    "reconcile": {"task": "indexing.tasks.reconcile", "schedule": timedelta(hours=1)},
    # A lost index is noticed by one, and confirmed by the next. None is left over while a worker rebuilds it.
    "heal": {
        "task": "indexing.tasks.heal",
        "schedule": timedelta(seconds=10),
        "options": {"expires": 30},
    },
}
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # in memory; the sweep finds in the database what is due

# -- Web ------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "library",
    "indexing",
    "ingestion",
    "learning",
    "accounts",
    "searchapp",
    "operations",
    "config",
]
MIDDLEWARE = [
    "operations.health.HealthChecks",
    "operations.metrics.RequestMetrics",
    "operations.nul.RefuseNul",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
STATIC_URL = "static/"
# The image names the folder where it has collected them, hashed and compressed; a checkout has none.
STATIC_ROOT = env.text("QUARRY_STATIC") or None
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_STORAGE: dict[str, Any] = (
    {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
        # Root collects them, and another user reads them: the modes of uploads are not for them.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    }
    if STATIC_ROOT
    else {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
)
STORAGES = {"default": {"BACKEND": "library.storage.DurableStorage"}, "staticfiles": STATICFILES_STORAGE}
WHITENOISE_USE_FINDERS = not STATIC_ROOT
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("png", "map")  # compressed already, or asked for by nobody

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "search"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.time_zone("QUARRY_TIME_ZONE", "UTC")
USE_I18N = False
USE_TZ = True

# -- REST -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["library.http.BoundedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "library.http.AcceptAll",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "operations.problems.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.UserThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": env.rate("QUARRY_API_RATE", "6000/min")},
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": timedelta(days=env.number("QUARRY_TOKEN_DAYS", 90))}
SPECTACULAR_SETTINGS = {
    "TITLE": "Quarry",
    "DESCRIPTION": "Search over an organisation's own documents.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {"StatusEnum": "library.models.Status"},
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.text("QUARRY_LOG_LEVEL", "WARNING", choices=LOG_LEVELS)},
}
