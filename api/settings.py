"""The settings, and the only place that reads the environment (SANLIAN_...).

It knows how values are written and what they default to, not what is done with them.
"""

import base64
import binascii
import ipaddress
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from db.postgres.address import Address

PREFIX = "SANLIAN_"
KEY_BYTES = 32


class BadSettings(Exception):
    """A setting cannot be used; the message (Chinese, one line) names it and says what it should be."""


def _integer(least: int, most: int, default: int, description: str) -> Any:
    return Field(default, ge=least, le=most, description=description)


class Settings(BaseSettings):
    """Everything that differs between two installations."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    home: Annotated[Path, Field(description="数据目录：内置数据库、密钥和演示令牌放在这里")] = Path(".sanlian")
    database_url: Annotated[
        SecretStr | None,
        Field(description="PostgreSQL 18 的地址 postgresql://用户:密码@主机:端口/库名；不设则用内置数据库"),
    ] = None
    host: Annotated[str, Field(min_length=1, description="监听的地址")] = "127.0.0.1"
    port: int = _integer(1, 65535, 8000, "监听的端口")
    workers: int = _integer(1, 64, 1, "serve 的进程数")
    secret_key: Annotated[
        SecretStr | None,
        Field(
            description="加密证件号码等用的密钥，32 字节的 base64；设了 DATABASE_URL 时必须设，否则自动生成在数据目录里"
        ),
    ] = None
    pool_size: int = _integer(1, 50, 8, "每个进程的数据库连接数上限")
    statement_timeout_ms: int = _integer(100, 600_000, 5000, "一条 SQL 最多执行多少毫秒")
    fast_path: Annotated[bool, Field(description="查询结果直接用数据库给出的 JSON；关掉则逐字段执行，用于对照")] = True
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="日志级别：debug、info、warning、error")
    ] = "info"
    tier_days_team: int = _integer(1, 365, 7, "团队层级的办理天数，到期计入 TIER 时限")
    tier_days_squad: int = _integer(1, 365, 10, "调解队层级的办理天数")
    tier_days_centre: int = _integer(1, 365, 30, "调解中心层级的办理天数")
    max_body_bytes: int = _integer(1024, 16_777_216, 1_048_576, "一次请求正文的字节数上限")
    max_tokens: int = _integer(50, 100_000, 2000, "一份 GraphQL 文档的词元数上限")
    max_depth: int = _integer(1, 100, 12, "GraphQL 选择的层数上限")
    max_aliases: int = _integer(0, 10_000, 30, "别名个数上限")
    max_root_fields: int = _integer(1, 1000, 10, "顶层字段个数上限")
    max_directives: int = _integer(0, 10_000, 40, "指令个数上限")
    max_answer_bytes: int = _integer(1024, 1_000_000_000, 8_388_608, "一次回答数据的字节数上限")
    max_price: int = _integer(10, 1_000_000, 1_000, "一次操作按本人权限编成 SQL 的点数上限")
    max_cost: int = _integer(1, 10_000_000, 20_000, "一次操作的估算成本上限")

    @field_validator("database_url")
    @classmethod
    def _is_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            from db.postgres.address import Address

            Address.parse(value.get_secret_value())
        return value

    @field_validator("secret_key")
    @classmethod
    def _is_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            _decode_key(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _own_key_beside_own_database(self) -> Self:
        if self.database_url is not None and self.secret_key is None:
            # SECURITY: a key made on this machine would be lost with it, and with it what it encrypted elsewhere.
            raise ValueError(f"设了 {PREFIX}DATABASE_URL 时必须同时设 {PREFIX}SECRET_KEY（32 字节的 base64）")
        return self

    @property
    def address(self) -> "Address | None":
        """The external database, or None for the embedded one."""
        if self.database_url is None:
            return None
        from db.postgres.address import Address

        return Address.parse(self.database_url.get_secret_value())

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach `host`."""
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host == "localhost"

    def key(self) -> bytes:
        """The 32 bytes of the secret key; beside an embedded database made once and stored in the home."""
        if self.secret_key is not None:
            return _decode_key(self.secret_key.get_secret_value())
        return _stored_key(self.home.absolute())


def load() -> Settings:
    """The settings of this process. Raises BadSettings."""
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields
    )
    if unknown:
        # A misspelt limit that is ignored in silence is worse than a start that fails.
        raise BadSettings(f"没有名为 {'、'.join(unknown)} 的设置（用 --help 查看全部设置）")
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings("；".join(_problem_text(problem) for problem in error.errors(include_input=False))) from None


def describe() -> list[tuple[str, str, str]]:
    """Name, default and meaning of every setting, for the help."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        text = "" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
        rows.append((PREFIX + name.upper(), text, field.description or ""))
    return rows


def _problem_text(problem: Any) -> str:
    """One problem as a sentence. SECURITY: never with the value, which may be a password or a key."""
    name = "".join(PREFIX + str(part).upper() + " " for part in problem["loc"][:1])
    context = problem.get("ctx", {})
    match problem["type"]:
        case "int_parsing" | "int_type" | "int_from_float":
            what = "应为整数"
        case "greater_than_equal":
            what = f"不能小于 {context['ge']}"
        case "less_than_equal":
            what = f"不能大于 {context['le']}"
        case "bool_parsing" | "bool_type":
            what = "应为 true 或 false"
        case "literal_error":
            what = f"应为 {context['expected'].replace(' or ', ', ')} 之一"
        case "value_error":
            what = str(context["error"])
        case _:
            what = "写得不对"
    return f"{name}{what}"


def _decode_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"应为 {KEY_BYTES} 字节的 base64（可用 openssl rand -base64 32 生成）")
    return key


def _stored_key(home: Path) -> bytes:
    from db.postgres.embedded.placement import EmbeddedServerError, make_home

    path = home / "secret.key"
    try:
        make_home(home)
        if not path.exists():
            draft = path.with_name(f"secret.key.{os.getpid()}")
            handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with open(handle, "wb") as file:
                file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            try:
                os.link(draft, path)  # whole or not at all, and never over a key that another process just made
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise BadSettings(f"密钥文件 {path} 的权限太宽，请执行 chmod 600 {path}")
        return _decode_key(path.read_text())
    except EmbeddedServerError as error:
        raise BadSettings(str(error)) from error
    except (OSError, ValueError) as error:
        raise BadSettings(f"密钥文件 {path} 不能用：{error}") from error
