"""Where settings come from: who wins, what is said about what is wrong, and what is kept to oneself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.secret import Secret
from fetcher.settings import Loaded, Settings, load, require_credentials

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    """A file with that mode."""
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def found(folder: Path, flags: dict[str, Any] | None = None, **environ: str) -> Loaded:
    """What `load` finds there, the process's own variables left out."""
    return load(flags, environ=environ, folder=folder)


def refusal(folder: Path, flags: dict[str, Any] | None = None, **environ: str) -> UsageError:
    """The error that `load` ends with."""
    with pytest.raises(UsageError) as caught:
        found(folder, flags, **environ)
    return caught.value


def test_nothing_said_is_the_defaults(tmp_path: Path) -> None:
    """Without files, variables and flags all is default and nothing has an origin."""
    loaded = found(tmp_path)
    assert loaded.settings.qps == 5.0
    assert loaded.origins == {} and loaded.warnings == ()


def test_each_place_yields_to_the_stronger(tmp_path: Path) -> None:
    """Flag, environment, `.env`, `fetcher.toml`: the strongest that speaks is heard, and named."""
    config = write(tmp_path / "fetcher.toml", "qps = 1\nretries = 1\ntimeout = 1\napi = 'order-buyer'\n")
    env = write(tmp_path / ".env", "FETCHER_QPS=2\nFETCHER_RETRIES=2\nFETCHER_TIMEOUT=2\n")
    loaded = found(tmp_path, {"qps": "4"}, FETCHER_QPS="3", FETCHER_RETRIES="3")
    settings = loaded.settings
    assert (settings.qps, settings.retries, settings.timeout_s, settings.api) == (4.0, 3, 2.0, "order-buyer")
    assert loaded.origins == {
        "qps": "flag --qps",
        "retries": "environment FETCHER_RETRIES",
        "timeout_s": f"{env} FETCHER_TIMEOUT",
        "api": str(config),
    }


def test_auto_on_the_command_line_beats_a_number_in_a_file(tmp_path: Path) -> None:
    """ "Find it out" is an answer of its own, not silence."""
    write(tmp_path / "fetcher.toml", "concurrency = 64\n")
    assert found(tmp_path).settings.concurrency == 64
    assert found(tmp_path, {"concurrency": "auto"}).settings.concurrency is None


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    """`FETCHER_QPS=` leaves the weaker place its say, in the environment and in `.env`."""
    write(tmp_path / "fetcher.toml", "qps = 7\n")
    write(tmp_path / ".env", "FETCHER_QPS=\n")
    assert found(tmp_path, FETCHER_QPS=" ").settings.qps == 7.0


def test_parameters_are_merged_by_name(tmp_path: Path) -> None:
    """A `--param` adds to the file's parameters, or replaces the one of its name."""
    config = write(tmp_path / "fetcher.toml", 'params = { webSite = "1688", scene = "a" }\n')
    loaded = found(tmp_path, {"params": ["scene=b", "extra=1"]})
    assert loaded.settings.params == (("webSite", "1688"), ("scene", "b"), ("extra", "1"))
    assert loaded.origins["params"] == f"flag --param, {config}"


@pytest.mark.parametrize(
    ("flags", "environ", "sentence"),
    [
        ({"qps": "fast"}, {}, "flag --qps must be a number above 0 and at most 100000, not 'fast'"),
        ({"qps": ""}, {}, "flag --qps must not be empty"),
        ({"timeout_s": "-1"}, {}, "flag --timeout must be a number above 0 and at most 86400, not '-1'"),
        ({}, {"FETCHER_RETRIES": "x"}, "environment FETCHER_RETRIES must be a whole number at least 0"),
        ({"params": ["scene"]}, {}, "flag --param must be K=V"),
    ],
)
def test_a_wrong_value_names_its_place(
    tmp_path: Path, flags: dict[str, Any], environ: dict[str, str], sentence: str
) -> None:
    """The sentence begins with where the value came from."""
    assert str(refusal(tmp_path, flags, **environ)).startswith(sentence)


def test_a_wrong_value_in_a_file_names_its_line(tmp_path: Path) -> None:
    """Both files are named with the line, TOML's types are not bent."""
    config = write(tmp_path / "fetcher.toml", '# head\n\nqps = "20"\n')
    assert str(refusal(tmp_path)).startswith(f"{config} line 3: qps must be a number")
    config.unlink()
    env = write(tmp_path / ".env", "A=1\nexport FETCHER_QPS=x\n")
    assert str(refusal(tmp_path)).startswith(f"{env} line 2: FETCHER_QPS must be a number")


def test_an_unknown_key_is_answered_with_the_nearest(tmp_path: Path) -> None:
    """A typing error in `fetcher.toml` stops the program: a cap that is not heard costs money."""
    config = write(tmp_path / "fetcher.toml", "retries = 2\nqsp = 20\n")
    error = refusal(tmp_path)
    assert str(error) == f"{config} line 2: 'qsp' is not a setting; did you mean 'qps'?"
    assert "fetcher init" in error.advice
    write(config, "[rate]\nqps = 1\n")
    assert str(refusal(tmp_path)).startswith(f"{config} line 1: 'rate' is not a setting")


@pytest.mark.parametrize("key", ["sandbox", "dry_run", "overwrite", "config", "secrets", "ids"])
def test_what_belongs_to_one_run_is_no_key(tmp_path: Path, key: str) -> None:
    """A file must not overwrite outputs, or turn every run into a rehearsal."""
    write(tmp_path / "fetcher.toml", f"{key} = true\n")
    assert "is not a setting" in str(refusal(tmp_path))


def test_an_unknown_variable_is_warned_of(tmp_path: Path) -> None:
    """A misspelt `FETCHER_…` is told; other programs' variables, and the sandbox's, are left alone."""
    env = write(tmp_path / ".env", "OTHER=1\nFETCHER_SANDBOX_SECRET=x\nFETCHER_RETRY=3\n")
    loaded = found(tmp_path, FETCHER_QSP="20", PATH="/bin")
    assert loaded.warnings == (
        "environment: FETCHER_QSP is not a setting of fetcher; did you mean 'FETCHER_QPS'?",
        f"{env} line 3: FETCHER_RETRY is not a setting of fetcher; did you mean 'FETCHER_RETRIES'?",
    )


def test_files_from_other_editors_are_read(tmp_path: Path) -> None:
    """Byte order marks and CRLF are taken in both files."""
    write(tmp_path / ".env", "\ufeffFETCHER_QPS=20\r\nFETCHER_RETRIES=2\r\n")
    write(tmp_path / "fetcher.toml", "\ufeffapi = 'stock'\r\n")
    settings = found(tmp_path).settings
    assert (settings.qps, settings.retries, settings.api) == (20.0, 2, "stock")


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """A file that was asked for and is missing, or a folder, is an error; the usual places may be empty."""
    for name in ("config", "env_file", "secrets"):
        error = refusal(tmp_path, {name: "missing"})
        assert str(error) == f"{tmp_path / 'missing'} cannot be read: No such file or directory"
    (tmp_path / "folder").mkdir()
    assert "cannot be read" in str(refusal(tmp_path, {"config": "folder"}))


def test_a_named_file_takes_the_place_of_the_usual(tmp_path: Path) -> None:
    """`--config` and `--env-file` replace, they do not add."""
    write(tmp_path / "fetcher.toml", "qps = 1\nretries = 9\n")
    write(tmp_path / ".env", "FETCHER_TIMEOUT=9\n")
    write(tmp_path / "other.toml", "qps = 2\n")
    write(tmp_path / "other.env", "FETCHER_API=stock\n")
    settings = found(tmp_path, {"config": "other.toml", "env_file": "other.env"}).settings
    assert (settings.qps, settings.retries, settings.timeout_s, settings.api) == (2.0, 4, 30.0, "stock")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"qps = \n", "is not TOML: Invalid value (at line 1"),
        (b"api = product\n", "is not TOML"),
        (b"# ok\napi = '\xff'\n", "line 2 is not UTF-8"),
        (b"#" * (1 << 20) + b"#", "over 1 MiB"),
        (b"x = " + b"[" * 5000, "is not TOML"),
    ],
    ids=["value", "quotes", "utf-8", "long", "deep"],
)
def test_a_broken_config_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Whatever is wrong with the file, the user reads where, and no traceback."""
    (tmp_path / "fetcher.toml").write_bytes(content)
    assert sentence in str(refusal(tmp_path))


def test_a_broken_env_line_is_warned_of_and_an_open_quote_refused(tmp_path: Path) -> None:
    """A stray line hurts nobody; a quote that swallows the settings after it must not pass."""
    env = write(tmp_path / ".env", "s3cret-alone\nFETCHER_QPS=20\n")
    loaded = found(tmp_path)
    assert loaded.warnings == (f"{env} line 1 is not KEY=VALUE; it is ignored",)
    assert loaded.settings.qps == 20.0
    write(env, 'A="x\nFETCHER_QPS=20\n')
    assert "line 1 opens a quote" in str(refusal(tmp_path))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("secrets", "app_secret=from-file\nFETCHER_ACCESS_TOKEN='a token'\napp_key = 1234567\n"),
        ("secrets.toml", 'app_secret = "from-file"\nFETCHER_ACCESS_TOKEN = "a token"\napp_key = 1234567\n'),
    ],
)
def test_a_secrets_file_in_either_form(tmp_path: Path, name: str, text: str) -> None:
    """`KEY=VALUE` or TOML, names as in either place; it beats the environment, for it was named."""
    path = write(tmp_path / name, text)
    loaded = found(tmp_path, {"secrets": name}, FETCHER_APP_SECRET="from-environment")
    settings = loaded.settings
    assert settings.app_secret == Secret("from-file")
    assert settings.access_token == Secret("a token")
    assert settings.app_key == "1234567"
    assert loaded.origins["app_secret"] == str(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("app_sercet=s3cret\n", "line 1: 'app_sercet' is not a credential; did you mean 'app_secret'?"),
        ("qps=20\n", "line 1: 'qps' is not a credential"),
        ("s3cret\n", "line 1 is not KEY=VALUE"),
        ("app_secret='s3cret\n", "line 1 opens a quote"),
        ('app_secret="s3cret\nx"\n', "line 1: app_secret is empty or contains"),
    ],
)
def test_a_wrong_secrets_file_is_refused_unseen(tmp_path: Path, text: str, sentence: str) -> None:
    """The line is named, its secret is not."""
    path = write(tmp_path / "secrets", text)
    error = refusal(tmp_path, {"secrets": "secrets"})
    assert str(error).startswith(f"{path} {sentence}")
    assert "s3cret" not in f"{error}{error.advice}"


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secrets_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """It must be made private, or be taken knowingly."""
    path = write(tmp_path / "secrets", "app_secret=s3cret\n", mode)
    error = refusal(tmp_path, {"secrets": "secrets"})
    assert str(error) == f"{path} holds secrets and others can read it"
    assert f"chmod 600 {path}" in error.advice
    assert found(tmp_path, {"secrets": "secrets"}, FETCHER_ALLOW_OPEN_SECRETS="1").settings.app_secret


@posix_only
def test_open_files_with_secrets_are_warned_of(tmp_path: Path) -> None:
    """`.env` and `fetcher.toml` are warned of when they hold a secret and others can read them, not otherwise."""
    env = write(tmp_path / ".env", "FETCHER_APP_SECRET=s3cret\n", 0o644)
    config = write(tmp_path / "fetcher.toml", "qps = 20\n", 0o644)
    assert found(tmp_path).warnings == (f"{env} holds a secret and others can read it: chmod 600 {env}",)
    write(env, "FETCHER_QPS=20\n", 0o644)
    write(config, 'app_secret = "s3cret"\n', 0o640)
    assert found(tmp_path).warnings == (f"{config} holds a secret and others can read it: chmod 600 {config}",)
    config.chmod(0o600)
    assert found(tmp_path).warnings == ()


def test_no_refusal_repeats_a_secret(tmp_path: Path) -> None:
    """Whatever place a wrong secret stands in, the message does without it."""
    for environ in ({"FETCHER_APP_SECRET": "s3cret\x00x"}, {"FETCHER_PROXY": "ftp://u:s3cret@h"}):
        assert "s3cret" not in str(refusal(tmp_path, **environ))
    write(tmp_path / "fetcher.toml", 'app_secret = ["s3cret"]\n')
    assert "s3cret" not in str(refusal(tmp_path))


def test_the_process_is_asked_when_nothing_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments it is the environment and the working folder."""
    write(tmp_path / "fetcher.toml", "retries = 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FETCHER_QPS", "20")
    loaded = load()
    assert (loaded.settings.qps, loaded.settings.retries) == (20.0, 2)
    assert loaded.origins["retries"] == "fetcher.toml"


def test_credentials_are_asked_for_by_name() -> None:
    """What is missing is named with the way to give it, and the way to do without."""
    with pytest.raises(UsageError) as caught:
        require_credentials(Settings())
    error = caught.value
    assert str(error) == ("there is no app key and no app secret: FETCHER_APP_KEY and FETCHER_APP_SECRET are not set")
    for words in ("export FETCHER_APP_KEY=", "export FETCHER_APP_SECRET=", "fetcher init", "--sandbox"):
        assert words in error.advice
    with pytest.raises(UsageError, match=r"^there is no app secret: FETCHER_APP_SECRET is not set$"):
        require_credentials(Settings(app_key="1"))
    assert require_credentials(Settings(app_key="1", app_secret="s")) == ("1", Secret("s"))
