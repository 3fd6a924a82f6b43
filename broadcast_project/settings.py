"""Settings of the service, environment first.

Every value that an installation may want to change is read from the environment or from a `.env`
file beside `manage.py`; docs/deployment.md lists them all.
"""

import re
import socket
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.templatetags.static import static
from redis.connection import parse_url

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / "data"

env = environ.Env()
env.read_env(BASE_DIR / ".env")


def local_secret_key() -> str:
    """Return a key that is made once and kept in `data/`, for runs without SECRET_KEY."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        DATA_DIR.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


# What packages say that they were made by.
VERSION = "1.0.0"

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or local_secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Behind a TLS proxy, HTTPS=on switches on what must not be on without one.
HTTPS = env.bool("HTTPS", False)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 3600 if HTTPS else 0)
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Probes and scrapers on a closed network speak plain HTTP.
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
# Plain HTTP is a deliberate choice on a closed network (HTTPS=off), and a subdomain or preload
# policy belongs to whoever owns the domain, so these warnings are answered here.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if not HTTPS:
    SILENCED_SYSTEM_CHECKS += [
        "security.W004",
        "security.W008",
        "security.W012",
        "security.W016",
    ]

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "broadcast_project.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "simple_history",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "knox",
    "channels",
    "broadcasts",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "broadcasts.web.middleware.ContentSecurityPolicy",
    "broadcasts.web.zones.ViewersZone",
]

ROOT_URLCONF = "broadcast_project.urls"
ASGI_APPLICATION = "broadcast_project.asgi.application"

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
            ],
            "libraries": {"record": "broadcasts.web.template_tags"},
        },
    },
]


def database() -> dict[str, object]:
    """Return the default database, with what each engine needs for a busy single writer."""
    if "DATABASE_URL" not in env:
        DATA_DIR.mkdir(mode=0o700, exist_ok=True)
    config = env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'broadcast.sqlite3'}")
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config.setdefault("OPTIONS", {}).update(
            # IMMEDIATE: a transaction that will write takes the lock at its start, so it waits
            # for its turn instead of failing half-way. WAL: readers never wait for the writer.
            # synchronous=FULL: a commit is on disk before the 204 that depends on it.
            transaction_mode="IMMEDIATE",
            timeout=10,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        )
    elif config["ENGINE"] == "django.db.backends.postgresql":
        # A host that is gone without a word is noticed within seconds, or every caller would wait
        # as long as TCP tries. In the URL they can be set otherwise.
        config["OPTIONS"] = {
            "connect_timeout": 3,
            "keepalives_idle": 3,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 7000,
            **config.get("OPTIONS", {}),
        }
    else:
        raise ImproperlyConfigured("DATABASE_URL must name SQLite or PostgreSQL.")
    return config


DATABASES = {"default": database()}

REDIS_URL = env.str("REDIS_URL", "")
# Options of a TCP socket, in seconds and probes, as far as this system has them.
KEEPALIVE = {
    getattr(socket, name): value
    for name, value in {"TCP_KEEPIDLE": 3, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 2}.items()
    if hasattr(socket, name)
}
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # Redis publishes to all its numbered databases alike, so ours is part of the name.
            "CONFIG": {
                # A host that is gone without a word is noticed within seconds, as with PostgreSQL.
                "hosts": [
                    {
                        "address": REDIS_URL,
                        "socket_connect_timeout": 3,
                        "socket_keepalive": True,
                        "socket_keepalive_options": KEEPALIVE,
                    }
                ],
                "prefix": f"stasis-broadcast-{parse_url(REDIS_URL).get('db', 0)}",
            },
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
FORMAT_MODULE_PATH = "broadcast_project.formats"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "broadcasts" / door / "static" for door in ("web", "admin")]
# Static files are served straight from the packages that bring them: nothing to collect first.
WHITENOISE_USE_FINDERS = True

FILTERS_EMPTY_CHOICE_LABEL = "Any"

LOGIN_URL = "web:sign_in"
LOGIN_REDIRECT_URL = "/"

UNFOLD = {
    "SITE_TITLE": "Stasis Broadcast",
    "SITE_HEADER": "Stasis Broadcast",
    "SITE_SUBHEADER": "Administration",
    "SITE_ICON": lambda request: static("web/mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("web/mark.svg")}
    ],
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("configuration/admin.css")],
    "SCRIPTS": [lambda request: static("configuration/labels.js")],
    "SIDEBAR": {"navigation": "broadcasts.admin.navigation.sidebar"},
    # The teal of mark.svg.
    "COLORS": {
        "primary": {
            "50": "#f0fdfa",
            "100": "#ccfbf1",
            "200": "#99f6e4",
            "300": "#5eead4",
            "400": "#2dd4bf",
            "500": "#2ba79b",
            "600": "#0f766e",
            "700": "#0b5f58",
            "800": "#115e59",
            "900": "#134e4a",
            "950": "#042f2e",
        }
    },
}

# The API for other programs: JSON, read-only, for tokens of ours (see docs/api.md).
KNOX_TOKEN_MODEL = "broadcasts.ApiToken"
# Knox's own migrations would make a table of the tokens that ours replaces.
MIGRATION_MODULES = {"knox": None}
# A token is 256 random bits, so a fast hash of it tells nothing (knox's default, SHA-512). What it
# begins with lets people and scanners of secrets know it for one of ours.
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "sb_"}
# What one token may ask for, in each process: a number per second, minute, hour or day; "": any.
API_RATE = env.str("API_RATE", "600/minute")
if API_RATE and not re.fullmatch(r"[1-9]\d{0,8}/(second|minute|hour|day)", API_RATE):
    raise ImproperlyConfigured("API_RATE must be such as 600/minute, or empty.")
REST_FRAMEWORK = {
    # No session: no page elsewhere can make a browser ask in somebody's name.
    "DEFAULT_AUTHENTICATION_CLASSES": ["broadcasts.api.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["broadcasts.api.rights.MayRead"],
    "DEFAULT_THROTTLE_CLASSES": ["broadcasts.api.rights.TokenRate"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "broadcasts.api.errors.answer",
    "COMPACT_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stasis Broadcast",
    "DESCRIPTION": "The record of broadcasts, read-only: the same filter and columns as the pages.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# Seals the record, signs exports and makes pseudonyms. Changing it breaks the chain of what was
# sealed before, so it may outlive a SECRET_KEY.
RECORD_KEY = env.str("RECORD_KEY", "") or SECRET_KEY
# Days after which callers' numbers become pseudonyms, and after which records go; 0: never.
PSEUDONYMISE_DAYS = env.int("PSEUDONYMISE_DAYS", 0)
RETENTION_DAYS = env.int("RETENTION_DAYS", 0)
# Where packages of exports wait for their download, and where scheduled reports are written.
EXPORTS_DIR = Path(env.str("EXPORTS_DIR", str(DATA_DIR / "exports")))
REPORTS_DIR = Path(env.str("REPORTS_DIR", str(DATA_DIR / "reports")))
EXPORT_KEPT_DAYS = env.int("EXPORT_KEPT_DAYS", 7)

# How scheduled reports are mailed, such as smtp+tls://user:password@mail.example:587.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
# Where people reach the pages, such as https://broadcast.example.org: for links in mails.
PUBLIC_URL = env.str("PUBLIC_URL", "")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "stasis-broadcast@localhost")

# Bearer token with which /metrics may be read from elsewhere; unset: this machine and staff only.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

DEFAULT_EXCEPTION_REPORTER = "broadcast_project.error_reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "broadcast_project.error_reports.NothingTyped"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "broadcast_project.error_reports.Lines",
            "format": "{asctime} {levelname:<7} {name}: {message}",
            "style": "{",
        },
    },
    "filters": {
        # 503 is what /readyz answers while something is missing: no fault, and asked for often.
        "faults": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", 0) != 503,
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    # What it says below WARNING is a line per connection; below INFO, addresses with an api_key.
    "loggers": {
        "django.request": {"filters": ["faults"]},
        "uvicorn.error": {"level": "WARNING"},
        "websockets": {"level": "WARNING"},
    },
}

# The first Asterisk server, dial-in; more are rows in the admin.
ARI_URL = env.str("ARI_URL", "")
ARI_USERNAME = env.str("ARI_USERNAME", "")
ARI_PASSWORD = env.str("ARI_PASSWORD", "")
ARI_APP = env.str("ARI_APP", "broadcast")

# How calls are broadcast where the dialplan says nothing (see docs/claiming.md).
BROADCAST_TIMEOUT_MS = env.int("BROADCAST_TIMEOUT_MS", 500)
BROADCAST_NOTIFY_CLAIMED = env.bool("BROADCAST_NOTIFY_CLAIMED", False)
# What becomes of a call whose winner cannot take it: "offer_again" or "return".
BROADCAST_ON_FAILED_HANDOVER = env.str("BROADCAST_ON_FAILED_HANDOVER", "offer_again")
BROADCAST_HANDOVER_MS = env.int("BROADCAST_HANDOVER_MS", 5000)
# Treat a winner whose socket is lost while it holds the call like one that cannot take it.
BROADCAST_RESCUE = env.bool("BROADCAST_RESCUE", False)
# Native's behaviour, where this service is stricter.
BROADCAST_ANY_NAME_MAY_CLAIM = env.bool("BROADCAST_ANY_NAME_MAY_CLAIM", False)
BROADCAST_BAD_FILTER_ADMITS_ALL = env.bool("BROADCAST_BAD_FILTER_ADMITS_ALL", False)
