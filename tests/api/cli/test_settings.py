"""Settings: what is refused with which message, and that no secret is printed."""

import stat

import pytest

from api import settings
from api.settings import BadSettings, Settings
from db.postgres.address import Address
from tests.api.cli.terminal import KEY, call_process


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "x", "SANLIAN_PORT 应为整数"),
        ("PORT", "70000", "SANLIAN_PORT 不能大于 65535"),
        ("WORKERS", "0", "SANLIAN_WORKERS 不能小于 1"),
        ("FAST_PATH", "ja", "SANLIAN_FAST_PATH 应为 true 或 false"),
        ("LOG_LEVEL", "loud", "SANLIAN_LOG_LEVEL 应为"),
        ("PROT", "1", "没有名为 SANLIAN_PROT 的设置"),
        ("SECRET_KEY", "geheim", "SANLIAN_SECRET_KEY 应为 32 字节的 base64"),
        ("DATABASE_URL", "mysql://u:geheim@h/d", "SANLIAN_DATABASE_URL 数据库地址应以 postgresql:// 开头"),
        ("DATABASE_URL", "postgresql://u:geheim@h:x/d", "SANLIAN_DATABASE_URL 数据库地址写得不对"),
        ("DATABASE_URL", "postgresql://u:geheim@h/d?sslrootcert=/x", "不支持的选项：sslrootcert"),
        ("DATABASE_URL", "postgresql://u:geheim@h/d", "必须同时设 SANLIAN_SECRET_KEY"),
    ],
)
def test_bad_setting_is_reported_in_one_line_without_its_value(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SANLIAN_{name}", value)
    with pytest.raises(BadSettings) as refused:
        settings.load()
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_bad_setting_ends_the_command_with_2_and_no_traceback() -> None:
    ended = call_process("migrate", SANLIAN_PORT="x")
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", "SANLIAN_PORT 应为整数\n")


def test_empty_setting_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANLIAN_DATABASE_URL", "")
    assert settings.load().address is None


def test_settings_and_addresses_print_no_secret(at_database: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANLIAN_DATABASE_URL", "postgresql://u:geheim@h/d")
    loaded = settings.load()
    assert "geheim" not in repr(loaded)
    assert KEY not in repr(loaded)
    assert loaded.address is not None
    assert "geheim" not in repr(loaded.address)
    assert loaded.address.password == "geheim"


def test_key_is_made_once_and_readable_by_its_owner_only() -> None:
    loaded = settings.load()
    key = loaded.key()
    path = loaded.home / "secret.key"
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert settings.load().key() == key
    path.chmod(0o644)
    with pytest.raises(BadSettings, match="权限太宽"):
        loaded.key()


@pytest.mark.parametrize(
    ("host", "alone"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("h", False)]
)
def test_loopback_is_recognized(host: str, alone: bool) -> None:
    assert Settings(host=host).loopback is alone
