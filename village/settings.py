"""Settings: environment variables, read once, checked before anything starts."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
MODES = ("development", "production", "test")
MIB = 1024 * 1024
TRAINING = "training"
"""The training village's folder within the instance folder, and the end of its ledger's name."""
TRAINING_OF = "SOI_TRAINING_OF"
"""Set by the server for the training village that it starts, and by nobody else."""
TAKEN_OVER = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "LOG_LEVEL", "TRUSTED_PROXIES")
FACEBOOK_PARTS = ("PAGE", "TOKEN", "APP_SECRET", "VERIFY")
TIKTOK_PARTS = ("APP_KEY", "APP_SECRET", "TOKEN", "SHOP", "CIPHER")
"""What belongs together."""
DEMO_MARK = "demo"
"""The file in the instance folder by which `flask demo` marks a village as invented."""


class SettingsError(Exception):
    """A setting that is missing or makes no sense; its text is one sentence for whoever starts the program."""


@dataclass(frozen=True)
class GhnAccount:
    """An account with Giao Hàng Nhanh, and the shop of it from which they fetch. They pay out to its owner."""

    token: str
    shop: str


@dataclass(frozen=True)
class Settings:
    """What the environment said. Field names are the variables' names in lower case."""

    mode: str
    instance: Path
    database_url: str
    public_url: str
    host: str
    port: int
    workers: int
    """gunicorn's processes, and the threads in each."""
    threads: int
    secret_key: str
    ledger_origin: str
    log_level: str
    trusted_proxies: int
    metrics_token: str
    max_body: int
    max_photo: int
    """Bytes of one photo, or of one certificate's file."""
    demo: bool
    tsa_url: str
    """The RFC 3161 authority that stamps the day's checkpoint; empty when none does."""
    tsa_ca: Path | None
    """The PEM file with that authority's root."""
    ledger_export: Path | None
    """The folder that the keeper keeps as a mirror of the published log; None for no mirror."""
    gs1_prefix_digits: int
    """How many digits at the front of a cooperative's GLN are the company prefix that GS1 gave it (7 to 12)."""
    keeper: bool
    """Whether gunicorn runs the ledger's keeper beside its workers."""
    keeper_nice: int
    """How far the keeper's duties stand back behind all other work: 19, the most, takes only what nobody else needs."""
    jobs: bool
    """Whether gunicorn runs the worker for jobs beside its workers."""
    max_sheet: int
    """Bytes of a spreadsheet that may be sent for import."""
    ledger_policy: Path
    """The file that names the witnesses (C2SP tlog-policy); without it there are none."""
    training_port: int | None
    """Where gunicorn serves the training village beside the real one; None when it does not."""
    training_url: str
    """The training village's own address; empty when there is none."""
    training_of: str
    """In the training village: the address of the real one. Empty in a real village."""
    sensor_raw_days: int
    """How many days every single reading of a sensor is kept; older ones become quarters of an hour."""
    ledger_start_alone: bool
    """Sign although no witness that knows the log can be asked. Dangerous: a database that was put back from a backup
    would then sign a second history over the first, and nobody could take that back."""
    scan_place_header: str
    """The header in which our own proxy names a reader's province (ISO 3166-2, `VN-HN`); empty when it does not."""
    mail_url: str
    """The SMTP server that takes our mail, `smtp://user:password@host:587` (STARTTLS) or `smtps://…`; empty: none."""
    mail_from: str
    """In whose name mail goes out: an address, with a name before it if wanted."""
    sms_url: str
    """The gateway for short messages (see village/outbox/sms.py); empty for none."""
    sms_token: str
    ghn_url: str
    """Where Giao Hàng Nhanh's API is."""
    ghn_token: str
    """Our account with them; empty: sellers deliver by themselves."""
    ghn_shop: str
    """The number of our shop there, from which they fetch."""
    ghn_accounts: Mapping[str, GhnAccount]
    """Cooperatives' own accounts there, by their GLN; the others go by `ghn_token`."""
    ghn_hook: str
    """The secret end of the address that they post to, /hooks/ghn/<GHN_HOOK>."""
    stripe_key: str
    """The secret key of the Stripe account that takes card payments, `sk_…` or `rk_…`; empty: no cards."""
    stripe_webhook_secret: str
    """With which Stripe signs what it posts to /hooks/stripe, `whsec_…`."""
    stripe_url: str
    """Where Stripe's API is."""
    stripe_seller: str
    """The GLN of the one cooperative whose account at Stripe it is; empty: cards are taken for all of them."""
    sepay_key: str
    """The key that SePay sends with its notices; empty together with `sepay_secret`: none are taken."""
    sepay_secret: str
    """With which SePay signs its notices; when set, each must be signed."""
    sepay_token: str
    """With which SePay is asked for a day's transactions; empty: statements are loaded by hand."""
    sepay_url: str
    payos_client_id: str
    """The three names and keys of our channel at payOS; empty: none."""
    payos_api_key: str
    payos_checksum_key: str
    payos_url: str
    payos_seller: str
    """The GLN of the one cooperative whose channel it is; empty: any office may choose it."""
    facebook_page: str
    """The number of the page whose livestreams are read; empty: none are."""
    facebook_token: str
    """That page's access token."""
    facebook_app_secret: str
    """With which Facebook signs what it posts to /hooks/facebook."""
    facebook_verify: str
    """The word of ours that Facebook sends back when the hook is set up there."""
    facebook_url: str
    """Where the Graph API is, with its version."""
    facebook_seller: str
    """The GLN of the one cooperative whose page it is; empty: any seller may read it."""
    tiktok_app_key: str
    """The key of our app at TikTok Shop; empty: no orders are taken over from there."""
    tiktok_app_secret: str
    """With which we sign what we ask, and TikTok Shop what it posts to /hooks/tiktok."""
    tiktok_token: str
    """The shop's access token."""
    tiktok_refresh: str
    """With which a new access token is fetched before the old one ends; empty: somebody sets TIKTOK_TOKEN in time."""
    tiktok_shop: str
    """The shop's number, as notices name it."""
    tiktok_cipher: str
    """The shop's cipher, as requests name it."""
    tiktok_url: str
    tiktok_auth_url: str
    tiktok_seller: str
    """The GLN of the one cooperative whose shop it is; empty: any seller may take its orders over."""

    @property
    def training(self) -> bool:
        """True in a training village: nothing of it touches a real ledger."""
        return bool(self.training_of)

    @property
    def secure(self) -> bool:
        """True when buyers reach us over HTTPS, so that cookies may insist on it."""
        return self.public_url.startswith("https://")


def from_env(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environ`; raises SettingsError with one clear sentence."""
    mode = environ.get("SOI_ENV", "development")
    if mode not in MODES:
        raise SettingsError(f"SOI_ENV is {mode!r}, but must be one of {', '.join(MODES)}.")
    instance = Path(environ.get("INSTANCE") or ROOT / "instance").resolve()
    try:
        instance.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"INSTANCE, the data folder {instance}, cannot be made: {error.strerror}.") from error
    port = _integer(environ, "PORT", 8000, 1, 65535)
    public_url = environ.get("PUBLIC_URL", "" if mode == "production" else f"http://127.0.0.1:{port}").rstrip("/")
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise SettingsError(
            f"PUBLIC_URL is {public_url!r}, but must be the address that labels carry, such as https://soi.example.vn."
        )
    if mode == "production" and parts.scheme != "https":
        raise SettingsError("PUBLIC_URL must start with https:// in production: labels outlive software.")
    return Settings(
        mode=mode,
        instance=instance,
        database_url=_database_url(environ.get("DATABASE_URL", ""), instance),
        public_url=public_url,
        host=environ.get("HOST") or "127.0.0.1",
        port=port,
        workers=_integer(environ, "WORKERS", 2, 1, 64),
        threads=_integer(environ, "THREADS", 8, 1, 256),
        secret_key=_secret_key(environ.get("SECRET_KEY", ""), mode, instance),
        ledger_origin=_origin(environ.get("LEDGER_ORIGIN", ""), parts.netloc),
        log_level=_one_of(environ, "LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        trusted_proxies=_integer(environ, "TRUSTED_PROXIES", 0, 0, 5),
        metrics_token=environ.get("METRICS_TOKEN", ""),
        max_body=_integer(environ, "MAX_BODY_MIB", 2, 1, 64) * MIB,
        max_photo=_integer(environ, "PHOTO_MIB", 12, 1, 64) * MIB,
        demo=(instance / DEMO_MARK).exists(),
        tsa_url=(tsa_url := _tsa_url(environ.get("TSA_URL", ""))),
        tsa_ca=_tsa_ca(environ.get("TSA_CA", ""), tsa_url),
        training_port=(training_port := _training_port(environ, port)),
        training_url=_training_url(environ.get("TRAINING_URL", ""), training_port, parts.hostname, mode),
        training_of=environ.get(TRAINING_OF, ""),
        ledger_policy=_policy(environ.get("LEDGER_POLICY", ""), instance),
        sensor_raw_days=_integer(environ, "SENSOR_RAW_DAYS", 30, 2, 3660),
        ledger_start_alone=_one_of(environ, "LEDGER_START_ALONE", "0", ("0", "1")) == "1",
        ledger_export=Path(folder).resolve() if (folder := environ.get("LEDGER_EXPORT", "")) else None,
        gs1_prefix_digits=_integer(environ, "GS1_PREFIX_DIGITS", 12, 7, 12),
        keeper=_one_of(environ, "KEEPER", "on", ("on", "off")) == "on",
        keeper_nice=_integer(environ, "KEEPER_NICE", 19, 0, 19),
        jobs=_one_of(environ, "JOBS", "on", ("on", "off")) == "on",
        max_sheet=_integer(environ, "SHEET_MIB", 25, 1, 200) * MIB,
        scan_place_header=_header(environ, "SCAN_PLACE_HEADER"),
        mail_url=(mail_url := _mail_url(environ.get("MAIL_URL", ""))),
        mail_from=_mail_from(environ.get("MAIL_FROM", ""), mail_url),
        sms_url=(sms_url := _sms_url(environ.get("SMS_URL", ""))),
        sms_token=_sms_token(environ.get("SMS_TOKEN", ""), sms_url),
        ghn_url=_service_url(environ, "GHN_URL", "https://online-gateway.ghn.vn", path=False),
        ghn_token=(ghn_token := _ghn_word("GHN_TOKEN", environ.get("GHN_TOKEN", ""), 20)),
        ghn_shop=_ghn_shop(environ.get("GHN_SHOP", ""), ghn_token),
        ghn_accounts=(ghn_accounts := _ghn_accounts(environ.get("GHN_ACCOUNTS", ""))),
        ghn_hook=_ghn_hook(environ.get("GHN_HOOK", ""), bool(ghn_token or ghn_accounts)),
        stripe_key=(stripe_key := _stripe_key(environ.get("STRIPE_KEY", ""))),
        stripe_webhook_secret=_stripe_secret(environ.get("STRIPE_WEBHOOK_SECRET", ""), stripe_key),
        stripe_url=_service_url(environ, "STRIPE_URL", "https://api.stripe.com", path=False),
        stripe_seller=_gln(environ, "STRIPE_SELLER"),
        sepay_key=_key(environ, "SEPAY_KEY"),
        sepay_secret=_key(environ, "SEPAY_SECRET"),
        sepay_token=_key(environ, "SEPAY_TOKEN"),
        sepay_url=_service_url(environ, "SEPAY_URL", "https://my.sepay.vn"),
        payos_client_id=(payos := _payos(environ))[0],
        payos_api_key=payos[1],
        payos_checksum_key=payos[2],
        payos_url=_service_url(environ, "PAYOS_URL", "https://api-merchant.payos.vn"),
        payos_seller=_gln(environ, "PAYOS_SELLER"),
        facebook_page=(facebook := _together(environ, "FACEBOOK", FACEBOOK_PARTS))[0],
        facebook_token=facebook[1],
        facebook_app_secret=facebook[2],
        facebook_verify=facebook[3],
        facebook_url=_service_url(environ, "FACEBOOK_URL", "https://graph.facebook.com/v26.0"),
        facebook_seller=_gln(environ, "FACEBOOK_SELLER"),
        tiktok_app_key=(tiktok := _together(environ, "TIKTOK", TIKTOK_PARTS))[0],
        tiktok_app_secret=tiktok[1],
        tiktok_token=tiktok[2],
        tiktok_shop=tiktok[3],
        tiktok_cipher=tiktok[4],
        tiktok_refresh=_long(environ, "TIKTOK_REFRESH"),
        tiktok_url=_service_url(environ, "TIKTOK_URL", "https://open-api.tiktokglobalshop.com", path=False),
        tiktok_auth_url=_service_url(environ, "TIKTOK_AUTH_URL", "https://auth.tiktok-shops.com", path=False),
        tiktok_seller=_gln(environ, "TIKTOK_SELLER"),
    )


def training_environ(settings: Settings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which the training village of this village runs: its own folder, database and keys, no mirror
    and no witnesses. Only what cannot lead to the real ledger is taken over."""
    own = {name: environ[name] for name in TAKEN_OVER if name in environ}
    folder = settings.instance / TRAINING
    folder.mkdir(parents=True, exist_ok=True)
    return {
        **own,
        "INSTANCE": str(folder),
        "HOST": settings.host,
        "PORT": str(settings.training_port),
        "PUBLIC_URL": settings.training_url,
        # It has a secret of its own, which a village that is not in production makes itself.
        "SOI_ENV": "test" if settings.mode == "test" else "development",
        "LEDGER_ORIGIN": f"{settings.ledger_origin}/{TRAINING}",
        "WORKERS": "1",
        "KEEPER": "off",
        TRAINING_OF: settings.public_url,
    }


def _training_port(environ: Mapping[str, str], port: int) -> int | None:
    found = _integer(environ, "TRAINING_PORT", 0, 0, 65535)
    if found == port:
        raise SettingsError(f"TRAINING_PORT is {found}, the same as PORT, but must be another.")
    return found or None


def _training_url(url: str, port: int | None, host: str, mode: str) -> str:
    if port is None:
        return ""
    if not url and mode == "production":
        raise SettingsError("TRAINING_PORT needs TRAINING_URL in production: how members reach the training village.")
    url = (url or f"http://127.0.0.1:{port}").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise SettingsError(f"TRAINING_URL is {url!r}, but must be an address such as https://tap.soi.example.vn.")
    if mode == "production" and (parts.scheme != "https" or parts.hostname == host):
        raise SettingsError("TRAINING_URL must start with https:// in production and have a host name of its own.")
    return url


def _policy(path: str, instance: Path) -> Path:
    if path and not Path(path).is_file():
        raise SettingsError(f"LEDGER_POLICY is {path!r}, but there is no such file.")
    return Path(path).resolve() if path else instance / "policy.txt"


def _database_url(url: str, instance: Path) -> str:
    if not url:
        return f"sqlite:///{instance / 'soi.db'}"
    scheme = url.partition(":")[0]
    if scheme in ("postgres", "postgresql"):
        return "postgresql+psycopg:" + url.partition(":")[2]
    if scheme in ("sqlite", "postgresql+psycopg"):
        return url
    raise SettingsError(f"DATABASE_URL starts with {scheme!r}, but must be a postgresql:// or sqlite:/// address.")


def _secret_key(key: str, mode: str, instance: Path) -> str:
    if key:
        if len(key) < 32:
            raise SettingsError(f"SECRET_KEY has {len(key)} characters, but needs at least 32 random ones.")
        return key
    if mode == "production":
        raise SettingsError("SECRET_KEY is missing; in production set it to at least 32 random characters.")
    path = instance / "secret.key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return path.read_text()


def _origin(origin: str, netloc: str) -> str:
    origin = origin or f"{netloc.replace(':', '-')}/ledger"
    if any(c.isspace() for c in origin) or "+" in origin or "://" in origin or len(origin) > 200:
        raise SettingsError(
            f"LEDGER_ORIGIN is {origin!r}, but must be a URL without scheme, blanks or '+': soi.example.vn/ledger."
        )
    return origin


def _mail_url(url: str) -> str:
    # Its own text is not repeated: it holds a password.
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0 and not parts.path.strip("/")
        fits = fits and not parts.query and not parts.fragment and bool(parts.username) == bool(parts.password)
    except ValueError:
        fits = False
    if url and (not fits or len(url) > 500 or any(not "!" <= c <= "~" for c in url)):
        raise SettingsError(
            "MAIL_URL must look like smtp://user:password@mail.example.vn:587 or smtps://…, a strange character in it"
            " as %40 and so on."
        )
    return url


def _mail_from(text: str, url: str) -> str:
    if not text and not url:
        return ""
    name, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    odd = any(c.isspace() or not "!" <= c <= "~" for c in address) or any(not c.isprintable() for c in text)
    if not at or not local or "." not in domain.strip(".") or odd or len(text) > 200 or any(c in "<>" for c in name):
        raise SettingsError(f"MAIL_FROM is {text!r}, but must be an address such as Soi <tin@soi.example.vn>.")
    return text


def _sms_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        here = parts.hostname in ("localhost", "127.0.0.1", "::1")
        fits = parts.hostname and parts.port != 0 and (parts.scheme == "https" or (parts.scheme == "http" and here))
    except ValueError:
        fits = False
    if url and (not fits or len(url) > 500 or any(not "!" <= c <= "~" for c in url)):
        raise SettingsError("SMS_URL must be the gateway's https:// address, or http:// on this very machine.")
    return url


def _sms_token(token: str, url: str) -> str:
    if bool(token) != bool(url):
        raise SettingsError("SMS_URL and SMS_TOKEN belong together: set both or neither.")
    if any(not "!" <= c <= "~" for c in token):
        raise SettingsError("SMS_TOKEN must be printable ASCII without blanks: it goes into a header.")
    return token


def _ghn_word(name: str, text: str, least: int) -> str:
    # Its own text is not repeated: it is a secret.
    if text and (not least <= len(text) <= 200 or any(not (c.isascii() and (c.isalnum() or c in "-_")) for c in text)):
        raise SettingsError(f"{name} must be at least {least} letters, digits, '-' and '_'.")
    return text


def _ghn_shop(text: str, token: str) -> str:
    if bool(text) != bool(token):
        raise SettingsError("GHN_TOKEN and GHN_SHOP belong together: set both or neither.")
    if text and not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise SettingsError(f"GHN_SHOP is {text!r}, but must be the number of our shop at the carrier.")
    return text


def _ghn_accounts(text: str) -> Mapping[str, GhnAccount]:
    found: dict[str, GhnAccount] = {}
    for one in text.split():
        gln, shop, token, *more = [*one.split(":"), "", ""]
        if any(more) or not _is_gln(gln) or not shop or not token or gln in found:
            # Its own text is not repeated: it holds a secret.
            raise SettingsError("GHN_ACCOUNTS must be GLN:shop:token, each cooperative once, with blanks between them.")
        found[gln] = GhnAccount(_ghn_word("GHN_ACCOUNTS' token", token, 20), _ghn_shop(shop, token))
    return found


def _gln(environ: Mapping[str, str], name: str) -> str:
    text = environ.get(name, "")
    if text and not _is_gln(text):
        raise SettingsError(f"{name} is {text!r}, but must be the 13 digits of a cooperative's GLN.")
    return text


def _is_gln(text: str) -> bool:
    return len(text) == 13 and text.isascii() and text.isdigit()


def _ghn_hook(text: str, asked: bool) -> str:
    if text and not asked:
        raise SettingsError("GHN_HOOK needs GHN_TOKEN: what is posted there is asked again before it is believed.")
    return _ghn_word("GHN_HOOK", text, 24)


def _stripe_key(key: str) -> str:
    # Its own text is not repeated: it spends money.
    if key and (not key.startswith(("sk_", "rk_")) or len(key) > 300 or any(not "!" <= c <= "~" for c in key)):
        raise SettingsError("STRIPE_KEY must be the account's secret key, sk_… or rk_…; pk_… is the public one.")
    return key


def _stripe_secret(secret: str, key: str) -> str:
    if bool(secret) != bool(key):
        raise SettingsError("STRIPE_KEY and STRIPE_WEBHOOK_SECRET belong together: set both or neither.")
    if secret and (not secret.startswith("whsec_") or any(not "!" <= c <= "~" for c in secret)):
        raise SettingsError("STRIPE_WEBHOOK_SECRET must be the signing secret of our endpoint at Stripe, whsec_….")
    return secret


def _key(environ: Mapping[str, str], name: str) -> str:
    # Its own text is not repeated: it is a secret.
    key = environ.get(name, "")
    if key and (not 8 <= len(key) <= 300 or any(not "!" <= c <= "~" for c in key)):
        raise SettingsError(f"{name} must be 8 to 300 characters of ASCII without blanks.")
    return key


def _payos(environ: Mapping[str, str]) -> tuple[str, str, str]:
    client, key, checksum = (_key(environ, f"PAYOS_{name}") for name in ("CLIENT_ID", "API_KEY", "CHECKSUM_KEY"))
    if not bool(client) == bool(key) == bool(checksum):
        raise SettingsError("PAYOS_CLIENT_ID, PAYOS_API_KEY and PAYOS_CHECKSUM_KEY belong together: set all or none.")
    return client, key, checksum


def _long(environ: Mapping[str, str], name: str) -> str:
    # Its own text is not repeated: most of them are secrets.
    key = environ.get(name, "")
    if len(key) > 1000 or any(not "!" <= c <= "~" for c in key):
        raise SettingsError(f"{name} must be at most 1000 characters of ASCII without blanks.")
    return key


def _together(environ: Mapping[str, str], of: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Settings of one account that make sense only all together: all of them, or all empty."""
    found = tuple(_long(environ, f"{of}_{name}") for name in names)
    if any(found) and not all(found):
        told = ", ".join(f"{of}_{name}" for name in names)
        raise SettingsError(f"{told} belong together: set all or none.")
    return found


def _service_url(environ: Mapping[str, str], name: str, usual: str, *, path: bool = True) -> str:
    """Where a service is: `path` when its API may lie below an address, not only at its root."""
    url = environ.get(name) or usual
    try:
        parts = urlsplit(url)
        here = parts.hostname in ("localhost", "127.0.0.1", "::1")
        fits = parts.hostname and parts.port != 0 and (parts.scheme == "https" or (parts.scheme == "http" and here))
        fits = fits and not parts.query and not parts.fragment and not parts.username
        fits = fits and (path or not parts.path.strip("/"))
    except ValueError:
        fits = False
    if not fits or len(url) > 200 or any(not "!" <= c <= "~" for c in url):
        raise SettingsError(f"{name} must be the service's https:// address, or http:// on this very machine.")
    return url.rstrip("/")


def _tsa_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    # It is published with every stamp, so it holds no secret.
    if url and (not fits or len(url) > 200 or any(c in "@?#" or not "!" <= c <= "~" for c in url)):
        raise SettingsError("TSA_URL must be a time-stamp authority's address in ASCII, without password, '?' or '#'.")
    return url


def _tsa_ca(name: str, url: str) -> Path | None:
    if not name:
        if url:
            raise SettingsError("TSA_URL needs TSA_CA, a PEM file with the authority's root: nobody else can check it.")
        return None
    from cryptography.x509 import load_pem_x509_certificates  # few start with it, and it takes its time

    path = Path(name).resolve()
    try:
        load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"TSA_CA is {name!r}, but must be a readable PEM file with a certificate.") from error
    return path


def _integer(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name} is {text!r}, but must be a whole number from {low} to {high}.")
    return int(text)


def _header(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if len(value) > 60 or any(not (c.isascii() and (c.isalnum() or c == "-")) for c in value):
        raise SettingsError(f"{name} is {value!r}, but must be a header's name such as X-Reader-Region.")
    return value


def _one_of(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name) or default
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}, but must be one of {', '.join(allowed)}.")
    return value
