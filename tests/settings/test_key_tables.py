"""`[[keys]]`: read whole or refused with a sentence, and never a secret in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.settings import Settings, known_secrets, load, require_credentials, settings_of_keys

TOML = """
qps = 30
[[keys]]
name = "shop a"
app_key = 1000001
app_secret = "first-secret"
access_token = "first-token"
qps = 20

[[keys]]
app_key = "1000002"
app_secret = "second-secret"
token_file = "second.json"
"""


def given(tmp_path: Path, text: str) -> Any:
    """Settings from such a file."""
    path = tmp_path / "fetcher.toml"
    path.write_text(text)
    path.chmod(0o600)
    return load(environ={}, folder=tmp_path)


def test_each_key_calls_with_settings_of_its_own(tmp_path: Path) -> None:
    """Its credential in the place of the plain one; a name and a cap where none is said."""
    settings = given(tmp_path, TOML).settings
    (first, one), (second, two) = settings_of_keys(settings)
    assert (first, one.app_key, one.qps) == ("shop a", "1000001", 20.0)
    assert one.access_token.reveal() == "first-token"
    assert (second, two.app_key, two.qps, two.access_token) == ("1000002", "1000002", 30.0, None)
    assert one.token_file is None and two.token_file is not None and two.token_file.endswith("second.json")
    assert require_credentials(settings)[0] == "1000001"


def test_all_secrets_are_known_to_all(tmp_path: Path) -> None:
    """So that none shows another's, in a message or a repr."""
    settings = given(tmp_path, TOML).settings
    for _, own in settings_of_keys(settings):
        found = {secret.reveal() for secret in known_secrets(own)}
        assert {"first-secret", "first-token", "second-secret"} <= found
        assert not any(secret in repr(own) + repr(own.keys) for secret in found)


def test_a_file_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    """It holds secrets as much as one with a plain key."""
    (tmp_path / "fetcher.toml").write_text(TOML)
    (tmp_path / "fetcher.toml").chmod(0o644)
    assert any("others can read it" in warning for warning in load(environ={}, folder=tmp_path).warnings)


def test_a_plain_key_comes_first(tmp_path: Path) -> None:
    """Beside the tables."""
    settings = given(tmp_path, 'app_key = "1"\napp_secret = "x"\n' + TOML).settings
    assert [name for name, _ in settings_of_keys(settings)] == ["1", "shop a", "1000002"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('app_key = "1"', "number 1 has no app_secret"),
        ('app_secret = "not-to-be-shown"', "number 1 has no app_key"),
        ('app_key = "1/2"\napp_secret = "not-to-be-shown"', "number 1: app_key is not an app key"),
        ('app_key = "1"\napp_secret = "not-to-be-shown"\nqps = 0', "number 1: qps must be"),
        ('app_key = "1"\napp_secret = "not-to-be-shown"\nsecret = "x"', "'secret', which is none of"),
        ('app_key = "1"\napp_secret = 7', "app_secret must be text in quotes"),
        ('app_key = "1"\napp_secret = "a"\n[[keys]]\napp_key = "1"\napp_secret = "b"', "has the name 1 twice"),
    ],
)
def test_what_is_wrong_is_said_without_a_secret(tmp_path: Path, table: str, said: str) -> None:
    """File, which table, what."""
    with pytest.raises(UsageError) as caught:
        given(tmp_path, f"[[keys]]\n{table}\n")
    assert said in str(caught.value) and "fetcher.toml" in str(caught.value)
    assert "not-to-be-shown" not in str(caught.value)


def test_each_key_needs_a_call_a_second_for_each_process(tmp_path: Path) -> None:
    """Said before anything is sent; a cap that no key has does not matter."""
    table = '[[keys]]\napp_key = "1"\napp_secret = "a"\nqps = {}\n'
    with pytest.raises(UsageError, match="4 processes cannot share a cap of 3/s"):
        given(tmp_path, f"processes = 4\nqps = 100\n{table.format(3)}")
    assert given(tmp_path, f"processes = 4\nqps = 1\n{table.format(8)}").settings.processes == 4
    assert Settings(keys=None).keys == ()
